/**
 * Frames on an internal socket: u32 length of what follows, u32 call id, u8 kind, payload; integers big-endian.
 * Internal to one machine and one release: both ends are always the same build.
 */
export const FRAME_KIND = { call: 1, answer: 2, fault: 3, cancel: 4, push: 5, pushDone: 6 } as const

const HEADER_BYTES = 9
const EMPTY = new Uint8Array(0)

export function encodeFrame(id: number, kind: number, payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength)
  frame.writeUInt32BE(HEADER_BYTES - 4 + payload.byteLength, 0)
  frame.writeUInt32BE(id, 4)
  frame[8] = kind
  frame.set(payload, HEADER_BYTES)
  return frame
}

/**
 * Cuts a byte stream into frames. `onFrame`'s payload is valid for as long as the receiver holds it. Returns false once
 * a frame larger than `frameBytesMax` was announced or a header is impossible: the connection must be closed then.
 */
export function createFrameReader(options: {
  frameBytesMax: number
  onFrame: (id: number, kind: number, payload: Uint8Array) => void
}): (data: Uint8Array) => boolean {
  let parts: Uint8Array[] = []
  let held = 0
  let needed = HEADER_BYTES

  return (data) => {
    let bytes: Buffer
    if (held > 0) {
      parts.push(data)
      held += data.byteLength
      if (held < needed) return true
      bytes = Buffer.concat(parts, held)
    } else {
      bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    }
    let at = 0
    needed = HEADER_BYTES
    while (bytes.byteLength - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at)
      if (length < HEADER_BYTES - 4 || length > options.frameBytesMax) return false
      if (bytes.byteLength - at < 4 + length) {
        needed = 4 + length
        break
      }
      const end = at + 4 + length
      const payload = end > at + HEADER_BYTES ? bytes.subarray(at + HEADER_BYTES, end) : EMPTY
      options.onFrame(bytes.readUInt32BE(at + 4), bytes[at + 8] ?? 0, payload)
      at = end
    }
    held = bytes.byteLength - at
    parts = held > 0 ? [at > 0 ? Buffer.from(bytes.subarray(at)) : bytes] : []
    return true
  }
}
