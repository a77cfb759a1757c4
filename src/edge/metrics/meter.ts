import {
  CACHE_OUTCOMES,
  type CacheOutcome,
  COUNTED_METHODS,
  DURATION_BOUNDS_S,
  type EdgeMetrics,
  STATUS_CLASSES,
} from '../../contracts/index.ts'
import { type Clock, type Limits, type MetricLabels, toPrometheusText } from '../../kernel/index.ts'
import type { TopOutcome } from '../memory/index.ts'
import type { AnswerReport, Exchange } from '../server/message.ts'
import { toEdgeFamilies } from './families.ts'
import { type MeterSources, readSources } from './sources.ts'
import { createTallies } from './tallies.ts'
import { createTopObjects } from './top-objects.ts'

export type EdgeMeter = {
  /** To be given to the server as `onExchange`. Costs less than a microsecond. */
  record(exchange: Exchange): void
  snapshot(): EdgeMetrics
  /** The same in Prometheus' text format; `labels` are put on every sample. */
  prometheus(labels: MetricLabels): string
}

export type EdgeMeterOptions = {
  readonly clock: Clock
  readonly limits: Pick<Limits, 'meterObjectsMax' | 'meterObjectsPerSecondMax' | 'meterTagsMax'>
  /** Asked when a snapshot is taken. */
  readonly sources?: MeterSources
  /** In [0, 1). */
  readonly random?: () => number
}

/** Objects of the sketches that a snapshot tells. */
const TOP_TOLD = 50
/** As many as a configuration may have. */
const CELLS_MAX = 64

const METHODS = COUNTED_METHODS.length
const STATUSES = STATUS_CLASSES.length
const BUCKETS = DURATION_BOUNDS_S.length + 1
const BOUNDS_MS: readonly number[] = DURATION_BOUNDS_S.map((seconds) => seconds * 1000)
const NO_REPORT: AnswerReport = { cache: 'none', key: null, tags: [], cell: null }

const CACHE_INDEX: Readonly<Record<CacheOutcome, number>> = {
  hit: 0,
  stale: 1,
  revalidated: 2,
  miss: 3,
  collapsed: 4,
  bypass: 5,
  none: 6,
}
const TOP_OUTCOMES: readonly TopOutcome[] = ['hits', 'stale', 'hits', 'misses', 'misses', null, null]

/**
 * Counts what the edge answers. Plain counters and sketches of fixed size, so that it costs the same on the busiest
 * night; neither tokens nor client addresses nor queries enter any of them.
 */
export function createEdgeMeter(options: EdgeMeterOptions): EdgeMeter {
  const { clock, limits, sources = {}, random = Math.random } = options
  const startedAtMs = clock.nowMs()
  const requests = new Float64Array(CACHE_OUTCOMES.length * METHODS * STATUSES)
  const bytesOf = new Float64Array(CACHE_OUTCOMES.length)
  const durationSumMs = new Float64Array(CACHE_OUTCOMES.length)
  const durations = new Float64Array(CACHE_OUTCOMES.length * BUCKETS)
  const cells = createTallies({ namesMax: CELLS_MAX })
  const tags = createTallies({ namesMax: limits.meterTagsMax })
  const objects = createTopObjects({ clock, limits, random })
  let incomplete = 0

  const countNames = ({ key, tags: names, cell }: AnswerReport, bytes: number, outcome: TopOutcome): void => {
    if (cell !== null) cells.count(cell, bytes, outcome)
    for (const name of names) tags.count(name, bytes, outcome)
    if (key !== null) objects.count(key, bytes, outcome)
  }

  const snapshot = (): EdgeMetrics => ({
    startedAtMs,
    requests: listRequests(requests),
    incomplete,
    outcomes: CACHE_OUTCOMES.map((cache, at) => ({
      cache,
      bytes: bytesOf[at] ?? 0,
      durationSumS: (durationSumMs[at] ?? 0) / 1000,
      durationCounts: [...durations.subarray(at * BUCKETS, (at + 1) * BUCKETS)],
    })),
    cells: cells.list(),
    tags: tags.list(),
    topByRequests: objects.byRequests(TOP_TOLD),
    topByBytes: objects.byBytes(TOP_TOLD),
    ...readSources(sources),
  })

  return {
    record({ request, answer, bytes, durationMs, complete }) {
      const report = answer.report ?? NO_REPORT
      const cache = CACHE_INDEX[report.cache]
      const at = (cache * METHODS + methodIndex(request.method)) * STATUSES + statusIndex(answer.status)
      requests[at] = (requests[at] ?? 0) + 1
      bytesOf[cache] = (bytesOf[cache] ?? 0) + bytes
      durationSumMs[cache] = (durationSumMs[cache] ?? 0) + durationMs
      const bucket = cache * BUCKETS + bucketIndex(durationMs)
      durations[bucket] = (durations[bucket] ?? 0) + 1
      if (!complete) incomplete += 1
      countNames(report, bytes, TOP_OUTCOMES[cache] ?? null)
    },
    snapshot,
    prometheus: (labels) => toPrometheusText(toEdgeFamilies(snapshot(), labels)),
  }
}

/** Names are case-sensitive (RFC 9110, 9.1). */
function methodIndex(method: string): number {
  if (method === 'GET') return 0
  const at = (COUNTED_METHODS as readonly string[]).indexOf(method)
  return at < 0 ? METHODS - 1 : at
}

function statusIndex(status: number): number {
  const first = Math.floor(status / 100)
  return first >= 1 && first <= 5 ? first - 1 : STATUSES - 1
}

function bucketIndex(durationMs: number): number {
  let at = 0
  while (at < BOUNDS_MS.length && durationMs > (BOUNDS_MS[at] ?? Infinity)) at += 1
  return at
}

function listRequests(counts: Float64Array): EdgeMetrics['requests'] {
  return CACHE_OUTCOMES.flatMap((cache, cacheAt) =>
    COUNTED_METHODS.flatMap((method, methodAt) =>
      STATUS_CLASSES.flatMap((status, statusAt) => {
        const count = counts[(cacheAt * METHODS + methodAt) * STATUSES + statusAt] ?? 0
        return count === 0 ? [] : [{ cache, method, status, count }]
      }),
    ),
  )
}
