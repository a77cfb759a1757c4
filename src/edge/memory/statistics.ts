/** Counted since the tier was created, but for the last three, which are of now. */
export type MemoryStatistics = {
  /** `get` found a head, or did not. */
  readonly hits: number
  readonly misses: number
  /** `slice` found the bytes, or did not. */
  readonly sliceHits: number
  readonly sliceMisses: number
  /** Heads and slices stored; those left out (too large, too old a ticket, gone meanwhile); those evicted; those purged. */
  readonly admitted: number
  readonly refused: number
  readonly evicted: number
  readonly purged: number
  readonly entries: number
  readonly slices: number
  readonly bytes: number
}

export type Counters = { -readonly [name in keyof Omit<MemoryStatistics, 'entries' | 'bytes'>]: number }

export const createCounters = (): Counters => ({
  hits: 0,
  misses: 0,
  sliceHits: 0,
  sliceMisses: 0,
  admitted: 0,
  refused: 0,
  evicted: 0,
  purged: 0,
  slices: 0,
})
