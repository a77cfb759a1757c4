/**
 * The keys that weigh most, in a sketch of fixed size: Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation
 * of frequent and top-k elements in data streams", 2005). A key that is not among the counters takes over the smallest,
 * weight and all, and keeps that weight as its possible error. After a weight of N in all with m counters: no error is
 * above N/m, every key of more than N/m is there, and the true weight lies between what is told less its error, and that.
 */
export type TopKey = {
  readonly key: string
  /** What the sketch is ordered `by` is never too few; the others are counted since this key last entered it. */
  readonly requests: number
  readonly bytes: number
  readonly hits: number
  readonly stale: number
  readonly misses: number
  /** By how much the figure that the sketch is ordered by may be too many. */
  readonly errorMax: number
}

/** From where an answer's content came; null when that is not for a cache to say. */
export type TopOutcome = 'hits' | 'stale' | 'misses' | null

export type TopKeys = {
  /** `times` such requests of `bytes` each: of who counts only one in so many. */
  count(key: string, bytes: number, outcome: TopOutcome, times?: number): void
  /** The `n` first. */
  top(n: number): TopKey[]
}

type Counter = { -readonly [name in keyof TopKey]: TopKey[name] } & { place: number }

/** `keysMax` counters in a binary heap, the smallest on top: a request costs a lookup and, rarely, log2(keysMax) swaps. */
export const createTopKeys = ({
  keysMax,
  by = 'requests',
}: {
  readonly keysMax: number
  readonly by?: 'requests' | 'bytes'
}): TopKeys => {
  if (!Number.isSafeInteger(keysMax) || keysMax < 1) {
    throw new RangeError(`top keys: expected keysMax to be a whole number above 0, got ${keysMax}; give a larger one`)
  }
  const counters = new Map<string, Counter>()
  const heap: Counter[] = []

  const put = (counter: Counter, place: number): void => {
    heap[place] = counter
    counter.place = place
  }

  const smallerChild = (place: number): Counter | undefined => {
    const left = heap[2 * place + 1]
    const right = heap[2 * place + 2]
    return left !== undefined && right !== undefined && right[by] < left[by] ? right : left
  }

  /** A counter that grew goes down past the smaller ones. */
  const sink = (counter: Counter): void => {
    for (let child = smallerChild(counter.place); child !== undefined; child = smallerChild(counter.place)) {
      if (child[by] >= counter[by]) return
      const place = counter.place
      put(counter, child.place)
      put(child, place)
    }
  }

  /** A new counter goes up in front of larger ones. */
  const rise = (counter: Counter): void => {
    for (;;) {
      const parent = heap[(counter.place - 1) >>> 1]
      if (counter.place === 0 || parent === undefined || parent[by] <= counter[by]) return
      const place = counter.place
      put(counter, parent.place)
      put(parent, place)
    }
  }

  const enter = (key: string): Counter => {
    const counter = { key, requests: 0, bytes: 0, hits: 0, stale: 0, misses: 0, errorMax: 0, place: heap.length }
    counters.set(key, counter)
    heap.push(counter)
    rise(counter)
    return counter
  }

  const takeOver = (counter: Counter, key: string): Counter => {
    counters.delete(counter.key)
    counter.key = key
    counter.errorMax = counter[by]
    counter.requests = by === 'requests' ? counter.errorMax : 0
    counter.bytes = by === 'bytes' ? counter.errorMax : 0
    counter.hits = 0
    counter.stale = 0
    counter.misses = 0
    counters.set(key, counter)
    return counter
  }

  const count = (key: string, bytes: number, outcome: TopOutcome, times: number = 1): void => {
    let counter = counters.get(key)
    if (counter === undefined) {
      const smallest = heap[0]
      // What weighs nothing takes nobody's place.
      if (by === 'bytes' && bytes === 0) return
      counter = smallest !== undefined && heap.length >= keysMax ? takeOver(smallest, key) : enter(key)
    }
    counter.requests += times
    counter.bytes += bytes * times
    if (outcome !== null) counter[outcome] += times
    sink(counter)
  }

  const top = (n: number): TopKey[] =>
    [...heap]
      .sort((left, right) => right[by] - left[by] || (left.key < right.key ? -1 : 1))
      .slice(0, n)
      .map(({ place: _, ...counter }) => counter)

  return { count, top }
}
