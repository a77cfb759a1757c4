import { readFileSync } from 'node:fs'
import { createTrace } from '../src/edge/memory/testing/traces.ts'
import type { RawAnswer } from './open-loop-answer.ts'
import { openRawConnection, type RawConnection, toGetBytes } from './open-loop-connection.ts'

/**
 * An open loop of plain GETs at a rate that a generator with a life of its own could not keep: requests fall due at a
 * fixed rate whatever the server does, wait here when no connection is free, and count from when they were *due*.
 * Everything is made before the run, and an answer is read no further than its length. Run as a process of its own
 * (`open-loop-process.ts`): options as one line of JSON in, a result as one line out, as often as asked, so that
 * servers are measured in turn by code that is compiled already.
 */
export type FastLoopOptions = {
  readonly port: number
  readonly ratePerSecond: number
  /** Before `durationMs`, at the same rate; its latencies do not count, its errors do. */
  readonly warmUpMs: number
  readonly durationMs: number
  readonly connections: number
  /** One address a line, the most popular first. */
  readonly addressesFile: string
  /** An address of rank r is drawn in proportion to r to the power of minus this. */
  readonly exponent: number
  readonly seed: number
  /** What every answer has to bring, with a 200. */
  readonly bodyBytes: number
  /** How long after the last due time an answer is waited for. */
  readonly patienceMs: number
}

export type FastLoopResult = {
  readonly sent: number
  /** Answers a second from the first due time to the last answer, warm-up included. */
  readonly ratePerSecond: number
  /** Counts by what was wrong: a status, a length, `closed`, `unreadable`, `unanswered`. */
  readonly errors: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** How late the generator itself noticed that requests were due: beyond a few ms it measured itself. */
  readonly lagP99Ms: number
}

const TICK_MS = 1

export async function runFastLoop(options: FastLoopOptions): Promise<FastLoopResult> {
  const { port, connections, bodyBytes } = options
  const periodMs = 1_000 / options.ratePerSecond
  const warmUp = Math.round(options.warmUpMs / periodMs)
  const total = warmUp + Math.round(options.durationMs / periodMs)
  const requests = drawRequests(options, total)
  const latenciesMs = new Float64Array(total)
  const lagsMs = new Float64Array(total)
  const errors: Record<string, number> = {}
  const asked = new Map<RawConnection, number>()
  const idle = createRing<RawConnection>(connections)
  const done = Promise.withResolvers<void>()
  let startMs = 0
  let due = 0
  let sent = 0
  let settled = 0
  let answered = 0
  let lastMs = 0

  const settle = (error: string | null): void => {
    if (error !== null) errors[error] = (errors[error] ?? 0) + 1
    settled += 1
    if (settled === total) done.resolve()
  }
  const send = (): void => {
    const nowMs = performance.now() - startMs
    while (due < total && due * periodMs <= nowMs) {
      lagsMs[due] = nowMs - due * periodMs
      due += 1
    }
    while (sent < due && idle.size() > 0) {
      const connection = idle.shift()
      const request = requests[sent]
      if (!connection || !request) break
      asked.set(connection, sent++)
      connection.send(request)
    }
  }
  const events = {
    onAnswer(connection: RawConnection, answer: RawAnswer): void {
      const index = asked.get(connection) ?? 0
      lastMs = performance.now() - startMs
      latenciesMs[index] = lastMs - index * periodMs
      answered += 1
      settle(faultOf(answer, bodyBytes))
      idle.push(connection)
      send()
    },
    onBreak: (_: RawConnection, why: string): void => settle(why),
  }
  const opened = await Promise.all(Array.from({ length: connections }, () => openRawConnection({ port, events })))
  for (const connection of opened) idle.push(connection)
  startMs = performance.now()
  const ticks = setInterval(send, TICK_MS)
  const patience = setTimeout(() => done.resolve(), total * periodMs + options.patienceMs)
  await done.promise
  clearInterval(ticks)
  clearTimeout(patience)
  for (const connection of opened) connection.close()
  if (settled < total) errors['unanswered'] = total - settled
  return {
    sent,
    ratePerSecond: (answered / lastMs) * 1_000,
    errors,
    ...toPercentiles(latenciesMs.subarray(warmUp)),
    lagP99Ms: percentile(lagsMs.subarray(warmUp).sort(), 0.99),
  }
}

function faultOf({ status, bodyBytes }: RawAnswer, expectedBytes: number): string | null {
  if (status !== 200) return String(status)
  return bodyBytes === expectedBytes ? null : `length ${bodyBytes}`
}

function drawRequests(options: FastLoopOptions, total: number): readonly Uint8Array[] {
  const { addressesFile, port, exponent, seed } = options
  const byRank = readFileSync(addressesFile, 'latin1')
    .split('\n')
    .filter(Boolean)
    .map((address) => toGetBytes(port, address))
  if (byRank.length === 0) throw new Error(`${addressesFile}: expected an address a line, got none`)
  const draw = { seed, requests: total, objects: byRank.length, exponent, scanEvery: 0, scanLength: 0 }
  return createTrace(draw).flatMap((rank) => byRank[rank] ?? [])
}

function toPercentiles(latenciesMs: Float64Array): Pick<FastLoopResult, 'p50Ms' | 'p99Ms' | 'p999Ms' | 'maxMs'> {
  const sorted = latenciesMs.sort()
  return {
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    maxMs: percentile(sorted, 1),
  }
}

function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0
}

/** First in, first out, never more than `size` of them: every connection has its turn. */
function createRing<T>(size: number): { push(value: T): void; shift(): T | undefined; size(): number } {
  const places = new Array<T | undefined>(size)
  let first = 0
  let count = 0
  return {
    push(value) {
      places[(first + count++) % size] = value
    },
    shift() {
      const value = places[first]
      places[first] = undefined
      first = (first + 1) % size
      count -= 1
      return value
    },
    size: () => count,
  }
}

if (import.meta.main)
  // Our own `open-loop-process.ts` wrote it.
  for await (const line of console) console.log(JSON.stringify(await runFastLoop(JSON.parse(line) as FastLoopOptions)))
