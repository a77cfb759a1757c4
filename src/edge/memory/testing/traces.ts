/** Requests as object numbers, made from a seed: Zipf popularity alone, and broken by scans of objects asked for once. */
export type TraceOptions = {
  readonly seed: number
  readonly requests: number
  readonly objects: number
  /** Popularity of rank r is r to the power of minus this. */
  readonly exponent: number
  /** Requests between two scans; 0 for none. */
  readonly scanEvery: number
  readonly scanLength: number
}

/** Mulberry32: numbers from 0 to below 1. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mix = Math.imul(state ^ (state >>> 15), state | 1)
    mix = (mix + Math.imul(mix ^ (mix >>> 7), mix | 61)) ^ mix
    return ((mix ^ (mix >>> 14)) >>> 0) / 2 ** 32
  }
}

const cumulativeZipf = (objects: number, exponent: number): Float64Array => {
  const sums = new Float64Array(objects)
  let sum = 0
  for (let rank = 0; rank < objects; rank++) {
    sum += (rank + 1) ** -exponent
    sums[rank] = sum
  }
  return sums
}

const firstAtLeast = (sums: Float64Array, value: number): number => {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

export const createTrace = (options: TraceOptions): number[] => {
  const random = randomFrom(options.seed)
  const sums = cumulativeZipf(options.objects, options.exponent)
  const total = sums[sums.length - 1] ?? 0
  const trace: number[] = []
  let scanned = options.objects
  for (let popular = 1; trace.length < options.requests; popular++) {
    trace.push(firstAtLeast(sums, random() * total))
    if (options.scanEvery === 0 || popular % options.scanEvery !== 0) continue
    for (let at = 0; at < options.scanLength; at++) trace.push(scanned++)
  }
  return trace
}
