/** Ranges of numbers, ends included. Those around a value are found without looking at those that end before it or begin after it. */
export type Intervals<T> = {
  /** Sorted. */
  readonly lows: Float64Array
  readonly highs: Float64Array
  /** Read as a balanced tree over the sorted ranges: the highest end at or below each. */
  readonly highest: Float64Array
  readonly found: readonly T[]
}

export type Interval<T> = { readonly low: number; readonly high: number; readonly found: T }

export function createIntervals<T>(intervals: readonly Interval<T>[]): Intervals<T> {
  const sorted = [...intervals].sort((one, other) => one.low - other.low)
  const lows = Float64Array.from(sorted, ({ low }) => low)
  const highs = Float64Array.from(sorted, ({ high }) => high)
  const highest = new Float64Array(sorted.length)
  const raise = (from: number, to: number): number => {
    if (from >= to) return Number.NEGATIVE_INFINITY
    const middle = (from + to) >>> 1
    const below = Math.max(raise(from, middle), raise(middle + 1, to))
    const value = Math.max(below, highs[middle] ?? below)
    highest[middle] = value
    return value
  }
  raise(0, sorted.length)
  return { lows, highs, highest, found: sorted.map(({ found }) => found) }
}

export function findIntervals<T>(intervals: Intervals<T>, value: number, visit: (found: T) => void): void {
  findBetween(intervals, value, visit, 0, intervals.lows.length)
}

function findBetween<T>(
  intervals: Intervals<T>,
  value: number,
  visit: (found: T) => void,
  start: number,
  end: number,
): void {
  const { lows, highs, highest, found } = intervals
  let from = start
  let to = end
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((highest[middle] ?? value) < value) return
    if ((lows[middle] ?? value) > value) {
      to = middle
      continue
    }
    const each = found[middle]
    if (each !== undefined && (highs[middle] ?? value) >= value) visit(each)
    // Before what is here there may be some that reach the value; only then is it worth a call.
    const before = (from + middle) >>> 1
    if (from < middle && (highest[before] ?? value) >= value) findBetween(intervals, value, visit, from, middle)
    from = middle + 1
  }
}
