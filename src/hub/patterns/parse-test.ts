import { networkOf } from '../../contracts/index.ts'
import { readAddress } from './address.ts'
import { foldCase } from './fold-case.ts'
import { isFault, type PatternFault, type Range, type Scalar, show, type Test } from './pattern.ts'
import { parseWildcard } from './wildcard.ts'

/** One element of a field's array: a value to be equal to, or an operator with its operand. */
export function parseTest(json: unknown): readonly Test[] | PatternFault {
  if (Array.isArray(json)) return fault(`expected a value or an operator, got the array ${show(json)}`, 'pattern-field')
  if (typeof json === 'object' && json !== null) return parseOperator(json as Readonly<Record<string, unknown>>)
  if (json === undefined || typeof json === 'function') return fault('expected a JSON value', 'pattern-field')
  return toEquals(json as Scalar)
}

/** The operators of event patterns, each with what reads its operand. */
const OPERATORS: Readonly<Record<string, (operand: unknown) => Test | PatternFault>> = {
  exactly: (operand) => parseText('exactly', operand, (value) => ({ kind: 'equals', value })),
  prefix: (operand) => parseAffix('prefix', operand),
  suffix: (operand) => parseAffix('suffix', operand),
  'equals-ignore-case': parseIgnoreCase,
  wildcard: toWildcard,
  numeric: parseNumeric,
  cidr: parseCidr,
  exists: parseExists,
  'anything-but': parseAnythingBut,
}

/** Names that no field inside of `$or` may have: with one of them the `$or` is a field's name itself. */
export const RESERVED_IN_OR: ReadonlySet<string> = new Set([
  ...Object.keys(OPERATORS),
  ...['=', '<', '<=', '>', '>=', 'regex', 'html', 'not-wildcard', 'not-equals-ignore-case'],
  ...['date-after', 'date-on-or-after', 'date-before', 'date-on-or-before', 'in-date-range'],
  ...['ip-address-in-range', 'ip-address-not-in-range'],
])

function parseOperator(json: Readonly<Record<string, unknown>>): readonly Test[] | PatternFault {
  const [name, ...others] = Object.keys(json)
  if (name === undefined) return fault('expected one operator, got {}', 'pattern-operator-unknown')
  const parse = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
  if (!parse) {
    const known = Object.keys(OPERATORS).join(', ')
    return fault(`expected one of the operators ${known}, got ${show(name)}`, 'pattern-operator-unknown')
  }
  if (others.length > 0) return fault(`expected one operator in ${show(json)}, got ${others.length + 1}`)
  const test = parse(json[name])
  return isFault(test) ? test : [test]
}

/** An address is the same address however it is written. */
function toEquals(value: Scalar): readonly Test[] | PatternFault {
  if (typeof value === 'number' && !Number.isFinite(value))
    return fault(`expected a number that a double holds, got ${value}`)
  const exactly: Test = { kind: 'equals', value }
  const address = typeof value === 'string' ? readAddress(value) : null
  return address === null ? [exactly] : [exactly, { kind: 'cidr', network: networkOf(address, address.length * 8) }]
}

function parseText(name: string, operand: unknown, to: (text: string) => Test | PatternFault): Test | PatternFault {
  return typeof operand === 'string' ? to(operand) : fault(`${name}: expected a string, got ${show(operand)}`)
}

function parseIgnoreCase(operand: unknown): Test | PatternFault {
  return parseText('equals-ignore-case', operand, (text) => ({ kind: 'equals-ignore-case', folded: foldCase(text) }))
}

function toWildcard(operand: unknown): Test | PatternFault {
  return parseText('wildcard', operand, (text) => {
    const parsed = parseWildcard(text)
    if (isFault(parsed)) return parsed
    const [first = '', ...rest] = parsed.segments
    return rest.length === 0 ? { kind: 'equals', value: first } : { kind: 'wildcard', segments: parsed.segments }
  })
}

/** A string, or `{"equals-ignore-case": string}`. */
function parseAffix(kind: 'prefix' | 'suffix', operand: unknown): Test | PatternFault {
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand))
    return parseText(kind, operand, (text) => ({ kind, text }))
  const [name, ...others] = Object.keys(operand)
  if (name !== 'equals-ignore-case' || others.length > 0)
    return fault(`${kind}: expected a string or {"equals-ignore-case": "…"}, got ${show(operand)}`)
  const folded = (operand as Readonly<Record<string, unknown>>)[name]
  return parseText(`${kind}: ${name}`, folded, (text) => ({ kind: `${kind}-ignore-case`, folded: foldCase(text) }))
}

function parseExists(operand: unknown): Test | PatternFault {
  if (typeof operand === 'boolean') return { kind: 'exists', exists: operand }
  return fault(`exists: expected true or false, got ${show(operand)}`)
}

/** An address and how many of its bits count. One that leaves a single address is refused, as EventBridge does: say that address instead. */
function parseCidr(operand: unknown): Test | PatternFault {
  const [ip = '', bits = '', ...others] = typeof operand === 'string' ? operand.split('/') : []
  const address = readAddress(ip)
  if (address === null || others.length > 0 || !/^\d{1,3}$/.test(bits))
    return fault(`cidr: expected an address, "/" and a number of bits, got ${show(operand)}`)
  const bitsMax = address.length * 8 - 1
  if (Number(bits) > bitsMax) return fault(`cidr: expected at most ${bitsMax} bits, got ${show(operand)}`)
  return { kind: 'cidr', network: networkOf(address, Number(bits)) }
}

/** What each operator says of the range; an operator that begins one may be followed by one that ends it. */
const BEGINS: Readonly<Record<string, { isLowOpen: boolean }>> = {
  '>': { isLowOpen: true },
  '>=': { isLowOpen: false },
}
const ENDS: Readonly<Record<string, { isHighOpen: boolean }>> = {
  '<': { isHighOpen: true },
  '<=': { isHighOpen: false },
}
const EVERY_NUMBER: Range = {
  low: -Number.MAX_VALUE,
  high: Number.MAX_VALUE,
  isLowOpen: false,
  isHighOpen: false,
}

function parseNumeric(operand: unknown): Test | PatternFault {
  const expected = 'numeric: expected [OPERATOR, NUMBER] or [">" or ">=", NUMBER, "<" or "<=", LARGER NUMBER]'
  const wrong = fault(`${expected}, got ${show(operand)}`)
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) return wrong
  const [first, low, second, high] = operand as readonly unknown[]
  if (!isNumber(low)) return wrong
  if (operand.length === 4) {
    const [begins, ends] = [pick(BEGINS, first), pick(ENDS, second)]
    if (!begins || !ends || !isNumber(high) || low >= high) return wrong
    return { kind: 'numeric', range: { ...begins, ...ends, low, high } }
  }
  if (first === '=') return { kind: 'equals', value: low }
  const [begins, ends] = [pick(BEGINS, first), pick(ENDS, first)]
  if (begins) return { kind: 'numeric', range: { ...EVERY_NUMBER, ...begins, low } }
  return ends ? { kind: 'numeric', range: { ...EVERY_NUMBER, ...ends, high: low } } : wrong
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function pick<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
}

/** What `anything-but` negates beside plain values; the word is whether an empty text makes sense there. */
const NEGATED: Readonly<
  Record<string, { readonly parse: (text: unknown) => Test | PatternFault; mayBeEmpty: boolean }>
> = {
  prefix: { parse: (text) => parseText('prefix', text, (each) => ({ kind: 'prefix', text: each })), mayBeEmpty: false },
  suffix: { parse: (text) => parseText('suffix', text, (each) => ({ kind: 'suffix', text: each })), mayBeEmpty: false },
  'equals-ignore-case': { parse: parseIgnoreCase, mayBeEmpty: true },
  wildcard: { parse: toWildcard, mayBeEmpty: true },
}

function parseAnythingBut(operand: unknown): Test | PatternFault {
  if (typeof operand !== 'object' || operand === null || Array.isArray(operand)) return parseButValues(operand)
  const [name = '', ...others] = Object.keys(operand)
  const negated = Object.hasOwn(NEGATED, name) ? NEGATED[name] : undefined
  if (!negated || others.length > 0)
    return fault(`anything-but: expected one of ${Object.keys(NEGATED).join(', ')}, got ${show(operand)}`)
  const texts = toList((operand as Readonly<Record<string, unknown>>)[name])
  if (texts.length === 0) return fault(`anything-but: ${name}: expected a string or some, got []`)
  if (!negated.mayBeEmpty && texts.includes(''))
    return fault(`anything-but: ${name}: expected text that is not empty, got ""`)
  return toExcept(texts.map(negated.parse))
}

/** Strings or numbers, not both, and nothing else. */
function parseButValues(operand: unknown): Test | PatternFault {
  const values = toList(operand)
  const isOfOneKind = values.every((value) => typeof value === 'string') || values.every(isNumber)
  if (values.length === 0 || !isOfOneKind)
    return fault(`anything-but: expected a string, a number, or a list of one kind, got ${show(operand)}`)
  return toExcept(values.map((value) => ({ kind: 'equals', value: value as string | number })))
}

function toExcept(tests: readonly (Test | PatternFault)[]): Test | PatternFault {
  const except: Test[] = []
  for (const test of tests) {
    if (isFault(test)) return { code: test.code, detail: `anything-but: ${test.detail}` }
    except.push(test)
  }
  return { kind: 'anything-but', except }
}

const toList = (operand: unknown): readonly unknown[] => (Array.isArray(operand) ? operand : [operand])

const fault = (detail: string, code: PatternFault['code'] = 'pattern-operand'): PatternFault => ({ code, detail })
