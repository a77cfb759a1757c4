import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { build } from 'hdr-histogram-js'
import { type HttpConnection, openHttpConnection } from './http-connection.ts'

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
  /** Counts by status, `lost` (the connection broke), `unanswered`. */
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
  const idle: Lane[] = []
  const waiting = createQueue()
  const done = Promise.withResolvers<void>()
  let due = 0
  let settled = 0
  let startMs = 0

  const settle = (error: string | null): void => {
    if (error !== null) errors[error] = (errors[error] ?? 0) + 1
    settled += 1
    if (settled === total) done.resolve()
  }
  const next = (lane: Lane): void => {
    const index = waiting.shift()
    if (index === undefined) {
      lane.index = -1
      idle.push(lane)
      return
    }
    lane.index = index
    lane.connection?.send(requests[index % requests.length] ?? '')
  }
  const open = async (): Promise<void> => {
    const lane: Lane = { index: -1, connection: null }
    lane.connection = await openHttpConnection({
      port: options.port,
      onAnswer({ status, body }) {
        const latencyMs = performance.now() - startMs - dueAtMs(lane.index)
        if (lane.index >= warmUp) histogram.recordValue(Math.max(1, Math.round(latencyMs * 1000)))
        const sessionId = status === 200 || status === 201 ? readSessionId(body) : null
        if (sessionId !== null) journal.write(sessionId)
        settle(sessionId === null ? String(status) : null)
        next(lane)
      },
      onLost() {
        if (lane.index >= 0) settle('lost')
        const at = idle.indexOf(lane)
        if (at >= 0) idle.splice(at, 1)
        open().then(undefined, () => {})
      },
    })
    next(lane)
  }

  await Promise.all(Array.from({ length: options.connections }, open))
  startMs = performance.now()
  const tick = (): void => {
    const elapsedMs = performance.now() - startMs
    while (due < total && dueAtMs(due) <= elapsedMs) waiting.push(due++)
    while (waiting.size() > 0) {
      const lane = idle.pop()
      if (!lane) break
      next(lane)
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

/** `index` is the request under way, or -1. */
type Lane = { index: number; connection: HttpConnection | null }

function readRequests({ tokensFile, tokensFrom, titleId, port }: OpenLoopOptions): string[] {
  const body = JSON.stringify({ titleId })
  const tokens = readFileSync(tokensFile, 'latin1').split('\n').filter(Boolean)
  return [...tokens.slice(tokensFrom), ...tokens.slice(0, tokensFrom)].map(
    (token) =>
      `POST /v1/playback HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

function readSessionId(body: Buffer): string | null {
  return /"sessionId":"([^"]+)"/.exec(body.toString('latin1'))?.[1] ?? null
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
function createQueue(): { push(value: number): void; shift(): number | undefined; size(): number } {
  let values: number[] = []
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
