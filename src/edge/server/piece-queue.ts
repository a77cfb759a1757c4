/** Bytes that wait to be read, in the pieces in which they are to be given out. */
export type PieceQueue = {
  /** Takes the bytes as they are, or copies them where they are a part of more. */
  push(bytes: Uint8Array): void
  /** The next piece; whoever gets it may detach it: it shares memory with nothing that is still here. */
  shift(): Uint8Array | null
  bytes(): number
  clear(): void
}

/** Below this a piece is put together with others: an array of its own for each byte would cost a hundred bytes and more. */
const JOINED_BELOW_BYTES = 1024
const BLOCK_BYTES = 4 * JOINED_BELOW_BYTES

/** What it costs is bounded by a small multiple of `bytes()`, in however small pieces they come. */
export function createPieceQueue(): PieceQueue {
  let pieces: Uint8Array[] = []
  /** Where small pieces go, after all others; of it `used` bytes are. */
  let block: Uint8Array | null = null
  let used = 0
  let bytes = 0

  const takeBlock = (): Uint8Array | null => {
    const taken = block && used < block.length ? block.slice(0, used) : block
    block = null
    used = 0
    return taken
  }
  const closeBlock = (): void => {
    const closed = takeBlock()
    if (closed) pieces.push(closed)
  }

  return {
    push(piece) {
      const { byteLength } = piece
      if (byteLength === 0) return
      bytes += byteLength
      const isSmall = byteLength < JOINED_BELOW_BYTES
      if (!isSmall || used + byteLength > BLOCK_BYTES) closeBlock()
      if (!isSmall) {
        pieces.push(toOwn(piece))
        return
      }
      block ??= new Uint8Array(BLOCK_BYTES)
      block.set(piece, used)
      used += byteLength
    },
    shift() {
      const piece = pieces.shift() ?? takeBlock()
      bytes -= piece?.byteLength ?? 0
      return piece
    },
    bytes: () => bytes,
    clear() {
      pieces = []
      takeBlock()
      bytes = 0
    },
  }
}

function toOwn(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
