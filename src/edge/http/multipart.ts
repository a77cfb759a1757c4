/** Several ranges in one answer: `multipart/byteranges` (RFC 9110, 14.6 and 15.3.7.2). */
import type { ByteRange } from './byte-ranges.ts'
import { toContentRange } from './content-range.ts'

export type MultipartOptions = {
  /** 1 to 70 characters that the content must not contain: random, 16 or more. */
  readonly boundary: string
  /** Of the representation; null when it has none. */
  readonly contentType: string | null
  readonly sizeBytes: number
  /** From `parseRanges`, at least two: a single range is never sent in parts (RFC 9110, 15.3.7.2). */
  readonly ranges: readonly ByteRange[]
}

export type Multipart = {
  /** The answer's own Content-Type; it must not have a Content-Range. */
  readonly contentType: string
  /** Of the whole body, for Content-Length. */
  readonly lengthBytes: number
  /** To send: each head followed by the bytes of its range, then the tail. */
  readonly parts: readonly { readonly head: Uint8Array; readonly range: ByteRange }[]
  readonly tail: Uint8Array
}

/** bchars without the space and what would need quotes in a parameter (RFC 2046, 5.1.1). */
const BOUNDARY = /^[0-9A-Za-z'+_.-]{1,70}$/
const LINE_END = /[\r\n]/

/** The framing alone; the caller has the bytes. Throws on options that would break it, which is the caller's fault. */
export function multipartBytes(options: MultipartOptions): Multipart {
  const { boundary, contentType, sizeBytes, ranges } = options
  if (!BOUNDARY.test(boundary)) {
    throw new Error(
      `A boundary is 1 to 70 of 0-9 A-Z a-z ' + _ . -, got ${JSON.stringify(boundary)}; make one of random hex digits`,
    )
  }
  if (contentType !== null && LINE_END.test(contentType)) {
    throw new Error(
      `A content type is one line, got ${JSON.stringify(contentType)}; refuse such a field where it is received`,
    )
  }
  const typeLine = contentType === null ? '' : `Content-Type: ${contentType}\r\n`
  const parts = ranges.map((range, index) => {
    const delimiter = `${index === 0 ? '' : '\r\n'}--${boundary}\r\n`
    const head = `${delimiter}${typeLine}Content-Range: ${toContentRange(range, sizeBytes)}\r\n\r\n`
    return { head: toLatin1(head), range }
  })
  const tail = toLatin1(`\r\n--${boundary}--\r\n`)
  const lengthBytes = parts.reduce(
    (sum, { head, range }) => sum + head.byteLength + range.end - range.start,
    tail.byteLength,
  )
  return { contentType: `multipart/byteranges; boundary=${boundary}`, lengthBytes, parts, tail }
}

/** One byte for each character, as field values were decoded (RFC 9110, 5.5). */
function toLatin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
