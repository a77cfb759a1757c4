import { createChunkedDecoder } from '../server/chunked.ts'
import { findHeadEnd } from '../server/parse-head.ts'
import type { ResponseFraming, ResponseHeadParser, ResponseHeadRead } from './response-head.ts'

export type ResponseRead =
  | {
      readonly ok: true
      /** With what brought its last byte, and never again. */
      readonly head: ResponseHeadRead | null
      /** Of the content; views of what was pushed. */
      readonly data: readonly Uint8Array[]
      /** The answer is complete by its framing. */
      readonly done: boolean
      /** Something follows that is no part of it. */
      readonly hasExtra: boolean
    }
  | { readonly ok: false; readonly why: string }

/** Reads the answer to one request as it comes, split anywhere. Nothing is to be pushed after it is done or refused. */
export type ResponseReader = {
  push(chunk: Buffer): ResponseRead
  /** Nothing more comes: whether what came is complete (RFC 9112, 8). */
  end(): boolean
}

/** Interim answers before the final one. They bring nothing but time, which the deadline for the head bounds. */
const INTERIM_MAX = 16

export function createResponseReader(options: {
  readonly method: string
  readonly headBytesMax: number
  readonly parseHead: ResponseHeadParser
}): ResponseReader {
  const { method, headBytesMax, parseHead } = options
  let held: Buffer | null = null
  let scannedTo = 0
  let interims = 0
  let head: ResponseHeadRead | null = null
  let source: Source | null = null

  const readContent = (bytes: Buffer, from: number, isNew: boolean): ResponseRead => {
    const read = source ? source(bytes, from) : NOTHING
    if (!read.ok) return read
    const hasExtra = from + read.consumed < bytes.length
    return { ok: true, head: isNew ? head : null, data: read.data, done: read.done, hasExtra }
  }
  /** Goes by interim answers to the final one. */
  const readHead = (bytes: Buffer): ResponseRead => {
    let start = 0
    for (;;) {
      const end = findHeadEnd(bytes, start, scannedTo)
      const length = (end < 0 ? bytes.length : end) - start
      if (length > headBytesMax)
        return refuse(`the head: expected at most ${headBytesMax} bytes, got ${length} or more`)
      if (end < 0) {
        held = start === 0 ? bytes : bytes.subarray(start)
        scannedTo = held.length
        return UNFINISHED
      }
      const read = parseHead(bytes, start, end, method)
      if (!read.ok) return read
      if (read.status === 101) return refuse('the origin switched protocols without being asked')
      if (read.status >= 200) {
        held = null
        head = read
        source = toSource(read.framing, headBytesMax)
        return readContent(bytes, end, true)
      }
      interims += 1
      if (interims > INTERIM_MAX) return refuse(`interim answers: expected at most ${INTERIM_MAX}, got more`)
      start = end
      scannedTo = end
    }
  }

  return {
    push(chunk) {
      if (head) return readContent(chunk, 0, false)
      const bytes = held ? Buffer.concat([held, chunk]) : chunk
      return readHead(bytes)
    },
    end: () => head?.framing.kind === 'until-close',
  }
}

const UNFINISHED: ResponseRead = { ok: true, head: null, data: [], done: false, hasExtra: false }
const refuse = (why: string): ResponseRead => ({ ok: false, why })

type SourceRead =
  | { readonly ok: true; readonly data: readonly Uint8Array[]; readonly done: boolean; readonly consumed: number }
  | { readonly ok: false; readonly why: string }
/** Reads from the byte at `from` on. */
type Source = (bytes: Buffer, from: number) => SourceRead

/** What has no content is complete with its head. */
const NOTHING: SourceRead = { ok: true, data: [], done: true, consumed: 0 }

function toSource(framing: ResponseFraming, headBytesMax: number): Source | null {
  if (framing.kind === 'none') return null
  if (framing.kind === 'chunked') return readChunks(headBytesMax)
  let leftBytes = framing.kind === 'length' ? framing.bytes : Number.POSITIVE_INFINITY
  return (bytes, from) => {
    const consumed = Math.min(leftBytes, bytes.length - from)
    leftBytes -= consumed
    const data = consumed === 0 ? [] : [consumed === bytes.length ? bytes : bytes.subarray(from, from + consumed)]
    return { ok: true, data, done: leftBytes === 0, consumed }
  }
}

/** Content may be of any length; its trailers are no longer than a head may be, which bounds their number, too. */
function readChunks(headBytesMax: number): Source {
  const decoder = createChunkedDecoder({
    edgeBodyBytesMax: Number.MAX_SAFE_INTEGER,
    edgeHeadBytesMax: headBytesMax,
    edgeFieldsMax: headBytesMax,
  })
  return (bytes, from) => {
    const read = decoder.push(from === 0 ? bytes : bytes.subarray(from))
    return read.ok ? read : { ok: false, why: `the chunks of its content: ${read.problem.code}` }
  }
}
