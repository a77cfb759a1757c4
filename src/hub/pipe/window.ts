import { createQueue, type Queue } from '../../kernel/index.ts'

/** One record on its way through a pipe. */
export type WindowEntry = {
  readonly partition: number
  readonly offset: number
  /** Held by the record itself until all before it are settled, since records of one batch share their memory. */
  readonly recordBytes: number
  /** Loaded for it besides, until it is settled. */
  readonly loadedBytes: number
}

/**
 * What a pipe has taken from the log and not yet finished. A partition's position is the first offset not settled, so
 * that a slow key holds up the position, and what is taken after a crash, but not the other keys.
 */
export type Window = {
  /** False for what was taken before: the log may deliver it again while it is on its way. */
  take(entry: WindowEntry): boolean
  settle(entry: WindowEntry): void
  /** Whether there is room for one more: always for the first. */
  hasRoom(): boolean
  /** Records taken whose position has not passed. */
  size(): number
  /** The first offset not settled, per partition that anything was taken of. */
  positions(): ReadonlyMap<number, number>
  /** The offset after the last taken one, per partition. */
  taken(): ReadonlyMap<number, number>
}

type Lane = { readonly queue: Queue<WindowEntry>; readonly settled: Set<number> }

export function createWindow(bounds: { readonly recordsMax: number; readonly bytesMax: number }): Window {
  const lanes = new Map<number, Lane>()
  const positions = new Map<number, number>()
  const taken = new Map<number, number>()
  let size = 0
  let bytes = 0

  const laneOf = (partition: number): Lane => {
    const lane = lanes.get(partition) ?? { queue: createQueue<WindowEntry>(), settled: new Set<number>() }
    lanes.set(partition, lane)
    return lane
  }

  return {
    take(entry) {
      const { partition, offset } = entry
      if (offset < (taken.get(partition) ?? 0)) return false
      taken.set(partition, offset + 1)
      laneOf(partition).queue.push(entry)
      if (!positions.has(partition)) positions.set(partition, offset)
      size += 1
      bytes += entry.recordBytes + entry.loadedBytes
      return true
    },
    settle({ partition, offset, loadedBytes }) {
      const { queue, settled } = laneOf(partition)
      settled.add(offset)
      bytes -= loadedBytes
      for (let head = queue.first(); head && settled.delete(head.offset); head = queue.first()) {
        queue.shift()
        size -= 1
        bytes -= head.recordBytes
        positions.set(partition, queue.first()?.offset ?? head.offset + 1)
      }
    },
    hasRoom: () => size === 0 || (size < bounds.recordsMax && bytes < bounds.bytesMax),
    size: () => size,
    positions: () => positions,
    taken: () => taken,
  }
}
