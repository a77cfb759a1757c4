import { describeError } from '../src/kernel/index.ts'
import { type ResponderOptions, spawnResponder } from '../src/storm/static-responder.ts'
import { runGeneratorProcess } from './generator.ts'
import type { Bench, BenchMissing, BenchRow } from './report.ts'
import type { GeneratorOptions, GeneratorResult } from './storm-generator.ts'

/** Above this a run of storm is not valid. */
const LAG_P99_MAX_MS = 5
/** Of what is due; the rest are those who are only just arriving at the end of a film. */
const KEPT_SHARE = 0.97
const FILM_MS = 300_000
/** Of picture and of sound: what a playing viewer asks for in the length of one. */
const TRACKS = 2

type Load = Pick<GeneratorOptions, 'viewers' | 'rampMs' | 'aheadMs'> &
  Pick<ResponderOptions, 'segmentMs' | 'segmentBytes'>

/** 32,000 requests a second are due: more than one process makes. */
const OVERLOAD: Load = { viewers: 1_000, rampMs: 4_000, aheadMs: 2_000, segmentMs: 62, segmentBytes: 4_096 }
/** Lengths of a segment, the shortest first, until one is kept: 16,000 requests a second down to 4,000. */
const ON_TIME_SEGMENT_MS = [125, 200, 320, 500] as const
/** A real film's: 4 s of 144 to 480 lines. */
const EVENING: Load = { viewers: 5_000, rampMs: 10_000, aheadMs: 10_000, segmentMs: 4_000, segmentBytes: 100_000 }

/** What one generator process can do, and what it weighs. */
export const runStormBench: Bench = async ({ full, say }) => {
  const measureMs = full ? 15_000 : 4_000
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const attempt = async (metric: string, part: () => Promise<GeneratorResult>): Promise<void> => {
    try {
      const result = await part()
      if (result.errors > 0) throw new Error(`${result.errors} requests failed`)
      rows.push(toRow(metric, result))
    } catch (error) {
      missing.push({ metric, why: describeError(error) })
    }
  }
  await attempt('generator-rps', () => {
    say('1,000 viewers who ask for more small segments than one process can')
    return measure(OVERLOAD, measureMs)
  })
  await attempt('generator-on-time-rps', () => findOnTime(measureMs, say))
  await attempt('viewers-5000-rss-mb', async () => {
    say('5,000 viewers who play a film of usual segments')
    const result = await measure(EVENING, measureMs)
    if (result.viewersPlaying >= 0.98 * EVENING.viewers) return result
    throw new Error(`only ${result.viewersPlaying} viewers were playing`)
  })
  return { rows, missing }
}

/** The highest rate at which the generator keeps its own clock. What is asked for follows from the viewers' buffers, not from the answers. */
async function findOnTime(measureMs: number, say: (message: string) => void): Promise<GeneratorResult> {
  const tried: string[] = []
  for (const segmentMs of ON_TIME_SEGMENT_MS) {
    const due = Math.round((OVERLOAD.viewers * TRACKS * 1_000) / segmentMs)
    say(`the same, ${due} a second`)
    const result = await measure({ ...OVERLOAD, segmentMs }, measureMs)
    const kept = result.lagP99Ms <= LAG_P99_MAX_MS && result.requestsPerSecond >= KEPT_SHARE * due
    if (kept) return result
    tried.push(`${due}: ${Math.round(result.requestsPerSecond)}/s, lag p99 ${result.lagP99Ms.toFixed(1)} ms`)
  }
  throw new Error(`the generator kept its clock at no rate: ${tried.join('; ')}`)
}

function toRow(metric: string, result: GeneratorResult): BenchRow {
  const { requestsPerSecond, rssBytesMax } = result
  const detail = {
    viewers: result.viewersPlaying,
    'req/s': requestsPerSecond,
    'MB/s': result.megabytesPerSecond,
    'rss-mb': rssBytesMax / 1e6,
    'lag-p99-ms': result.lagP99Ms,
    p50: result.p50Ms,
    p99: result.p99Ms,
    cpu: result.cpu,
    'cpu-kernel': result.cpuSystem,
    errors: result.errors,
  }
  return metric.endsWith('-mb')
    ? { metric, ours: rssBytesMax / 1e6, unit: 'MB', detail }
    : { metric, ours: requestsPerSecond, unit: 'req/s', detail }
}

async function measure(load: Load, measureMs: number): Promise<GeneratorResult> {
  const { viewers, rampMs, aheadMs, segmentMs, segmentBytes } = load
  const film: ResponderOptions = { titles: 20, filmMs: FILM_MS, segmentMs, segmentBytes }
  const responder = await spawnResponder(film)
  try {
    // A process of its own, so that its memory is the generator's alone.
    const options: GeneratorOptions = { port: responder.port, viewers, rampMs, aheadMs, measureMs }
    return await runGeneratorProcess<GeneratorResult>('storm-generator.ts', options)
  } finally {
    await responder.stop()
  }
}
