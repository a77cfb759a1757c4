/** Bytes that arrive in pieces, in one buffer that doubles: a list of pieces would cost far more than it holds when they are small. */
export type GrowingBytes = {
  append(bytes: Uint8Array, from: number, to: number): void
  size(): number
  /** A view of what there is; no longer valid after `append`. */
  view(): Buffer
}

const FIRST_BYTES = 1_024

/** The caller bounds what it appends. Grows by what came, never by what was announced: announcing is free. */
export function createGrowingBytes(): GrowingBytes {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  let size = 0
  const grow = (needed: number): void => {
    let capacity = buffer.byteLength
    while (capacity < needed) capacity *= 2
    const grown = Buffer.allocUnsafeSlow(capacity)
    grown.set(buffer.subarray(0, size))
    buffer = grown
  }
  return {
    append(bytes, from, to) {
      const needed = size + to - from
      if (needed > buffer.byteLength) grow(needed)
      buffer.set(bytes.subarray(from, to), size)
      size = needed
    },
    size: () => size,
    view: () => buffer.subarray(0, size),
  }
}
