import { join } from 'node:path'
import { describeError } from '../src/kernel/index.ts'
import { cpuSecondsOf } from './edge-cpu.ts'
import { median } from './edge-median.ts'
import { type Origin, toOriginPath } from './edge-origin.ts'
import { runWrkGets } from './edge-wrk.ts'
import type { Running } from './peers/server.ts'
import { tentpole } from './peers/tentpole.ts'
import type { BenchMissing, BenchResult, BenchRow } from './report.ts'

/** What is stored already, from memory, as fast as a closed loop can ask. Ours checks a signature each time, theirs none. */
export type HitLoad = {
  readonly metric: string
  readonly sizeBytes: number
  readonly range?: { readonly field: string; readonly bytes: number }
  readonly unit: 'req/s' | 'MB/s'
  /** Before the first round: what a compiler needs until it has made the server's code as fast as it gets. */
  readonly warmUpSeconds: number
  readonly seconds: number
}
export const HIT_LOADS: readonly HitLoad[] = [
  { metric: 'hit-4k', sizeBytes: 4_096, unit: 'req/s', warmUpSeconds: 3, seconds: 0.7 },
  { metric: 'hit-1m', sizeBytes: 1_048_576, unit: 'MB/s', warmUpSeconds: 0.5, seconds: 0.4 },
  {
    ...{ metric: 'range-64k', sizeBytes: 1_048_576, range: { field: 'bytes=131072-196607', bytes: 65_536 } },
    ...{ unit: 'MB/s', warmUpSeconds: 0.5, seconds: 0.4 },
  },
]
const ROUNDS = 3
/** Different addresses of one object, asked for in turn: on our side each has a token of its own. */
const VIEWERS = 1_000
const STORE_TRIES = 5

/** Of one round; the shares are of one core. */
export type HitFigures = {
  readonly 'req-per-second': number
  readonly 'mb-per-second': number
  readonly 'mb-per-cpu-second': number
  readonly 'req-per-cpu-second': number
  readonly 'server-cpu-share': number
  readonly 'generator-cpu-share': number
}

type HitOptions = {
  readonly load: HitLoad
  readonly origin: Origin
  readonly directory: string
  readonly seconds: number
}

/** In turn, so that whatever else the machine does meets them all. Whose answers are not right is out, and the others are measured. */
export async function compareHits(
  options: HitOptions & { readonly servers: readonly Running[] },
): Promise<BenchResult> {
  const { load, servers } = options
  const rounds = new Map<string, HitFigures[]>(servers.map(({ name }) => [name, []]))
  const faults = new Map<string, string>()
  const attempt = async (server: Running, act: () => Promise<unknown>): Promise<void> => {
    if (faults.has(server.name)) return
    await act().catch((error: unknown) => faults.set(server.name, `${server.name}: ${describeError(error)}`))
  }
  for (const server of servers) {
    await attempt(server, () => checkHit({ ...options, server }))
    await attempt(server, () => saturate({ ...options, server, seconds: load.warmUpSeconds }))
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const server of servers)
      await attempt(server, async () => rounds.get(server.name)?.push(await saturate({ ...options, server })))
  return toHitRows(load, rounds, faults)
}

/** Ours beside each of the others that went through without a fault, each the median of its rounds. */
export function toHitRows(
  { metric, unit }: Pick<HitLoad, 'metric' | 'unit'>,
  rounds: ReadonlyMap<string, readonly HitFigures[]>,
  faults: ReadonlyMap<string, string>,
): BenchResult {
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const own = toMedians(rounds.get(tentpole.name) ?? [])
  const figure = unit === 'req/s' ? 'req-per-second' : 'mb-per-second'
  for (const [peer, figures] of rounds) {
    if (peer === tentpole.name) continue
    const why = rounds.has(tentpole.name)
      ? (faults.get(tentpole.name) ?? faults.get(peer))
      : `${tentpole.name} did not start`
    if (why !== undefined) {
      missing.push({ metric: `${metric} beside ${peer}`, why })
      continue
    }
    const other = toMedians(figures)
    const their = Object.fromEntries(Object.entries(other).map(([name, value]) => [`their-${name}`, value]))
    const [ours, theirs] = [own[figure], other[figure]]
    rows.push({ metric, ours, unit, peer, theirs, ratio: ours / theirs, detail: { ...own, ...their } })
  }
  return { rows, missing }
}

function toMedians(rounds: readonly HitFigures[]): HitFigures {
  const of = (figure: keyof HitFigures): number => median(rounds.map((round) => round[figure]))
  return {
    'req-per-second': of('req-per-second'),
    'mb-per-second': of('mb-per-second'),
    'mb-per-cpu-second': of('mb-per-cpu-second'),
    'req-per-cpu-second': of('req-per-cpu-second'),
    'server-cpu-share': of('server-cpu-share'),
    'generator-cpu-share': of('generator-cpu-share'),
  }
}

/** What is going to be asked for is stored, and answered with the status and the length it has to have. */
export async function checkHit({ load, server, origin }: HitOptions & { readonly server: Running }): Promise<void> {
  const path = toOriginPath('films', load.sizeBytes, 'hit')
  const ask = async (headers: Record<string, string>): Promise<{ status: number; bytes: number; fetched: number }> => {
    const before = origin.fetches(path)
    const response = await fetch(`http://127.0.0.1:${server.port}${server.address(path, 0)}`, { headers })
    const { byteLength } = await response.bytes()
    return { status: response.status, bytes: byteLength, fetched: origin.fetches(path) - before }
  }
  let whole = await ask({})
  for (let tries = 1; whole.fetched > 0 && tries < STORE_TRIES; tries++) whole = await ask({})
  const got = load.range === undefined ? whole : await ask({ range: load.range.field })
  const expected = { status: load.range ? 206 : 200, bytes: load.range?.bytes ?? load.sizeBytes, fetched: 0 }
  if (!Bun.deepEquals(got, expected))
    throw new Error(`${load.metric}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
}

/** Saturates one server, or wrk. Throws when any request failed, or went to the origin. */
export async function saturate(options: HitOptions & { readonly server: Running }): Promise<HitFigures> {
  const { load, server, origin, directory, seconds } = options
  const path = toOriginPath('films', load.sizeBytes, 'hit')
  const fetches = origin.fetches(path)
  const cpuBefore = cpuSecondsOf(server.pid)
  const count = await runWrkGets({
    port: server.port,
    addresses: Array.from({ length: VIEWERS }, (_, viewer) => server.address(path, viewer)),
    range: load.range?.field,
    seconds,
    script: join(directory, `${load.metric}-${server.name}.lua`),
  })
  const cpuSeconds = cpuSecondsOf(server.pid) - cpuBefore
  const missed = origin.fetches(path) - fetches
  if (missed > 0) throw new Error(`${load.metric}: expected hits alone, got ${missed} requests at the origin`)
  return {
    'req-per-second': count.requests / count.seconds,
    'mb-per-second': count.bytes / 1e6 / count.seconds,
    'mb-per-cpu-second': count.bytes / 1e6 / cpuSeconds,
    'req-per-cpu-second': count.requests / cpuSeconds,
    'server-cpu-share': cpuSeconds / count.seconds,
    'generator-cpu-share': count.cpuSeconds / count.seconds,
  }
}
