/** What a piece costs beside its bytes: array slots and an object. Keeps a body of single bytes within the bound. */
const CHUNK_OVERHEAD_BYTES = 160

/** The last pieces of one body, shared by its readers, found by where in the body they are, dropped from the front only. */
export type ChunkWindow = {
  /** From this byte to the end of its piece, or why there is nothing: `dropped` for what is gone, `ahead` for what has not come. */
  at(fromByte: number): Uint8Array | 'dropped' | 'ahead'
  append(chunk: Uint8Array): void
  /** Drops the pieces that end at this byte or before. */
  dropBefore(byte: number): void
  clear(): void
  /** So many of the last bytes are yet to be read by somebody; if they are nowhere else, others shed theirs first. */
  setNeed(needBytes: number, isNowhereElse: boolean): void
  /** Where what is kept begins: at 0, a reader can still be given all of it. */
  firstByte(): number
  /** How much has come. */
  endByte(): number
  accountedBytes(): number
}

/** All windows of one process under one bound: a new piece makes the largest window shed its oldest ones. */
export type WindowPool = {
  open(): ChunkWindow
  accountedBytes(): number
  /** More than half of it is yet to be read: nobody should read ahead. */
  isTight(): boolean
}

type Slot = {
  chunks: Uint8Array[]
  starts: number[]
  endByte: number
  bytes: number
  needBytes: number
  isNowhereElse: boolean
}

/** `windowBytes` for one body, `poolBytes` for all together; both are never exceeded, accounted with overhead. */
export function createWindowPool(options: { readonly windowBytes: number; readonly poolBytes: number }): WindowPool {
  const slots = new Set<Slot>()
  let pooledBytes = 0
  let neededBytes = 0

  const shed = (slot: Slot): void => {
    const chunk = slot.chunks.shift()
    if (!chunk) return
    slot.starts.shift()
    slot.bytes -= costOf(chunk)
    pooledBytes -= costOf(chunk)
    if (slot.chunks.length === 0) slots.delete(slot)
  }
  const largest = (isNowhereElse: boolean): Slot | null => {
    let found: Slot | null = null
    for (const slot of slots)
      if (slot.isNowhereElse === isNowhereElse && (!found || slot.bytes > found.bytes)) found = slot
    return found
  }
  const setNeed = (slot: Slot, needBytes: number, isNowhereElse: boolean): void => {
    neededBytes += needBytes - slot.needBytes
    slot.needBytes = needBytes
    slot.isNowhereElse = isNowhereElse
  }
  const shedPool = (): void => {
    while (pooledBytes > options.poolBytes) {
      const slot = largest(false) ?? largest(true)
      if (!slot) return
      shed(slot)
    }
  }

  const open = (): ChunkWindow => {
    const slot: Slot = { chunks: [], starts: [], endByte: 0, bytes: 0, needBytes: 0, isNowhereElse: false }
    const firstByte = (): number => slot.starts[0] ?? slot.endByte
    return {
      at(fromByte) {
        if (fromByte >= slot.endByte) return 'ahead'
        if (fromByte < firstByte()) return 'dropped'
        const index = indexOf(slot.starts, fromByte)
        const offset = fromByte - (slot.starts[index] ?? 0)
        const chunk = slot.chunks[index]
        if (!chunk) return 'dropped'
        return offset === 0 ? chunk : chunk.subarray(offset)
      },
      append(chunk) {
        if (chunk.byteLength === 0) return
        const owned = ownBytes(chunk)
        slot.chunks.push(owned)
        slot.starts.push(slot.endByte)
        slot.endByte += owned.byteLength
        slot.bytes += costOf(owned)
        pooledBytes += costOf(owned)
        slots.add(slot)
        while (slot.bytes > options.windowBytes) shed(slot)
        shedPool()
      },
      dropBefore(byte) {
        while (slot.chunks.length > 0 && (slot.starts[1] ?? slot.endByte) <= byte) shed(slot)
      },
      clear() {
        while (slot.chunks.length > 0) shed(slot)
        setNeed(slot, 0, false)
      },
      setNeed: (needBytes, isNowhereElse) => setNeed(slot, needBytes, isNowhereElse),
      firstByte,
      endByte: () => slot.endByte,
      accountedBytes: () => slot.bytes,
    }
  }
  return { open, accountedBytes: () => pooledBytes, isTight: () => neededBytes * 2 > options.poolBytes }
}

/** The last of these ascending starts that is not above the byte. */
function indexOf(starts: readonly number[], byte: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= byte) low = middle
    else high = middle - 1
  }
  return low
}

const costOf = (chunk: Uint8Array): number => chunk.byteLength + CHUNK_OVERHEAD_BYTES

/** A small view keeps the whole of what it was cut from alive: copied, so that what is accounted is what is held. */
function ownBytes(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength * 2 < chunk.buffer.byteLength ? new Uint8Array(chunk) : chunk
}
