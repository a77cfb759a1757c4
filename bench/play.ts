import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStoreClient } from '../src/engines/store/index.ts'
import { DEFAULT_LIMITS, describeError, silentLogger } from '../src/kernel/index.ts'
import { layoutOf } from '../src/roles/layout.ts'
import { eventually, makeFilm, type Platform, startPlatform } from '../test/e2e/platform.ts'
import { measureFirstFrames } from './first-frame.ts'
import { runGeneratorProcess } from './generator.ts'
import type { OpenLoopOptions, OpenLoopResult } from './open-loop.ts'
import type { Bench, BenchMissing, BenchOptions, BenchRow } from './report.ts'
import { findLostSessions } from './sessions.ts'
import { writeTokens } from './tokens.ts'
import { runWrk } from './wrk.ts'

const TOKENS = 100_000
const RATE_PER_SECOND = 10_000
const WRK_CONNECTIONS = 256
const OPEN_LOOP_CONNECTIONS = 256
const OPEN_LOOP_WARM_UP_MS = 3_000
const CELL = 'b'
const COUNTRY = 'DE'

/** Seconds of each part: `[default, --full]`. */
const SECONDS = { cold: [3, 5], warm: [6, 15], saturated: [6, 20], openLoop: [8, 60], killed: [2, 4] } as const
const FRAMES = 10
const WARM_ROUNDS_MAX = 10
const KILL_AFTER_MS = 1_000
const KILLED_RATE_PER_SECOND = 3_000

type Bed = {
  readonly platform: Platform
  readonly port: number
  readonly titleId: string
  readonly directory: string
  readonly tokensFile: string
  readonly journalFile: string
  seconds(part: keyof typeof SECONDS): number
  readonly say: BenchOptions['say']
}

/** Press play: how many a second, how late, how soon a picture; and whether what was acknowledged is there after a kill -9. */
export const runPlay: Bench = async ({ full, say }) => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-bench-'))
  say('starting a platform and publishing a film')
  const platform = await startPlatform()
  try {
    const titleId = await publishFilm(platform, directory)
    const bed: Bed = {
      platform,
      titleId,
      directory,
      port: Number(new URL(platform.watchUrl).port),
      tokensFile: join(directory, 'tokens'),
      journalFile: join(directory, 'journal'),
      seconds: (part) => SECONDS[part][full ? 1 : 0],
      say,
    }
    return await measure(bed)
  } finally {
    await platform.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(bed: Bed): Promise<{ rows: BenchRow[]; missing: BenchMissing[] }> {
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const attempt = async (metrics: readonly string[], part: () => Promise<BenchRow[]>): Promise<void> => {
    try {
      rows.push(...(await part()))
    } catch (error) {
      for (const metric of metrics) missing.push({ metric, why: describeError(error) })
    }
  }
  await attempt(['first-frame-ms'], () => firstFrames(bed))
  bed.say(`signing ${TOKENS} viewer tokens with the platform's own key`)
  writeTokens({
    viewerKeyFile: layoutOf(bed.platform.home).viewerKeyFile,
    file: bed.tokensFile,
    count: TOKENS,
    cell: CELL,
    country: COUNTRY,
  })
  await attempt(['playback-cold-rps', 'playback-rps'], () => saturate(bed))
  await attempt(['playback-p99-ms'], () => openLoop(bed))
  await attempt(['sessions-lost'], () => killAndFind(bed))
  return { rows, missing }
}

async function publishFilm(platform: Platform, directory: string): Promise<string> {
  const film = await makeFilm(join(directory, 'film.mp4'), { seconds: 12, size: '854x480' })
  const { exitCode, stdout, stderr } = await platform.cli('publish', film, '--title', 'Bench', '--json')
  if (exitCode !== 0) throw new Error(`publishing the film ended with ${exitCode}: ${stderr}${stdout}`)
  const titleId = /"titleId":"([0-9a-z]{16})"/.exec(stdout)?.[1]
  if (titleId === undefined) throw new Error(`publishing named no title: ${stdout}`)
  return titleId
}

async function firstFrames({ platform, titleId, say }: Bed): Promise<BenchRow[]> {
  say(`click to first frame, ${FRAMES} times`)
  const { samplesMs, medianMs } = await measureFirstFrames({ watchUrl: platform.watchUrl, titleId, count: FRAMES })
  const detail = { min: Math.min(...samplesMs), max: Math.max(...samplesMs), samples: samplesMs.length }
  return [{ metric: 'first-frame-ms', ours: medianMs, unit: 'ms', detail }]
}

/** Cold: tokens the cell has never seen. Then all are shown once, and the same is measured as it is on a busy evening. */
async function saturate(bed: Bed): Promise<BenchRow[]> {
  const run = async (part: 'cold' | 'warm' | 'saturated', tokensFrom: number) => {
    bed.say(`wrk for ${bed.seconds(part)} s: ${part}`)
    const result = await runWrk({ ...bed, tokensFrom, seconds: bed.seconds(part), connections: WRK_CONNECTIONS })
    if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests failed (${part})`)
    return result
  }
  const cold = await run('cold', 0)
  let seen = cold.requests
  for (let round = 1; seen < TOKENS + WRK_CONNECTIONS; round++) {
    if (round > WARM_ROUNDS_MAX)
      throw new Error(`only ${seen} of ${TOKENS} tokens were seen in ${round - 1} warm-up runs`)
    seen += (await run('warm', seen % TOKENS)).requests
  }
  const saturated = await run('saturated', seen % TOKENS)
  const detail = { connections: WRK_CONNECTIONS, tokens: TOKENS }
  const coldDetail = { connections: WRK_CONNECTIONS, tokens: Math.min(TOKENS, cold.requests) }
  return [
    { metric: 'playback-cold-rps', ours: cold.requestsPerSecond, unit: 'req/s', detail: coldDetail },
    { metric: 'playback-rps', ours: saturated.requestsPerSecond, unit: 'req/s', detail },
  ]
}

async function openLoop(bed: Bed): Promise<BenchRow[]> {
  bed.say(`open loop at ${RATE_PER_SECOND}/s for ${bed.seconds('openLoop')} s`)
  const durationMs = bed.seconds('openLoop') * 1000
  const load = { ratePerSecond: RATE_PER_SECOND, durationMs, warmUpMs: OPEN_LOOP_WARM_UP_MS }
  const result = await runGenerator(bed, load).finished
  const failed = result.sent - result.acknowledged
  if (failed > 0) throw new Error(`${failed} of ${result.sent} requests failed: ${JSON.stringify(result.errors)}`)
  const { p50Ms: p50, p999Ms: p999, maxMs: max, ratePerSecond: rate } = result
  const detail = { p50, 'p99.9': p999, max, rate, requests: result.sent, errors: failed }
  return [{ metric: 'playback-p99-ms', ours: result.p99Ms, unit: 'ms', detail }]
}

/** Kills the cell under load; every session that was acknowledged, in this run and the one before, must be on the log. */
async function killAndFind(bed: Bed): Promise<BenchRow[]> {
  bed.say('kill -9 of the cell under load')
  const pid = await bed.platform.pidOf(`cell-${CELL}`)
  const durationMs = bed.seconds('killed') * 1000
  const generator = runGenerator(bed, { ratePerSecond: KILLED_RATE_PER_SECOND, durationMs, warmUpMs: 0 })
  await Bun.sleep(KILL_AFTER_MS)
  process.kill(pid, 'SIGKILL')
  const { acknowledged, sent } = await generator.finished
  await eventually('the cell to be back', async () => {
    const status = await bed.platform.status()
    return status.roles.some((role) => role.name === `cell-${CELL}` && role.state === 'healthy' && role.pid !== pid)
  })
  const { storeSocket } = layoutOf(bed.platform.home)
  const store = createStoreClient({ path: storeSocket, limits: DEFAULT_LIMITS, logger: silentLogger })
  try {
    const found = await findLostSessions(store.log, bed.journalFile)
    if (found.acknowledged === 0) throw new Error('no session was acknowledged, so nothing could be looked for')
    const detail = { acknowledged: found.acknowledged, 'refused-around-the-kill': sent - acknowledged }
    return [{ metric: 'sessions-lost', ours: found.lost.length, unit: 'sessions', detail }]
  } finally {
    await store.close()
  }
}

function runGenerator(
  bed: Pick<Bed, 'port' | 'tokensFile' | 'titleId' | 'journalFile'>,
  load: { ratePerSecond: number; durationMs: number; warmUpMs: number },
): { finished: Promise<OpenLoopResult> } {
  const options: OpenLoopOptions = {
    port: bed.port,
    tokensFile: bed.tokensFile,
    titleId: bed.titleId,
    journalFile: bed.journalFile,
    tokensFrom: 0,
    connections: OPEN_LOOP_CONNECTIONS,
    patienceMs: 10_000,
    ...load,
  }
  return { finished: spawnOpenLoop(options) }
}

export function spawnOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  return runGeneratorProcess<OpenLoopResult>('open-loop.ts', options)
}
