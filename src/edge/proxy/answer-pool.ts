/** Bytes that are held for their readers although the cache may have dropped them, all together under one bound. */
export type AnswerPool = {
  /** The pieces one by one, each let go of once it is given; null where there is no room for them. */
  hold(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> | null
  heldBytes(): number
}

export function createAnswerPool(bytesMax: number): AnswerPool {
  let heldBytes = 0

  async function* letGo(pieces: readonly Uint8Array[], bytes: number): AsyncGenerator<Uint8Array> {
    const waiting = [...pieces]
    let leftBytes = bytes
    heldBytes += bytes
    try {
      for (let piece = waiting.shift(); piece; piece = waiting.shift()) {
        yield piece
        leftBytes -= piece.byteLength
        heldBytes -= piece.byteLength
      }
    } finally {
      heldBytes -= leftBytes
    }
  }

  return {
    hold(pieces) {
      const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
      return heldBytes + bytes > bytesMax ? null : letGo(pieces, bytes)
    },
    heldBytes: () => heldBytes,
  }
}
