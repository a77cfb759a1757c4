/**
 * The keys asked for most, in a sketch of fixed size: Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation
 * of frequent and top-k elements in data streams", 2005). A key that is not among the counters takes over the smallest,
 * count and all, and keeps that count as its possible error. After N requests with m counters: no error is above N/m,
 * every key with more than N/m requests is there, and the true count lies between requests - error and requests.
 */
export type TopKey = {
  readonly key: string
  /** Never too few. */
  readonly requests: number
  /** By how many `requests` may be too many. */
  readonly requestsErrorMax: number
  /** Sent since this key last entered the sketch: a lower bound. */
  readonly bytes: number
}

export type TopKeys = {
  count(key: string, bytes: number): void
  /** The `n` first by requests. */
  top(n: number): TopKey[]
}

type Counter = { key: string; requests: number; requestsErrorMax: number; bytes: number; place: number }

/** `keysMax` counters in a binary heap, the smallest on top: a request costs a lookup and, rarely, log2(keysMax) swaps. */
export const createTopKeys = ({ keysMax }: { readonly keysMax: number }): TopKeys => {
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
    return left !== undefined && right !== undefined && right.requests < left.requests ? right : left
  }

  /** A counter that grew goes down past the smaller ones. */
  const sink = (counter: Counter): void => {
    for (let child = smallerChild(counter.place); child !== undefined; child = smallerChild(counter.place)) {
      if (child.requests >= counter.requests) return
      const place = counter.place
      put(counter, child.place)
      put(child, place)
    }
  }

  /** A new counter holds 1, and no counter holds less: in front of larger ones it goes up. */
  const rise = (counter: Counter): void => {
    for (;;) {
      const parent = heap[(counter.place - 1) >>> 1]
      if (counter.place === 0 || parent === undefined || parent.requests <= counter.requests) return
      const place = counter.place
      put(counter, parent.place)
      put(parent, place)
    }
  }

  const enter = (key: string, bytes: number): void => {
    const counter = { key, requests: 1, requestsErrorMax: 0, bytes, place: heap.length }
    counters.set(key, counter)
    heap.push(counter)
    rise(counter)
  }

  const takeOver = (counter: Counter, key: string, bytes: number): void => {
    counters.delete(counter.key)
    counter.key = key
    counter.requestsErrorMax = counter.requests
    counter.requests += 1
    counter.bytes = bytes
    counters.set(key, counter)
    sink(counter)
  }

  const count = (key: string, bytes: number): void => {
    const counter = counters.get(key)
    const smallest = heap[0]
    if (counter !== undefined) {
      counter.requests += 1
      counter.bytes += bytes
      sink(counter)
    } else if (smallest !== undefined && heap.length >= keysMax) takeOver(smallest, key, bytes)
    else enter(key, bytes)
  }

  const top = (n: number): TopKey[] =>
    [...heap]
      .sort((left, right) => right.requests - left.requests || (left.key < right.key ? -1 : 1))
      .slice(0, n)
      .map(({ place: _, ...counter }) => counter)

  return { count, top }
}
