import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { build } from 'hdr-histogram-js'
import {
  type Connection,
  createConnection,
  type ExchangeRequest,
  type ExchangeResult,
  renderHead,
} from '../src/storm/http/index.ts'
import { loopbackTarget } from '../src/storm/target.ts'

/**
 * An open loop of `POST /v1/playback`: requests fall due at a fixed rate whatever the platform does, and a latency
 * counts from when its request was due, so that a stall is charged to everyone who met it (no coordinated omission).
 * Run as a process of its own: `bun bench/open-loop.ts '<options as JSON>'`; the last line of its output is the result.
 */
export type OpenLoopOptions = {
  readonly port: number
  readonly ratePerSecond: number
  readonly durationMs: number
  /** Before `durationMs`, at half the rate: the generator's own code is compiled then. No latency, but counted in all else. */
  readonly warmUpMs: number
  readonly connections: number
  /** One viewer token a line; used in turn, beginning with line `tokensFrom`. */
  readonly tokensFile: string
  readonly tokensFrom: number
  readonly titleId: string
  /** The session ids of acknowledged answers, one a line, are appended here. */
  readonly journalFile: string
  /** How long after the last due time an answer is waited for. */
  readonly patienceMs: number
}

export type OpenLoopResult = {
  readonly ratePerSecond: number
  readonly sent: number
  readonly acknowledged: number
  /** Counts by status, `connection` (it broke), `unreadable`, `unanswered`. */
  readonly errors: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

const JOURNAL_LINES_PER_WRITE = 2_000

export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const requests = readRequests(options)
  const periodMs = 1000 / options.ratePerSecond
  const warmUp = Math.round(options.warmUpMs / (2 * periodMs))
  const total = warmUp + Math.round(options.durationMs / periodMs)
  const dueAtMs = (index: number): number => (index + Math.min(index, warmUp)) * periodMs
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 120_000_000,
    numberOfSignificantValueDigits: 3,
  })
  const journal = openJournal(options.journalFile)
  const errors: Record<string, number> = {}
  // In turn: by the end of a warm-up all of them are connected.
  const idle = createQueue<Connection>()
  const waiting = createQueue<number>()
  const done = Promise.withResolvers<void>()
  let due = 0
  let settled = 0
  let startMs = 0

  const settle = (error: string | null): void => {
    if (error !== null) errors[error] = (errors[error] ?? 0) + 1
    settled += 1
    if (settled === total) done.resolve()
  }
  const record = (index: number, result: ExchangeResult): void => {
    if (!result.ok) {
      settle(result.failure)
      return
    }
    const { status, body } = result
    const latencyMs = performance.now() - startMs - dueAtMs(index)
    if (index >= warmUp) histogram.recordValue(Math.max(1, Math.round(latencyMs * 1000)))
    const sessionId = status === 200 || status === 201 ? readSessionId(body) : null
    if (sessionId !== null) journal.write(sessionId)
    settle(sessionId === null ? String(status) : null)
  }
  const next = (connection: Connection): void => {
    const index = waiting.shift()
    const request = requests[(index ?? 0) % requests.length]
    if (index === undefined || request === undefined) {
      idle.push(connection)
      return
    }
    connection.exchange(request, (result) => {
      record(index, result)
      next(connection)
    })
  }

  const target = loopbackTarget(options.port)
  for (let count = 0; count < options.connections; count++) idle.push(createConnection({ target }))
  startMs = performance.now()
  const tick = (): void => {
    const elapsedMs = performance.now() - startMs
    while (due < total && dueAtMs(due) <= elapsedMs) waiting.push(due++)
    while (waiting.size() > 0) {
      const connection = idle.shift()
      if (!connection) break
      next(connection)
    }
    if (due < total) setTimeout(tick, 1)
  }
  tick()
  const patience = setTimeout(() => done.resolve(), options.warmUpMs + options.durationMs + options.patienceMs)
  await done.promise
  clearTimeout(patience)
  if (settled < total) errors['unanswered'] = total - settled
  journal.close()
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  return {
    ratePerSecond: options.ratePerSecond,
    sent: total,
    acknowledged: journal.lines(),
    errors,
    p50Ms: at(50),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: at(100),
  }
}

function readRequests({ tokensFile, tokensFrom, titleId, port }: OpenLoopOptions): readonly ExchangeRequest[] {
  const target = loopbackTarget(port)
  const body = JSON.stringify({ titleId })
  const tokens = readFileSync(tokensFile, 'latin1').split('\n').filter(Boolean)
  if (tokens.length === 0) throw new Error(`${tokensFile}: expected a viewer token a line, got none`)
  return [...tokens.slice(tokensFrom), ...tokens.slice(0, tokensFrom)].map((token) => ({
    head: renderHead(target, { method: 'POST', path: '/v1/playback', token, body }),
    body,
    keepBody: true,
    // The run as a whole is what has patience: no request is given up before it.
    timeoutMs: Number.POSITIVE_INFINITY,
  }))
}

function readSessionId(body: Buffer | null): string | null {
  return /"sessionId":"([^"]+)"/.exec(body?.toString('latin1') ?? '')?.[1] ?? null
}

function openJournal(path: string): { write(line: string): void; lines(): number; close(): void } {
  const file = openSync(path, 'a')
  let held: string[] = []
  let lines = 0
  const flush = (): void => {
    if (held.length > 0) writeSync(file, `${held.join('\n')}\n`)
    held = []
  }
  return {
    write(line) {
      held.push(line)
      lines += 1
      if (held.length >= JOURNAL_LINES_PER_WRITE) flush()
    },
    lines: () => lines,
    close() {
      flush()
      closeSync(file)
    },
  }
}

/** First in, first out, without moving what is left at every `shift`. */
function createQueue<T>(): { push(value: T): void; shift(): T | undefined; size(): number } {
  let values: T[] = []
  let at = 0
  return {
    push: (value) => {
      values.push(value)
    },
    shift() {
      const value = values[at]
      if (value === undefined) return undefined
      at += 1
      if (at > 1_024 && at * 2 > values.length) {
        values = values.slice(at)
        at = 0
      }
      return value
    },
    size: () => values.length - at,
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as OpenLoopOptions
  console.log(JSON.stringify(await runOpenLoop(options)))
  process.exit(0)
}
