import { type DeadLetter, deadLetterSchema } from '../../contracts/index.ts'
import { describeError, faultCode } from '../../kernel/index.ts'
import { confirm } from '../confirm.ts'
import { toTime } from '../events/describe-journey.ts'
import { toPrintable } from '../printable.ts'
import { findPlatform, type Staff } from '../staff.ts'
import { toTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'
import { toVerb } from './actions.ts'
import { parseCommand, type Verb } from './command.ts'

const PAGE_MAX = 500
const REASON_CHARACTERS_MAX = 100
const FILTERS = {
  state: { type: 'string' },
  kind: { type: 'string' },
  name: { type: 'string' },
} as const
const SETTLE = { all: { type: 'boolean', default: false }, yes: { type: 'boolean', default: false } } as const

type Filters = { readonly [F in keyof typeof FILTERS]?: string | undefined }
type Shown = DeadLetter & {
  readonly payload: string | null
  readonly encoding: 'text' | 'base64' | null
  readonly claim?: { readonly ref: string }
}
type Page = { readonly deadLetters: readonly DeadLetter[]; readonly next: string | null }
type How = 'redrive' | 'discard'

const list: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, {
    ...FILTERS,
    max: { type: 'string', default: '50' },
    json: { type: 'boolean' },
  })
  const max = toCount(values.max)
  const query = toQuery(values)
  const staff = await findPlatform(environment)
  const letters: DeadLetter[] = []
  for await (const letter of pages(staff, query)) {
    letters.push(letter)
    if (letters.length === max) break
  }
  if (values.json) for (const letter of letters) terminal.print(JSON.stringify(letter))
  else if (letters.length === 0) terminal.print('no dead letters')
  else for (const line of toTable(HEAD, letters.map(toRow))) terminal.print(line)
  if (letters.length === max) terminal.complain(`the newest ${max}; --max N shows more`)
  return 0
}

const show: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(args, { json: { type: 'boolean' } }, ['ID'])
  const staff = await findPlatform(environment)
  const letter = await staff.call<Shown>('GET', pathOf(operands[0] ?? ''))
  for (const line of values.json ? [JSON.stringify(letter)] : describe(letter)) terminal.print(line)
  return 0
}

const settle =
  (how: How): Verb =>
  async ({ args, environment, terminal }) => {
    const { values, operands: ids } = parseCommand(args, { ...FILTERS, ...SETTLE }, ['ID...'])
    if (values.all === ids.length > 0) throw new UsageError(`dead-letters ${how}: expected ID..., or --all`)
    const { state, kind, name } = values
    if (!values.all && (state ?? kind ?? name) !== undefined) throw new UsageError('--kind and --name are for --all')
    if (values.all && state !== undefined && state !== 'open')
      throw new UsageError('--state: only open letters can be settled')
    const staff = await findPlatform(environment)
    const chosen = values.all ? await idsOf(staff, toQuery({ ...values, state: 'open' })) : ids
    if (chosen.length === 0) {
      terminal.print('no open dead letters')
      return 0
    }
    if (values.all && !values.yes && !(await confirm(terminal, toQuestion(how, chosen.length, name)))) return 1
    return settleAll(staff, terminal, how, chosen)
  }

/** What could not be delivered, and what pipes refused: looked at, sent on its way again, or given up. */
export const deadLetters: Verb = toVerb('dead-letters', {
  list,
  show,
  redrive: settle('redrive'),
  discard: settle('discard'),
})

const HEAD = ['id', 'state', 'kind', 'of', 'type', 'key', 'attempts', 'died', 'reason']

function toRow(letter: DeadLetter): string[] {
  const { id, state, kind, name, type, key, attempts, deadAtMs, reason } = letter
  const short = reason.length > REASON_CHARACTERS_MAX ? `${reason.slice(0, REASON_CHARACTERS_MAX)}…` : reason
  return [id, state, kind, name, type ?? '-', key, String(attempts), toTime(deadAtMs), short].map((cell) =>
    toPrintable(cell),
  )
}

function describe(letter: Shown): string[] {
  const { id, state, kind, name, eventId, type, key, position, code, reason, path, attempts, bytes } = letter
  const facts: readonly (readonly [string, string])[] = [
    ['id', id],
    ['state', state],
    [kind === 'pipe' ? 'pipe' : 'subscription', name],
    ['event', eventId ?? '-'],
    ['type', type ?? '-'],
    ['key', key],
    ['position', position],
    ['code', code],
    ['reason', reason],
    ...(path === null ? [] : [['path', path] as const]),
    ['attempts', String(attempts)],
    ['failed first', toTime(letter.firstFailedAtMs)],
    ['died', toTime(letter.deadAtMs)],
    ['bytes', `${bytes}${letter.encoding === 'base64' ? ', shown in base64' : ''}`],
  ]
  const payload = letter.payload === null ? toMissing(letter) : toPrintable(letter.payload, { lines: true })
  return [...facts.map(([what, value]) => `${what.padEnd(12)}  ${toPrintable(value)}`), '', payload]
}

function toMissing({ claim }: Shown): string {
  return claim
    ? `the payload is large: GET /hub/v1/payloads/${claim.ref} has its bytes`
    : 'the payload is not there any more'
}

function toQuery({ state, kind, name }: Filters): URLSearchParams {
  const query = new URLSearchParams({ max: String(PAGE_MAX) })
  if (state !== undefined) query.set('state', oneOf('--state', deadLetterSchema.shape.state.options, state))
  if (kind !== undefined) query.set('kind', oneOf('--kind', deadLetterSchema.shape.kind.options, kind))
  if (name !== undefined) query.set('name', name)
  return query
}

function oneOf(flag: string, known: readonly string[], text: string): string {
  if (known.includes(text)) return text
  throw new UsageError(`${flag}: expected ${known.join(', ')}, got ${JSON.stringify(text)}`)
}

function toCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new UsageError(`--max: expected a whole number above 0, got ${JSON.stringify(text)}`)
}

/** Newest first, a page at a time. */
async function* pages(staff: Staff, query: URLSearchParams): AsyncGenerator<DeadLetter> {
  for (let before: string | null = ''; before !== null; ) {
    const asked = new URLSearchParams(query)
    if (before !== '') asked.set('before', before)
    const page: Page = await staff.call('GET', `/hub/v1/dead-letters?${asked}`)
    yield* page.deadLetters
    before = page.next
  }
}

/** Known before the first is settled: what dies meanwhile was not confirmed. */
async function idsOf(staff: Staff, query: URLSearchParams): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of pages(staff, query)) ids.push(id)
  return ids
}

function toQuestion(how: How, count: number, name: string | undefined): string {
  const letters = count === 1 ? '1 dead letter' : `${count} dead letters`
  return `${how === 'redrive' ? 'Redrive' : 'Discard'} ${letters}${name === undefined ? '' : ` of ${name}`}? ${HINTS[how]}`
}

const HINTS: Readonly<Record<How, string>> = {
  redrive: 'Each is delivered once more.',
  discard: 'None of them is delivered any more.',
}

/** One after the other, to the end: what cannot be settled is said and does not stop the others. */
async function settleAll(staff: Staff, terminal: Terminal, how: How, ids: readonly string[]): Promise<number> {
  let failed = 0
  for (const id of ids) {
    try {
      const { state } = await staff.call<{ state: string }>('POST', `${pathOf(id)}/${how}`)
      terminal.print(`${state}  ${toPrintable(id)}`)
    } catch (error) {
      if (faultCode(error) === 'unreachable') throw error
      failed += 1
      terminal.complain(`tentpole: ${toPrintable(id)}: ${describeError(error)}`)
    }
  }
  if (ids.length > 1)
    terminal.complain(`${ids.length - failed} of ${ids.length} ${how === 'redrive' ? 'redriven' : 'discarded'}`)
  return failed === 0 ? 0 : 1
}

function pathOf(id: string): string {
  return `/hub/v1/dead-letters/${encodeURIComponent(id)}`
}
