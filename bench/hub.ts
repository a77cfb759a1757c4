import { describeError } from '../src/kernel/index.ts'
import { measureClaim, measureDurable, measureLatency } from './hub-flow.ts'
import { measureMatching } from './hub-matching.ts'
import type { Bench, BenchMissing, BenchRow } from './report.ts'

/** In a burst: as many as stay in a core's cache, since a hub matches what it has just read. */
const EVENTS = 200
const BURSTS = 1_000
/** `--full` measures so many times as long. */
const FULL_TIMES = 5
const SUBSCRIPTIONS = 20
const PUBLISHERS = 8
const BATCH = 100
const AHEAD_MAX = 4_096
const WARM_UP_EVENTS = 30_000
const DURABLE = [
  ['durable-events', 'title', 120_000],
  ['durable-events-telemetry', 'played', 60_000],
] as const
const EVENTS_PER_SECOND = 2_000
const MEASURE_MS = 8_000
const WARM_UP_MS = 2_000
const CLAIM_BYTES = 30 * 1024 * 1024

/** Processes first, each alone: what this one holds in memory afterwards does not weigh on them. */
export const runHubBench: Bench = async ({ full, say }) => {
  const times = full ? FULL_TIMES : 1
  const rows: BenchRow[] = []
  const missing: BenchMissing[] = []
  const attempt = async (metric: string, part: () => Promise<BenchRow>): Promise<void> => {
    try {
      rows.push(await part())
    } catch (error) {
      missing.push({ metric, why: describeError(error) })
    }
  }
  for (const [metric, kind, count] of DURABLE)
    await attempt(metric, () => {
      say(`events of 1 KB (${kind}) in batches of ${BATCH}, through a store, to one subscription of ${SUBSCRIPTIONS}`)
      const [events, warmUp] = [count * times, WARM_UP_EVENTS]
      const load = {
        kind,
        events,
        warmUp,
        batch: BATCH,
        publishers: PUBLISHERS,
        aheadMax: AHEAD_MAX,
        subscriptions: SUBSCRIPTIONS,
      }
      return measureDurable(metric, load)
    })
  await attempt('publish-to-subscriber-p99-ms', () => {
    say(`single events, ${EVENTS_PER_SECOND} a second`)
    const measureMs = MEASURE_MS * times
    return measureLatency({
      perSecond: EVENTS_PER_SECOND,
      warmUpMs: WARM_UP_MS,
      measureMs,
      subscriptions: SUBSCRIPTIONS,
    })
  })
  await attempt('claim-check-30mb-mb', () => {
    say('a payload of 30 MB by claim check')
    return measureClaim({ bytes: CLAIM_BYTES })
  })
  rows.push(...measureMatching({ events: EVENTS, bursts: BURSTS * times, rules: [100, 1_000, 10_000], say }))
  return { rows, missing }
}
