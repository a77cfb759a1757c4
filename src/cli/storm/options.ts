import { DEFAULT_SCENARIO } from '../../storm/index.ts'
import { UsageError } from '../usage.ts'
import { parseCommand } from '../verbs/command.ts'

export type StormOptions =
  | { readonly kind: 'list'; readonly json: boolean }
  | { readonly kind: 'self-test'; readonly json: boolean; readonly seed: number | null }
  | { readonly kind: 'compare'; readonly json: boolean; readonly files: readonly [a: string, b: string] }
  | RunOptions

export type RunOptions = {
  readonly kind: 'run'
  readonly json: boolean
  /** The name of one that is built in, or a file. */
  readonly scenario: string
  readonly seed: number | null
  readonly baselinePerSecond: number | null
  readonly out: string | null
  readonly trace: { readonly file: string; readonly from?: string; readonly minutes?: number } | null
  /** Null: a platform of its own. */
  readonly target: TargetOptions | null
}

export type TargetOptions = {
  readonly url: string
  readonly iOwnThisTarget: string | undefined
  readonly home: string | undefined
  readonly consoleUrl: string | undefined
  readonly operatorTokenFile: string | undefined
  /** PEM, trusted in place of the system's. */
  readonly certificateAuthorityFile: string | undefined
}

/** Of seeds; also how many there are to choose from. */
export const SEED_MAX = 0x7fff_ffff
const FLAGS = {
  scenario: { type: 'string' },
  target: { type: 'string' },
  'i-own-this-target': { type: 'string' },
  home: { type: 'string' },
  'operator-token-file': { type: 'string' },
  ca: { type: 'string' },
  console: { type: 'string' },
  seed: { type: 'string' },
  baseline: { type: 'string' },
  trace: { type: 'string' },
  'trace-from': { type: 'string' },
  'trace-minutes': { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  'self-test': { type: 'boolean' },
  list: { type: 'boolean' },
} as const

/** The command line, checked: what contradicts itself or is not a number is a `UsageError`. */
export function parseStormOptions(args: readonly string[]): StormOptions {
  if (args[0] === 'compare') {
    const { values, operands } = parseCommand(args.slice(1), { json: { type: 'boolean' } }, ['REPORT A', 'REPORT B'])
    const [a = '', b = ''] = operands
    return { kind: 'compare', json: values.json === true, files: [a, b] }
  }
  const { values } = parseCommand(args, FLAGS)
  const json = values.json === true
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || name === 'json' ? [] : [name],
  )
  if (values.list) {
    refuseBeside(given, 'list', [])
    return { kind: 'list', json }
  }
  const seed = toNumber('--seed', values.seed, { min: 0, max: SEED_MAX, isWhole: true })
  if (values['self-test']) {
    refuseBeside(given, 'self-test', ['seed'])
    return { kind: 'self-test', json, seed }
  }
  return {
    kind: 'run',
    json,
    scenario: values.scenario ?? DEFAULT_SCENARIO,
    seed,
    baselinePerSecond: toNumber('--baseline', values.baseline, { min: 0.01, max: 100_000, isWhole: false }),
    out: values.out ?? null,
    trace: toTrace(values.trace, values['trace-from'], values['trace-minutes']),
    target: toTarget({
      url: values.target,
      iOwnThisTarget: values['i-own-this-target'],
      home: values.home,
      consoleUrl: values.console,
      operatorTokenFile: values['operator-token-file'],
      certificateAuthorityFile: values.ca,
    }),
  }
}

/** The command that blows the same storm again: as it was typed, with the seed that was drawn. */
export function toRepeatCommand(args: readonly string[], seed: number): string {
  const kept = args.filter(
    (arg, at) => !/^--(?:seed|out)(?:=|$)/.test(arg) && !/^--(?:seed|out)$/.test(args[at - 1] ?? ''),
  )
  return ['npx tentpole storm', ...kept.map(quoteForShell), `--seed ${seed}`].join(' ')
}

function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function refuseBeside(given: readonly string[], alone: string, allowed: readonly string[]): void {
  const other = given.find((name) => name !== alone && !allowed.includes(name))
  if (other !== undefined) throw new UsageError(`--${alone} stands alone; leave out --${other}`)
}

function toTrace(
  file: string | undefined,
  from: string | undefined,
  minutesText: string | undefined,
): RunOptions['trace'] {
  const minutes = toNumber('--trace-minutes', minutesText, { min: 2, max: 1_000_000, isWhole: true })
  if (file !== undefined)
    return { file, ...(from === undefined ? {} : { from }), ...(minutes === null ? {} : { minutes }) }
  if (from !== undefined || minutes !== null)
    throw new UsageError(`--trace-${from === undefined ? 'minutes' : 'from'} needs --trace FILE`)
  return null
}

function toTarget(given: Omit<TargetOptions, 'url'> & { readonly url: string | undefined }): TargetOptions | null {
  const { url, iOwnThisTarget, home, consoleUrl, operatorTokenFile, certificateAuthorityFile } = given
  if (url === undefined) {
    const needing = {
      'i-own-this-target': iOwnThisTarget,
      home,
      console: consoleUrl,
      'operator-token-file': operatorTokenFile,
      ca: certificateAuthorityFile,
    }
    const [orphan] = Object.entries(needing).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    if (orphan !== undefined)
      throw new UsageError(`--${orphan} needs --target URL; without one, storm starts a platform of its own`)
    return null
  }
  if (consoleUrl !== undefined && operatorTokenFile === undefined && home === undefined)
    throw new UsageError('--console needs --operator-token-file FILE')
  if (consoleUrl === undefined && operatorTokenFile !== undefined && home === undefined)
    throw new UsageError('--operator-token-file needs --console URL')
  if (consoleUrl !== undefined && !URL.canParse(consoleUrl))
    throw new UsageError(
      `--console: expected an address such as http://localhost:8081, got ${JSON.stringify(consoleUrl)}`,
    )
  return { url, iOwnThisTarget, home, consoleUrl, operatorTokenFile, certificateAuthorityFile }
}

function toNumber(
  flag: string,
  text: string | undefined,
  { min, max, isWhole }: { min: number; max: number; isWhole: boolean },
): number | null {
  if (text === undefined) return null
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value
  throw new UsageError(
    `${flag}: expected a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, got ${JSON.stringify(text)}`,
  )
}
