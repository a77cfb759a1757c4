/**
 * The ghost queue of S3-FIFO: remembers by hash what lately left the small queue unused, never its bytes. A table of
 * fixed size rather than a queue, as in the paper's own implementation: an entry carries the sum of bytes remembered
 * when it came, and counts while less than `bytesMax` came after it.
 */
export type Ghost = {
  remember(hash: number, bytes: number): void
  /** True when it was remembered; it is forgotten by that. */
  recall(hash: number): boolean
}

/** Entries that share a place in the table; the oldest gives way. */
const WAYS = 4
/** The size of object the table is laid out for. Smaller ones are forgotten somewhat sooner. */
const EXPECTED_OBJECT_BYTES = 2_048
const BUCKETS_MIN = 64

const bucketsFor = (bytesMax: number): number =>
  Math.max(BUCKETS_MIN, 2 ** Math.ceil(Math.log2(Math.max(1, bytesMax / EXPECTED_OBJECT_BYTES / WAYS))))

export const createGhost = (bytesMax: number): Ghost => {
  const buckets = bucketsFor(bytesMax)
  const hashes = new Uint32Array(buckets * WAYS)
  /** 0 marks an empty place: the sum is above 0 from the first entry on. */
  const stamps = new Float64Array(buckets * WAYS)
  let sum = 0

  const firstOf = (hash: number): number => (hash % buckets) * WAYS

  const placeFor = (hash: number): number => {
    const first = firstOf(hash)
    let oldest = first
    for (let place = first; place < first + WAYS; place++) {
      if (hashes[place] === hash) return place
      if ((stamps[place] ?? 0) < (stamps[oldest] ?? 0)) oldest = place
    }
    return oldest
  }

  const remember = (hash: number, bytes: number): void => {
    sum += Math.max(1, bytes)
    const place = placeFor(hash)
    hashes[place] = hash
    stamps[place] = sum
  }

  const recall = (hash: number): boolean => {
    const place = placeFor(hash)
    const stamp = stamps[place] ?? 0
    if (hashes[place] !== hash || stamp === 0) return false
    stamps[place] = 0
    return sum - stamp < bytesMax
  }

  return { remember, recall }
}
