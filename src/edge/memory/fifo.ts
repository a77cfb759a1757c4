/** What a member of a queue carries. The links are in the member itself, so taking one out anywhere is O(1). */
export type Queued<N> = {
  /** What it is charged for. Changed only through `Fifo.grow` while it is queued. */
  bytes: number
  /** Identity for the ghost queue. */
  readonly hash: number
  /** Uses since it was queued, 0 to 3: two bits. */
  frequency: number
  queue: 'small' | 'main' | null
  newer: N | null
  older: N | null
}

/** First in, first out, counted in bytes. */
export type Fifo<N> = {
  bytes(): number
  oldest(): N | null
  push(node: N): void
  remove(node: N): void
  grow(node: N, bytes: number): void
}

export const createFifo = <N extends Queued<N>>(name: 'small' | 'main'): Fifo<N> => {
  let newest: N | null = null
  let oldest: N | null = null
  let bytes = 0

  const push = (node: N): void => {
    node.queue = name
    node.newer = null
    node.older = newest
    if (newest === null) oldest = node
    else newest.newer = node
    newest = node
    bytes += node.bytes
  }

  const remove = (node: N): void => {
    if (node.newer === null) newest = node.older
    else node.newer.older = node.older
    if (node.older === null) oldest = node.newer
    else node.older.newer = node.newer
    node.queue = null
    node.newer = null
    node.older = null
    bytes -= node.bytes
  }

  const grow = (node: N, by: number): void => {
    node.bytes += by
    bytes += by
  }

  return { bytes: () => bytes, oldest: () => oldest, push, remove, grow }
}
