/**
 * Keys in order, for finding all that begin with a prefix: sorted chunks in a sorted list, as the leaves of a B-tree.
 * Rejected: a trie of path segments. A request for a path of thousands of segments would cost thousands of nodes that
 * nobody accounts for; here a key costs a reference, whatever it looks like.
 */
export type SortedKeys = {
  /** Adds a key that is not there. */
  add(key: string): void
  remove(key: string): void
  /** The keys that begin with `prefix`, in order, `countMax` at most. */
  startingWith(prefix: string, countMax: number): string[]
  /** The first key that is not below `key`. */
  firstFrom(key: string): string | undefined
  /** Removes all keys that begin with `prefix`: time in proportion to them. */
  takeStartingWith(prefix: string): string[]
}

const CHUNK_KEYS_MAX = 512

/** The first index whose key is not below `key`. */
const lowerBound = (keys: readonly string[], key: string): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The chunk where `key` is or belongs: the last that begins at or below it, else the first. */
const chunkFor = (chunks: readonly string[][], key: string): number => {
  let low = 0
  let high = chunks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((chunks[middle]?.[0] ?? '') <= key) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** How many keys from `first` on begin with `prefix`. */
const runOf = (keys: readonly string[], first: number, prefix: string): number => {
  let at = first
  while (at < keys.length && keys[at]?.startsWith(prefix)) at++
  return at - first
}

export const createSortedKeys = (): SortedKeys => {
  const chunks: string[][] = []

  const add = (key: string): void => {
    const at = chunkFor(chunks, key)
    const chunk = chunks[at]
    if (chunk === undefined) {
      chunks.push([key])
      return
    }
    chunk.splice(lowerBound(chunk, key), 0, key)
    if (chunk.length > CHUNK_KEYS_MAX) chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1))
  }

  /** An empty chunk goes; a sparse one joins the next, so that chunks stay few. */
  const tidy = (at: number, chunk: string[]): void => {
    if (chunk.length === 0) {
      chunks.splice(at, 1)
      return
    }
    const next = chunks[at + 1]
    if (next === undefined || chunk.length + next.length > CHUNK_KEYS_MAX / 2) return
    chunk.push(...next)
    chunks.splice(at + 1, 1)
  }

  const remove = (key: string): void => {
    const at = chunkFor(chunks, key)
    const chunk = chunks[at]
    if (chunk === undefined) return
    const place = lowerBound(chunk, key)
    if (chunk[place] !== key) return
    chunk.splice(place, 1)
    tidy(at, chunk)
  }

  const startingWith = (prefix: string, countMax: number): string[] => {
    const found: string[] = []
    for (let at = chunkFor(chunks, prefix); found.length < countMax; at++) {
      const chunk = chunks[at]
      if (chunk === undefined) break
      const first = lowerBound(chunk, prefix)
      const run = runOf(chunk, first, prefix)
      found.push(...chunk.slice(first, Math.min(first + run, first + countMax - found.length)))
      if (first + run < chunk.length) break
    }
    return found
  }

  const firstFrom = (key: string): string | undefined => {
    const at = chunkFor(chunks, key)
    const chunk = chunks[at]
    // Past the end of the chunk it belongs to, it is the first of the next.
    return chunk?.[lowerBound(chunk, key)] ?? chunks[at + 1]?.[0]
  }

  const takeStartingWith = (prefix: string): string[] => {
    const found: string[] = []
    const start = chunkFor(chunks, prefix)
    let at = start
    for (let chunk = chunks[at]; chunk !== undefined; chunk = chunks[++at]) {
      const first = lowerBound(chunk, prefix)
      const run = runOf(chunk, first, prefix)
      found.push(...chunk.splice(first, run))
      if (first < chunk.length) break
    }
    dropEmpty(start, at)
    return found
  }

  /** The emptied chunks of a range lie side by side. */
  const dropEmpty = (start: number, end: number): void => {
    const first = chunks[start]?.length === 0 ? start : start + 1
    const last = chunks[end]?.length === 0 ? end + 1 : end
    if (last > first) chunks.splice(first, last - first)
  }

  return { add, remove, startingWith, firstFrom, takeStartingWith }
}
