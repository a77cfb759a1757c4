import type { Entry, MemoryTier } from '../memory/index.ts'
import type { ChunkStore } from '../origin/index.ts'

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
}): ChunkStore {
  const { tier, entry, sliceBytes, fromByte, endByte } = options
  const isPart = fromByte > 0 || (endByte !== null && endByte !== entry.sizeBytes)
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let index = fromByte / sliceBytes
  let at = fromByte

  const flush = (): boolean => {
    const slice = pending.length === 1 && pending[0] ? pending[0] : Buffer.concat(pending, pendingBytes)
    pending = []
    pendingBytes = 0
    return tier.setSlice(entry, index++, slice)
  }
  const giveUp = (): false => {
    pending = []
    if (!isPart && tier.peek(entry.key) === entry) tier.purge(entry.key)
    return false
  }

  return {
    append(chunk) {
      at += chunk.byteLength
      // All of it at once, as a view of what was read with its head: the tier makes the only copy.
      if (pendingBytes === 0 && at === endByte && chunk.byteOffset > 0 && chunk.byteLength <= sliceBytes)
        return chunk.byteLength === 0 || tier.setSlice(entry, index++, chunk) || giveUp()
      for (let from = 0; from < chunk.byteLength; ) {
        // A copy, also of a Buffer, whose own `slice` is a view.
        const part = Uint8Array.prototype.slice.call(chunk, from, from + sliceBytes - pendingBytes)
        pending.push(part)
        pendingBytes += part.byteLength
        from += part.byteLength
        if (pendingBytes === sliceBytes && !flush()) return giveUp()
      }
      return true
    },
    end() {
      if (endByte !== null && at !== endByte) giveUp()
      else if (pendingBytes > 0 && !flush()) giveUp()
      else if (entry.sizeBytes === null && !tier.setSize(entry, at)) giveUp()
    },
    fail: () => void giveUp(),
  }
}
