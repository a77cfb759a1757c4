import type { Entry, MemoryTier } from '../memory/index.ts'
import type { ChunkStore } from '../origin/index.ts'

/** A store that can be read while it is filled. */
export type SliceStore = ChunkStore & {
  /** How far it has come, in the whole. */
  atByte(): number
  /** What has come from this byte on, of the slice that is not complete yet: all of it or a piece; null for any other byte. */
  tail(fromByte: number): Uint8Array | null
}

/**
 * Takes a body into an entry, slice by slice, from a byte at which a slice begins. `endByte` is where it is to end, null when
 * it runs to an end that is not known yet. Of a whole body that does not come to its end nothing is kept; of a part, the
 * slices that did are as good as any.
 */
export function fillSlices<Meta>(options: {
  readonly tier: MemoryTier<Meta>
  readonly entry: Entry<Meta>
  readonly sliceBytes: number
  readonly fromByte: number
  readonly endByte: number | null
}): SliceStore {
  const { tier, entry, sliceBytes, fromByte, endByte } = options
  const isPart = fromByte > 0 || (endByte !== null && endByte !== entry.sizeBytes)
  let slice: SliceInMaking = NOTHING
  let index = fromByte / sliceBytes
  let at = fromByte

  const flush = (): boolean => {
    const bytes = slice.whole ?? Buffer.concat(slice.pieces, slice.bytes)
    slice = NOTHING
    return tier.setSlice(entry, index++, bytes)
  }
  const giveUp = (): false => {
    slice = NOTHING
    if (!isPart && tier.peek(entry.key) === entry) tier.purge(entry.key)
    return false
  }
  const begin = (firstBytes: number): SliceInMaking => {
    const length = endByte === null ? null : Math.min(sliceBytes, endByte - index * sliceBytes)
    const isWorthIt = length !== null && firstBytes >= length * FIRST_SHARE_MIN
    return { pieces: [], bytes: 0, whole: isWorthIt ? new Uint8Array(length) : null }
  }
  /** Copies what still fits into the slice, and says how much that was. */
  const take = (chunk: Uint8Array, from: number): number => {
    if (slice === NOTHING) slice = begin(chunk.byteLength - from)
    const room = (slice.whole?.byteLength ?? sliceBytes) - slice.bytes
    const part = chunk.subarray(from, from + room)
    if (slice.whole) slice.whole.set(part, slice.bytes)
    else slice.pieces.push(new Uint8Array(part))
    slice.bytes += part.byteLength
    return part.byteLength
  }

  return {
    atByte: () => at,
    tail(fromByte) {
      const offset = fromByte - index * sliceBytes
      if (offset < 0 || offset >= slice.bytes) return null
      // Nothing writes again to what has been filled.
      return slice.whole ? slice.whole.subarray(offset, slice.bytes) : pieceFrom(slice.pieces, offset)
    },
    append(chunk) {
      at += chunk.byteLength
      if (endByte !== null && at > endByte) return giveUp()
      // All of it at once, as a view of what was read with its head: the tier makes the only copy.
      if (slice.bytes === 0 && at === endByte && chunk.byteOffset > 0 && chunk.byteLength <= sliceBytes)
        return chunk.byteLength === 0 || tier.setSlice(entry, index++, chunk) || giveUp()
      for (let from = 0; from < chunk.byteLength; ) {
        from += take(chunk, from)
        if (slice.bytes === sliceBytes && !flush()) return giveUp()
      }
      return true
    },
    end() {
      if (endByte !== null && at !== endByte) giveUp()
      else if (slice.bytes > 0 && !flush()) giveUp()
      else if (entry.sizeBytes === null && !tier.setSize(entry, at)) giveUp()
    },
    fail: () => void giveUp(),
  }
}

/** A slice on its way: in the buffer it will be kept in, or in pieces while it is not known how long it will be. */
type SliceInMaking = { readonly pieces: Uint8Array[]; bytes: number; readonly whole: Uint8Array | null }

const NOTHING: SliceInMaking = { pieces: [], bytes: 0, whole: null }

/** The piece in which this byte is, from there on. */
function pieceFrom(pieces: readonly Uint8Array[], offset: number): Uint8Array | null {
  let start = 0
  for (const piece of pieces) {
    if (offset < start + piece.byteLength) return piece.subarray(offset - start)
    start += piece.byteLength
  }
  return null
}

/** How much of a slice must have come before room is made for all of it: an origin that drips reserves nothing. */
const FIRST_SHARE_MIN = 1 / 32
