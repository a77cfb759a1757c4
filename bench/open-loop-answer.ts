/** What of an answer a generator needs to know: that it came whole, its status, how many bytes its content had. */
export type RawAnswer = { readonly status: number; readonly bodyBytes: number }

export type AnswerReader = {
  /** The answer once its last byte is here, null before; `unreadable` for what is none, or is more than one. */
  push(chunk: Buffer): RawAnswer | null | 'unreadable'
}

const HELD_BYTES_MAX = 16 * 1024 * 1024
const HEAD_END = '\r\n\r\n'
const STATUS = /^HTTP\/1\.1 (\d{3})[ \r]/
const LENGTH = /\r\ncontent-length: *(\d{1,15}) *\r\n/i
const CHUNKED = /\r\ntransfer-encoding: *chunked *\r\n/i
const CHUNK_SIZE = /^([\da-f]{1,12})(?:;.*)?$/i

/**
 * Reads the answers of one connection, asked one at a time, in the least that tells them apart: status and
 * `Content-Length`. What comes in chunks is held until it is whole: right, and as slow as it is rare here.
 */
export function createAnswerReader(): AnswerReader {
  let held: Buffer | null = null
  let head: RawAnswer | null = null
  let missingBytes = 0

  const finish = (): RawAnswer | null | 'unreadable' => {
    if (head === null || missingBytes > 0) return null
    const answer = missingBytes < 0 ? 'unreadable' : head
    head = null
    return answer
  }
  const hold = (bytes: Buffer): null | 'unreadable' => {
    if (bytes.byteLength > HELD_BYTES_MAX) return 'unreadable'
    // A chunk is the runtime's own, and written over once this call has returned.
    held = Buffer.from(bytes)
    return null
  }
  return {
    push(chunk) {
      if (head !== null) {
        missingBytes -= chunk.byteLength
        return finish()
      }
      const bytes: Buffer = held === null ? chunk : Buffer.concat([held, chunk])
      held = null
      const headEnd = bytes.indexOf(HEAD_END)
      if (headEnd < 0) return hold(bytes)
      const bodyAt = headEnd + HEAD_END.length
      const text = bytes.toString('latin1', 0, bodyAt)
      const status = Number(STATUS.exec(text)?.[1])
      const length = LENGTH.exec(text)?.[1]
      if (length !== undefined && status > 0) {
        head = { status, bodyBytes: Number(length) }
        missingBytes = head.bodyBytes - (bytes.byteLength - bodyAt)
        return finish()
      }
      const bodyBytes = CHUNKED.test(text) && status > 0 ? measureChunks(bytes, bodyAt) : 'unreadable'
      if (bodyBytes === null) return hold(bytes)
      return bodyBytes === 'unreadable' ? bodyBytes : { status, bodyBytes }
    },
  }
}

/** How many bytes of content the chunks from `at` on hold (RFC 9112, 7.1); null while the last one is not here. */
function measureChunks(bytes: Buffer, at: number): number | null | 'unreadable' {
  let total = 0
  for (let from = at; ; ) {
    const lineEnd = bytes.indexOf('\r\n', from)
    if (lineEnd < 0) return null
    const size = CHUNK_SIZE.exec(bytes.toString('latin1', from, lineEnd))?.[1]
    if (size === undefined) return 'unreadable'
    const sizeBytes = Number.parseInt(size, 16)
    from = lineEnd + 2 + sizeBytes + 2
    if (from > bytes.byteLength) return null
    // No cache measured here sends trailers.
    if (sizeBytes === 0) return from === bytes.byteLength ? total : 'unreadable'
    total += sizeBytes
  }
}
