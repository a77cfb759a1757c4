/** What a piece costs beside its bytes: an array slot and two objects. Keeps a body of single bytes within the bound. */
const CHUNK_OVERHEAD_BYTES = 160

/** The last pieces of one body, shared by its readers. Pieces are numbered from 0 and dropped from the front only. */
export type ChunkWindow = {
  /** The piece, or why there is none: `dropped` for what is gone, `ahead` for what has not come. */
  at(sequence: number): Uint8Array | 'dropped' | 'ahead'
  append(chunk: Uint8Array): void
  /** Whether a reader could still begin at the first byte. */
  isWhole(): boolean
  /** Drops the pieces before `sequence`. */
  dropBefore(sequence: number): void
  clear(): void
  accountedBytes(): number
}

/** All windows of one process under one bound: a new piece makes the largest window shed its oldest ones. */
export type WindowPool = {
  open(): ChunkWindow
  accountedBytes(): number
}

type Slot = { chunks: Uint8Array[]; first: number; bytes: number }

/** `windowBytes` for one body, `poolBytes` for all together; both are never exceeded, accounted with overhead. */
export function createWindowPool(options: { readonly windowBytes: number; readonly poolBytes: number }): WindowPool {
  const slots = new Set<Slot>()
  let pooledBytes = 0

  const shed = (slot: Slot): void => {
    const chunk = slot.chunks.shift()
    if (!chunk) return
    slot.first += 1
    slot.bytes -= costOf(chunk)
    pooledBytes -= costOf(chunk)
    if (slot.chunks.length === 0) slots.delete(slot)
  }
  const largest = (): Slot | null => {
    let found: Slot | null = null
    for (const slot of slots) if (!found || slot.bytes > found.bytes) found = slot
    return found
  }
  const shedPool = (): void => {
    while (pooledBytes > options.poolBytes) {
      const slot = largest()
      if (!slot) return
      shed(slot)
    }
  }

  const open = (): ChunkWindow => {
    const slot: Slot = { chunks: [], first: 0, bytes: 0 }
    return {
      at(sequence) {
        if (sequence < slot.first) return 'dropped'
        return slot.chunks[sequence - slot.first] ?? 'ahead'
      },
      append(chunk) {
        const owned = ownBytes(chunk)
        slot.chunks.push(owned)
        slot.bytes += costOf(owned)
        pooledBytes += costOf(owned)
        slots.add(slot)
        while (slot.bytes > options.windowBytes) shed(slot)
        shedPool()
      },
      isWhole: () => slot.first === 0,
      dropBefore(sequence) {
        while (slot.first < sequence && slot.chunks.length > 0) shed(slot)
      },
      clear() {
        while (slot.chunks.length > 0) shed(slot)
      },
      accountedBytes: () => slot.bytes,
    }
  }
  return { open, accountedBytes: () => pooledBytes }
}

const costOf = (chunk: Uint8Array): number => chunk.byteLength + CHUNK_OVERHEAD_BYTES

/** A small view keeps the whole of what it was cut from alive: copied, so that what is accounted is what is held. */
function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength * 2 < chunk.buffer.byteLength ? new Uint8Array(chunk) : chunk
}
