import { setTimeout as wait } from 'node:timers/promises'
import type { ReplayView } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import { toPattern } from '../events/pattern.ts'
import { findPlatform, type Staff } from '../staff.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usage.ts'
import { toTimeMs } from '../when.ts'
import { parseCommand, type Verb } from './command.ts'

const POLL_MS = 500
const OPTIONS = {
  subscription: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  pattern: { type: 'string' },
  rate: { type: 'string' },
  list: { type: 'boolean' },
  cancel: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** Delivers what was once more to one subscription, and says how far it is. Ctrl-C stops the telling, not the replay. */
export const replay: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, OPTIONS)
  if (values.list) return list(await findPlatform(environment), terminal, values.json)
  if (values.cancel !== undefined) return cancel(await findPlatform(environment), terminal, values.cancel)
  if (values.subscription === undefined) throw new UsageError('expected --subscription NAME')
  if (values.from === undefined) throw new UsageError('expected --from TIME')
  const nowMs = Date.now()
  const [fromMs, toMs] = [toTimeMs('--from', values.from, nowMs), toTimeMs('--to', values.to ?? 'now', nowMs)]
  if (fromMs >= toMs) throw new UsageError('--to: expected a time after --from')
  const body = {
    fromMs,
    toMs,
    ...(values.pattern === undefined ? {} : { pattern: toPattern('--pattern', values.pattern) }),
    ...(values.rate === undefined ? {} : { eventsPerSecond: toRate(values.rate) }),
  }
  const staff = await findPlatform(environment)
  const path = `/hub/v1/subscriptions/${encodeURIComponent(values.subscription)}/replays`
  const started = await staff.call<ReplayView>('POST', path, body)
  const ended = await follow(staff, terminal, started)
  terminal.showProgress?.(null)
  if (values.json) terminal.print(JSON.stringify(ended))
  else terminal.print(toLine(ended))
  if (ended.state === 'running')
    terminal.complain(
      `it goes on; "tentpole events replay --list" says how far it is, "tentpole events replay --cancel ${ended.id}" ends it`,
    )
  return ended.state === 'done' || ended.state === 'running' ? 0 : 1
}

async function follow(staff: Staff, terminal: Terminal, started: ReplayView): Promise<ReplayView> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  let view = started
  if (!terminal.showProgress) terminal.complain(toLine(view))
  while (view.state === 'running' && !stopped.signal.aborted) {
    terminal.showProgress?.(toLine(view))
    await wait(POLL_MS, undefined, { signal: stopped.signal }).catch(() => {})
    if (!stopped.signal.aborted) view = await find(staff, view)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, stop)
  return view
}

async function find(staff: Staff, { id }: ReplayView): Promise<ReplayView> {
  const { replays } = await staff.call<{ replays: readonly ReplayView[] }>('GET', '/hub/v1/replays')
  const found = replays.find((each) => each.id === id)
  if (found) return found
  throw new Fault(
    'replay-unknown',
    `the replay ${id} is not listed any more: so many were started after it; its subscription's figures say what came of it`,
  )
}

async function list(staff: Staff, terminal: Terminal, asJson: boolean | undefined): Promise<number> {
  const { replays } = await staff.call<{ replays: readonly ReplayView[] }>('GET', '/hub/v1/replays')
  if (replays.length === 0 && !asJson) terminal.print('no replays')
  for (const each of replays) terminal.print(asJson ? JSON.stringify(each) : toLine(each))
  return 0
}

async function cancel(staff: Staff, terminal: Terminal, id: string): Promise<number> {
  terminal.print(toLine(await staff.call<ReplayView>('DELETE', `/hub/v1/replays/${encodeURIComponent(id)}`)))
  return 0
}

function toLine({ id, subscription, state, read, delivered, eventsPerSecond, detail }: ReplayView): string {
  const why = detail === null ? '' : `: ${detail}`
  return `${state}  ${id}  ${subscription}  ${read} read, ${delivered} delivered, at most ${eventsPerSecond}/s${why}`
}

function toRate(text: string): number {
  const rate = Number(text)
  if (text.trim() !== '' && rate > 0 && rate <= 100_000) return rate
  throw new UsageError(`--rate: expected events a second above 0, at most 100000, got ${JSON.stringify(text)}`)
}
