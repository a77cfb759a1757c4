import type { BenchRow } from './report.ts'

/** Rows of one metric: ours beside each peer's, each the median of its rounds. */
export function toRows(options: {
  readonly metric: string
  readonly unit: string
  readonly ours: string
  readonly figures: ReadonlyMap<string, readonly number[]>
}): BenchRow[] {
  const { metric, unit, figures } = options
  const own = figures.get(options.ours)
  if (!own) return []
  const ours = median(own)
  return [...figures]
    .filter(([name]) => name !== options.ours)
    .map(([peer, values]) => {
      const theirs = median(values)
      return { metric, ours, unit, peer, theirs, ratio: ours / theirs }
    })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const upper = Math.floor(sorted.length / 2)
  const high = sorted[upper] ?? 0
  return sorted.length % 2 === 1 ? high : (high + (sorted[upper - 1] ?? high)) / 2
}
