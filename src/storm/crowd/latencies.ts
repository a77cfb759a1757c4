import { build } from 'hdr-histogram-js'

const MICROSECONDS = 1_000
const LONGEST_MS = 600_000

/** Latencies in ms, kept as an HDR histogram in µs: percentiles without averages, memory that does not grow. */
export type Latencies = {
  record(ms: number): void
  count(): number
  /** 0 when nothing was recorded. */
  at(percentile: number): number
  maxMs(): number
  reset(): void
}

/** `digits`: how many of a value's figures are exact. */
export function createLatencies(digits: 2 | 3 = 3): Latencies {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MS * MICROSECONDS,
    numberOfSignificantValueDigits: digits,
    // The runtime's own typed arrays are as fast, and start without compiling anything.
    useWebAssembly: false,
  })
  return {
    record(ms) {
      histogram.recordValue(Math.min(LONGEST_MS * MICROSECONDS, Math.max(1, Math.round(ms * MICROSECONDS))))
    },
    count: () => histogram.totalCount,
    at: (percentile) => (histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile) / MICROSECONDS),
    maxMs: () => (histogram.totalCount === 0 ? 0 : histogram.maxValue / MICROSECONDS),
    reset: () => histogram.reset(),
  }
}
