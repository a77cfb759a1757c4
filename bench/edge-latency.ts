import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError } from '../src/kernel/index.ts'
import { askEach } from './closed-loop.ts'
import { cpuSecondsOf } from './edge-cpu.ts'
import { median } from './edge-median.ts'
import { type Origin, toOriginPath } from './edge-origin.ts'
import type { FastLoopOptions, FastLoopResult } from './open-loop-fast.ts'
import { type FastLoopProcess, startFastLoop } from './open-loop-process.ts'
import { GENERATOR_CORE, type Peer, type Running } from './peers/server.ts'
import { startAll } from './peers/start-all.ts'
import type { BenchMissing, BenchResult, BenchRow } from './report.ts'

/** An open loop over a Zipf-popular set of which each cache may keep half. */
export type LatencyLoad = {
  readonly metric: string
  readonly ratePerSecond: number
  /** Before the first round, and counted nowhere: what a compiler needs until it has made the server's code as fast as it gets. */
  readonly warmUpMs: number
  readonly durationMs: number
  readonly objects: number
  readonly rounds: number
}
export const LATENCY_LOAD: LatencyLoad = {
  metric: 'p99-20k-ms',
  ratePerSecond: 20_000,
  warmUpMs: 2_000,
  durationMs: 600,
  objects: 10_000,
  rounds: 3,
}
const OBJECT_BYTES = 4_096
const EXPONENT = 0.9
const CONNECTIONS = 128
const VIEWERS = 1_000
/** Of each round: connections open, caches of the processor fill. */
const RAMP_MS = 200
const FILLED_PART = 0.6
/** What a cache keeps beside a body of an object: its fields and what finds it. Ours accounts for 1,154 bytes of such an object. */
const AROUND_BYTES = 1_154
const MIB = 1_048_576
/** Beyond this the generator measured itself: that round counts for nothing. */
const LAG_P99_MS_MAX = 5
/** Of a server's rounds, so many must be valid. */
const VALID_ROUNDS_PART = 0.5

type Round = FastLoopResult & {
  readonly offload: number
  /** Of the server's processor, for each request: what the machine's other work moves least. */
  readonly cpuUs: number
}

export async function compareLatency(options: {
  readonly load: LatencyLoad
  /** The first is the one whose rows these are. */
  readonly peers: readonly Peer[]
  readonly origin: Origin
  readonly directory: string
}): Promise<BenchResult> {
  const { load, peers, origin, directory } = options
  const memoryMib = Math.max(1, Math.round((load.objects * (OBJECT_BYTES + AROUND_BYTES)) / 2 / MIB))
  const place = { originPort: origin.port, directory, memoryMib, objectsMax: load.objects / 2 }
  const { servers, missing } = await startAll({ metric: load.metric, peers, place })
  const rounds = new Map<string, Round[]>(servers.map(({ name }) => [name, []]))
  const faults = new Map<string, string>()
  let loop = startFastLoop(GENERATOR_CORE)
  const attempt = async (server: Running, act: () => Promise<unknown>): Promise<void> => {
    if (faults.has(server.name)) return
    await act().catch(async (error: unknown) => {
      faults.set(server.name, `${server.name}: ${describeError(error)}`)
      // Whose fault it was is not known: the others get one that is whole for certain.
      await loop.stop()
      loop = startFastLoop(GENERATOR_CORE)
    })
  }
  try {
    for (const server of servers) {
      await attempt(server, () => fill(server, { load, directory }))
      const durationMs = load.warmUpMs
      await attempt(server, () => measure(server, { load: { ...load, durationMs }, loop, origin, directory, seed: 0 }))
    }
    for (let round = 0; round < load.rounds; round++)
      for (const server of servers) {
        if (rounds.get(server.name)?.some(isFailed)) continue
        await attempt(server, async () =>
          rounds.get(server.name)?.push(await measure(server, { load, loop, origin, directory, seed: round + 1 })),
        )
      }
  } finally {
    await loop.stop()
    for (const server of servers) await server.stop()
  }
  const result = toLatencyRows({ load, subject: peers[0]?.name ?? '', rounds, faults })
  return { rows: result.rows, missing: [...missing, ...result.missing] }
}

/** What any cache here has room for and somewhat more, once each, the most popular last: it begins with what it would have kept. */
async function fill(server: Running, options: { load: LatencyLoad; directory: string }): Promise<void> {
  const { load, directory } = options
  const addresses = Array.from({ length: load.objects }, (_, rank) =>
    server.address(toOriginPath('films', OBJECT_BYTES, rank), rank % VIEWERS),
  )
  writeFileSync(addressesFileOf(server, directory), addresses.join('\n'))
  const popular = addresses.slice(0, Math.ceil(load.objects * FILLED_PART)).reverse()
  await askEach({ port: server.port, addresses: popular, connections: CONNECTIONS })
}

async function measure(
  server: Running,
  options: { load: LatencyLoad; loop: FastLoopProcess; origin: Origin; directory: string; seed: number },
): Promise<Round> {
  const { load, loop, origin, directory, seed } = options
  const before = origin.fetches()
  const cpuBefore = cpuSecondsOf(server.pid)
  const run: FastLoopOptions = {
    port: server.port,
    ratePerSecond: load.ratePerSecond,
    warmUpMs: RAMP_MS,
    durationMs: load.durationMs,
    connections: CONNECTIONS,
    addressesFile: addressesFileOf(server, directory),
    exponent: EXPONENT,
    seed,
    bodyBytes: OBJECT_BYTES,
    patienceMs: 3_000,
  }
  const result = await loop.run(run)
  const cpuUs = ((cpuSecondsOf(server.pid) - cpuBefore) * 1e6) / Math.max(1, result.sent)
  return { ...result, cpuUs, offload: 1 - (origin.fetches() - before) / Math.max(1, result.sent) }
}

function addressesFileOf({ name, port }: Running, directory: string): string {
  return join(directory, `latency-${name}-${port}.txt`)
}

/** What the rounds of all come to: a row for each peer, or why there is none. */
export function toLatencyRows(options: {
  readonly load: LatencyLoad
  readonly subject: string
  readonly rounds: ReadonlyMap<string, readonly Round[]>
  /** Why there are no more rounds of a server. */
  readonly faults: ReadonlyMap<string, string>
}): BenchResult {
  const { load, subject, rounds } = options
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const faults = new Map([...rounds].map(([name, each]) => [name, options.faults.get(name) ?? faultOf(name, each)]))
  for (const [peer, theirs] of rounds) {
    if (peer === subject) continue
    const why = rounds.has(subject) ? (faults.get(subject) ?? faults.get(peer)) : `${subject} did not start`
    if (why) missing.push({ metric: `${load.metric} beside ${peer}`, why })
    else rows.push(toRow(load, peer, { ours: rounds.get(subject) ?? [], theirs }))
  }
  return { rows, missing }
}

function faultOf(name: string, rounds: readonly Round[]): string | null {
  const failed = rounds.find(isFailed)
  if (failed) {
    const { ratePerSecond, errors, sent, p99Ms } = failed
    const reached = `${Math.round(ratePerSecond)}/s of what was due, p99 ${p99Ms.toFixed(0)} ms`
    return `${name}: a run with errors is a failed run: ${JSON.stringify(errors)} of ${sent} sent (it answered ${reached})`
  }
  if (validOf(rounds).length >= rounds.length * VALID_ROUNDS_PART) return null
  const lags = rounds.map(({ lagP99Ms }) => lagP99Ms.toFixed(1)).join(', ')
  return `${name}: the generator was late by itself (lag p99 ${lags} ms, expected at most ${LAG_P99_MS_MAX}): the machine is busy, run it again`
}

function isFailed({ errors }: Round): boolean {
  return Object.keys(errors).length > 0
}

function validOf(rounds: readonly Round[]): readonly Round[] {
  return rounds.filter(({ lagP99Ms }) => lagP99Ms <= LAG_P99_MS_MAX)
}

function toRow(
  load: LatencyLoad,
  peer: string,
  rounds: { readonly ours: readonly Round[]; readonly theirs: readonly Round[] },
): BenchRow {
  const mine = toMedians(rounds.ours)
  const other = toMedians(rounds.theirs)
  const { p99Ms: ours, ...detail } = mine
  const { p99Ms: theirs, ...theirDetail } = other
  const theirEntries = Object.entries(theirDetail).map(([name, value]) => [
    `their${name[0]?.toUpperCase()}${name.slice(1)}`,
    value,
  ])
  return {
    ...{ metric: load.metric, ours, unit: 'ms', peer, theirs, ratio: ours / theirs },
    detail: { ...detail, ...Object.fromEntries(theirEntries), errors: 0, zipfExponent: EXPONENT },
  }
}

const FIGURES = ['p50Ms', 'p99Ms', 'p999Ms', 'maxMs', 'ratePerSecond', 'offload', 'cpuUs', 'lagP99Ms'] as const

function toMedians(rounds: readonly Round[]): Record<(typeof FIGURES)[number], number> {
  const valid = validOf(rounds)
  const medianOf = (figure: (typeof FIGURES)[number]): number => median(valid.map((round) => round[figure]))
  return {
    p50Ms: medianOf('p50Ms'),
    p99Ms: medianOf('p99Ms'),
    p999Ms: medianOf('p999Ms'),
    maxMs: medianOf('maxMs'),
    ratePerSecond: medianOf('ratePerSecond'),
    offload: medianOf('offload'),
    cpuUs: medianOf('cpuUs'),
    lagP99Ms: medianOf('lagP99Ms'),
  }
}
