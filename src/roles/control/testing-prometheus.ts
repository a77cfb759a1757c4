/**
 * For tests: a reader of Prometheus' text format 0.0.4 that knows nothing of our writer and takes nothing amiss in its
 * stride. Throws at the first line that is not as the format's description has it.
 */
export type ParsedSample = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
export type ParsedFamily = { readonly type: string; readonly samples: readonly ParsedSample[] }

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*/
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/
const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram'])
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' }

export function parsePrometheus(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed')
  const families = new Map<string, { type: string; samples: ParsedSample[] }>()
  let current = ''
  let helped = ''
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('# HELP ')) {
      helped = take(METRIC_NAME, line.slice(7), line)
      if (families.has(helped)) throw new Error(`a family must come once and in one piece: ${line}`)
    } else if (line.startsWith('# TYPE ')) {
      const [name = '', type = '', ...more] = line.slice(7).split(' ')
      if (name !== helped || more.length > 0 || !TYPES.has(type)) throw new Error(`a type without its help: ${line}`)
      current = name
      families.set(name, { type, samples: [] })
    } else {
      const sample = parseSample(line)
      const family = families.get(current)
      if (!family || !belongs(sample, current, family.type)) throw new Error(`a sample outside its family: ${line}`)
      family.samples.push(sample)
    }
  }
  for (const [name, family] of families) checkFamily(name, family)
  return families
}

function belongs({ name, labels }: ParsedSample, family: string, type: string): boolean {
  if (type !== 'histogram') return name === family
  return name === `${family}_bucket` ? 'le' in labels : name === `${family}_sum` || name === `${family}_count`
}

function parseSample(line: string): ParsedSample {
  const name = take(METRIC_NAME, line, line)
  let rest = line.slice(name.length)
  const labels: Record<string, string> = {}
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    while (!rest.startsWith('}')) {
      const label = take(LABEL_NAME, rest, line)
      if (label in labels || !rest.startsWith(`${label}="`))
        throw new Error(`a label twice, or without a value: ${line}`)
      const { value, length } = readQuoted(rest.slice(label.length + 2), line)
      labels[label] = value
      rest = rest.slice(label.length + 2 + length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (!rest.startsWith('}')) throw new Error(`expected a comma or a brace: ${line}`)
    }
    rest = rest.slice(1)
  }
  if (!rest.startsWith(' ') || !VALUE.test(rest.slice(1))) throw new Error(`expected one space and a value: ${line}`)
  return { name, labels, value: Number(rest.slice(1).replace('Inf', 'Infinity')) }
}

function readQuoted(text: string, line: string): { value: string; length: number } {
  let value = ''
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') return { value, length: at + 1 }
    if (character === '\\') {
      at += 1
      const escaped = ESCAPES[text.charAt(at)]
      if (escaped === undefined) throw new Error(`an unknown escape: ${line}`)
      value += escaped
    } else value += character
  }
  throw new Error(`a value without its end: ${line}`)
}

function checkFamily(name: string, { type, samples }: ParsedFamily): void {
  const keys = samples.map(({ name: own, labels }) => JSON.stringify([own, Object.entries(labels).sort()]))
  if (new Set(keys).size !== keys.length) throw new Error(`${name}: two samples with the same labels`)
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`${name}: a counter's name ends in _total`)
  if (type !== 'gauge' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name}: a count below 0`)
  if (type === 'histogram') checkHistogram(name, samples)
}

function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const seriesOf = ({ labels: { le: _, ...rest } }: ParsedSample): string => JSON.stringify(Object.entries(rest).sort())
  for (const series of new Set(samples.map(seriesOf))) {
    const own = samples.filter((sample) => seriesOf(sample) === series)
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('Inf', 'Infinity')))
    const rises = (values: readonly number[]): boolean =>
      values.every((value, at) => value >= (values[at - 1] ?? value))
    const count = own.find((sample) => sample.name === `${name}_count`)?.value
    if (!rises(bounds) || bounds.at(-1) !== Infinity) throw new Error(`${name}: bounds must rise up to +Inf`)
    if (!rises(buckets.map(({ value }) => value))) throw new Error(`${name}: buckets must be cumulative`)
    if (count === undefined || buckets.at(-1)?.value !== count) throw new Error(`${name}: +Inf must be the count`)
    if (!own.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: expected a sum`)
  }
}

function take(pattern: RegExp, text: string, line: string): string {
  const found = pattern.exec(text)?.[0]
  if (found === undefined) throw new Error(`expected ${pattern}: ${line}`)
  return found
}
