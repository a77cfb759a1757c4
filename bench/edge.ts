import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeError } from '../src/kernel/index.ts'
import { countCopies, fillBeyondBound } from './edge-accounts.ts'
import { COALESCE_METRIC, coalesce } from './edge-coalesce.ts'
import { compareHitRatios } from './edge-hit-ratio.ts'
import { compareHits, HIT_LOADS } from './edge-hits.ts'
import { compareLatency, LATENCY_LOAD } from './edge-latency.ts'
import { type Origin, startOrigin } from './edge-origin.ts'
import { nginx } from './peers/nginx.ts'
import { GENERATOR_CORE, type Peer } from './peers/server.ts'
import { startAll } from './peers/start-all.ts'
import { tentpole } from './peers/tentpole.ts'
import { varnish } from './peers/varnish.ts'
import type { Bench, BenchResult, BenchRow } from './report.ts'

const PEERS: readonly Peer[] = [tentpole, nginx, varnish]
/** `--full` measures so many times as long. */
const FULL_TIMES = 4
const HIT_MEMORY_MIB = 512
const CROWD = 1_000
const TOKENS = 100_000
const BOUND_MIB = 32
/** Memory, where Linux has a place for files in it: nobody's disk is measured. */
const SHARED_MEMORY = '/dev/shm'

/** Each part stands alone: one that fails is missing with its reason, and the others are measured. */
export const runEdgeBench: Bench = async ({ full, say }) => {
  const directory = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), 'tentpole-bench-'))
  const origin = await startOriginOnItsCore()
  const times = full ? FULL_TIMES : 1
  const place = { origin, directory }
  const load = { ...LATENCY_LOAD, durationMs: LATENCY_LOAD.durationMs * times }
  const parts: readonly [string, () => Promise<BenchResult>][] = [
    ['hits', () => measureHits({ ...place, times, say })],
    [LATENCY_LOAD.metric, () => compareLatency({ ...place, load, peers: [tentpole, nginx] })],
    ['tokens-100k-copies', async () => toResult(await countCopies({ ...place, tokens: TOKENS }))],
    ['bytes-over-bound', async () => toResult(await fillBeyondBound({ ...place, boundMib: BOUND_MIB }))],
    ['hit ratios', async () => toResult(...compareHitRatios())],
  ]
  const results: BenchResult[] = []
  try {
    for (const [name, measure] of parts) {
      say(name)
      results.push(await measure().catch((error: unknown) => toMissing(name, error)))
    }
  } finally {
    await origin.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  return toOne(results)
}

/** This process is the origin, so it goes where the generators are. */
async function startOriginOnItsCore(): Promise<Origin> {
  const [program = 'taskset', , core = '1'] = GENERATOR_CORE
  await Bun.spawn([program, '-acp', core, String(process.pid)], { stdout: 'ignore', stderr: 'ignore' }).exited
  return startOrigin()
}

async function measureHits(options: {
  readonly origin: Origin
  readonly directory: string
  readonly times: number
  readonly say: (message: string) => void
}): Promise<BenchResult> {
  const { origin, directory, times, say } = options
  const place = { originPort: origin.port, directory, memoryMib: HIT_MEMORY_MIB }
  const { servers, missing } = await startAll({ metric: 'hits', peers: PEERS, place })
  const results: BenchResult[] = [{ rows: [], missing }]
  try {
    for (const load of HIT_LOADS) {
      say(load.metric)
      const measured = compareHits({ load, servers, origin, directory, seconds: load.seconds * times })
      results.push(await measured.catch((error: unknown) => toMissing(load.metric, error)))
    }
    const edge = servers.find(({ name }) => name === tentpole.name)
    const crowd = edge ? coalesce(edge, origin, CROWD).then(toResult) : null
    if (crowd) results.push(await crowd.catch((error: unknown) => toMissing(COALESCE_METRIC, error)))
  } finally {
    for (const server of servers) await server.stop()
  }
  return toOne(results)
}

const toOne = (results: readonly BenchResult[]): BenchResult => ({
  rows: results.flatMap(({ rows }) => rows),
  missing: results.flatMap(({ missing }) => missing),
})
const toResult = (...rows: BenchRow[]): BenchResult => ({ rows, missing: [] })
const toMissing = (metric: string, error: unknown): BenchResult => ({
  rows: [],
  missing: [{ metric, why: describeError(error) }],
})
