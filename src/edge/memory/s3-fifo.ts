/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes.
 * Three queues: what is new goes into `small`, a tenth of the room; what was used twice there moves to `main` when its
 * turn to leave comes; what was not is dropped and remembered in `ghost`, and enters `main` if it comes back. A scan
 * therefore passes through a tenth of the cache and leaves the rest alone. A use only raises a counter of two bits:
 * nothing moves on a hit.
 */
import { createFifo, type Fifo, type Queued } from './fifo.ts'
import { createGhost } from './ghost.ts'

export type S3FifoOptions<N> = {
  readonly bytesMax: number
  /** Told after a member has left its queue. It may remove other members, and must not add any. */
  readonly onEvict: (node: N) => void
}

/** Where a member stood, for one that takes its place. */
export type Standing = { readonly queue: 'small' | 'main' | null; readonly frequency: number }

export type S3Fifo<N> = {
  bytes(): number
  /** Evicts until `bytes` more fit. `bytes` is at most the bound. */
  makeRoom(bytes: number): void
  /** Queues a member that fits: call `makeRoom` first. */
  insert(node: N, standing?: Standing): void
  grow(node: N, bytes: number): void
  remove(node: N): void
}

const SMALL_SHARE = 0.1
const FREQUENCY_MAX = 3
/** Uses in the small queue that earn a place in the main one. */
const PROMOTING_FREQUENCY = 2

/** Counts a use. */
export const touch = (node: { frequency: number }): void => {
  if (node.frequency < FREQUENCY_MAX) node.frequency += 1
}

export const createS3Fifo = <N extends Queued<N>>({ bytesMax, onEvict }: S3FifoOptions<N>): S3Fifo<N> => {
  const small = createFifo<N>('small')
  const main = createFifo<N>('main')
  const smallBytesMax = bytesMax * SMALL_SHARE
  const ghost = createGhost(bytesMax - smallBytesMax)

  const queueOf = (node: N): Fifo<N> => (node.queue === 'main' ? main : small)

  const bytes = (): number => small.bytes() + main.bytes()

  /** The oldest of `small` leaves: promoted, or evicted and remembered. */
  const turnSmall = (node: N): void => {
    small.remove(node)
    if (node.frequency >= PROMOTING_FREQUENCY) {
      node.frequency = 0
      main.push(node)
      return
    }
    ghost.remember(node.hash, node.bytes)
    onEvict(node)
  }

  /** The oldest of `main` gets another round for each use, else is evicted: three rounds at most, so O(1) over time. */
  const turnMain = (node: N): void => {
    main.remove(node)
    if (node.frequency > 0) {
      node.frequency -= 1
      main.push(node)
      return
    }
    onEvict(node)
  }

  const turn = (): void => {
    const oldestSmall = small.oldest()
    const oldestMain = main.oldest()
    if (oldestSmall !== null && (small.bytes() > smallBytesMax || oldestMain === null)) turnSmall(oldestSmall)
    else if (oldestMain !== null) turnMain(oldestMain)
  }

  const makeRoom = (wanted: number): void => {
    while (bytes() + wanted > bytesMax && bytes() > 0) turn()
  }

  const insert = (node: N, standing?: Standing): void => {
    node.frequency = standing?.frequency ?? 0
    const returns = ghost.recall(node.hash)
    if (returns || standing?.queue === 'main') main.push(node)
    else small.push(node)
  }

  return {
    bytes,
    makeRoom,
    insert,
    grow: (node, by) => queueOf(node).grow(node, by),
    remove: (node) => queueOf(node).remove(node),
  }
}
