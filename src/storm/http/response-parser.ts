import { type ChunkedBody, createChunkedBody } from './chunked-body.ts'
import { createGrowingBytes, type GrowingBytes } from './growing-bytes.ts'
import { HTTP_LIMITS } from './limits.ts'
import { checkPrefix, parseResponseHead, type ResponseHead } from './response-head.ts'

export type ParsedAnswer = {
  readonly ok: true
  readonly head: ResponseHead
  /** Null unless it was asked for (or is that of a refusal, see `begin`). May be a view of the bytes that were fed. */
  readonly body: Buffer | null
  /** Of the body, without its framing. */
  readonly bytes: number
}
export type Unparsable = { readonly ok: false; readonly why: string }

/**
 * Reads the answers of one connection (RFC 9112), one at a time, however their bytes are split. Whatever comes, it
 * throws nothing and holds no more than HTTP_LIMITS; after a fault the connection is of no use any more.
 */
export type ResponseParser = {
  /**
   * An answer is awaited from here. `keepBody`: a body of a 2xx is collected, and one too long is a fault; otherwise it
   * is only counted. A refusal's body is collected in both cases, for its code, as long as it is short.
   */
  begin(keepBody: boolean): void
  /** Null while the answer is not complete. Bytes beyond its end, or that nobody awaits, are a fault. */
  feed(bytes: Buffer): ParsedAnswer | Unparsable | null
  /** The server has closed, cleanly: some answers end so. Null when none was awaited. */
  end(): ParsedAnswer | Unparsable | null
}

type Phase = 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'complete' | 'failed'

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING_AWAITED = 'bytes that belong to no request'

export function createResponseParser(): ResponseParser {
  let phase: Phase = 'idle'
  let failure: Unparsable | null = null
  let keepBody = false
  let interim = 0
  /** The beginning of a head whose end has not come yet. */
  let held: GrowingBytes | null = null
  let head: ResponseHead | null = null
  let chunked: ChunkedBody | null = null
  let left = 0
  let bytesSeen = 0
  /** 0: the body is not kept. */
  let keptMax = 0
  /** Whether a body longer than that is a fault. */
  let isBodyAsked = false
  let kept: GrowingBytes | null = null
  /** A body that came in one piece, which nearly all do: not copied. */
  let whole: Buffer | null = null

  const fail = (why: string): Unparsable => {
    phase = 'failed'
    failure = { ok: false, why }
    held = kept = whole = chunked = null
    return failure
  }

  /** Where the body begins, or the end of `bytes` when more is needed (or it failed). */
  const readHead = (bytes: Buffer, from: number): number => {
    if (held) return readHeldHead(bytes, held)
    const why = checkPrefix(bytes, from)
    if (why) fail(why)
    else {
      const end = bytes.indexOf(HEAD_END, from)
      if (isTooLong(end < 0 ? bytes.byteLength : end + HEAD_END.byteLength - 1, from)) fail(HEAD_TOO_LONG)
      else if (end >= 0) return takeHead(bytes, from, end)
      else {
        held = createGrowingBytes()
        held.append(bytes, from, bytes.byteLength)
      }
    }
    return bytes.byteLength
  }
  const readHeldHead = (bytes: Buffer, holding: GrowingBytes): number => {
    const before = holding.size()
    holding.append(bytes, 0, Math.min(bytes.byteLength, HTTP_LIMITS.headBytesMax - before))
    const view = holding.view()
    const why = before < HEAD_PREFIX_BYTES ? checkPrefix(view, 0) : null
    const end = why ? -1 : view.indexOf(HEAD_END, Math.max(0, before - HEAD_END.byteLength + 1))
    if (end >= 0) {
      held = null
      return takeHead(view, 0, end) - before
    }
    if (why || isTooLong(view.byteLength, 0)) fail(why ?? HEAD_TOO_LONG)
    return bytes.byteLength
  }
  const takeHead = (bytes: Buffer, from: number, end: number): number => {
    const parsed = parseResponseHead(bytes, from, end + 2)
    if (typeof parsed === 'string') fail(parsed)
    else if (parsed.status === 101) fail('101 Switching Protocols, which nobody asked for')
    else if (parsed.status < 200) {
      interim += 1
      if (interim > HTTP_LIMITS.interimAnswersMax) fail('too many interim answers (1xx)')
    } else beginBody(parsed)
    return end + HEAD_END.byteLength
  }

  const beginBody = (parsed: ResponseHead): void => {
    head = parsed
    const isRefusal = parsed.status >= 300
    isBodyAsked = keepBody && !isRefusal
    keptMax = isRefusal ? HTTP_LIMITS.refusalBytesMax : isBodyAsked ? HTTP_LIMITS.keptBytesMax : 0
    if (parsed.status === 204 || parsed.status === 304) phase = 'complete'
    else if (parsed.chunked) {
      phase = 'chunked'
      chunked = createChunkedBody(takeBody)
    } else if (parsed.contentLength === null) {
      phase = 'until-close'
      parsed.reusable = false
    } else {
      left = parsed.contentLength
      phase = left === 0 ? 'complete' : 'length'
      if (left > keptMax) tooLong()
    }
  }
  /** A refusal that is too long is counted from here on. */
  const tooLong = (): string | null => {
    keptMax = 0
    kept = null
    if (!isBodyAsked) return null
    fail(BODY_TOO_LONG)
    return BODY_TOO_LONG
  }
  const takeBody = (bytes: Uint8Array, from: number, to: number): string | null => {
    bytesSeen += to - from
    if (keptMax === 0) return null
    if (bytesSeen > keptMax) return tooLong()
    kept ??= createGrowingBytes()
    kept.append(bytes, from, to)
    return null
  }

  const readLength = (bytes: Buffer, from: number): number => {
    const to = Math.min(bytes.byteLength, from + left)
    if (keptMax > 0 && bytesSeen === 0 && to - from === left) {
      whole = bytes.subarray(from, to)
      bytesSeen = left
    } else takeBody(bytes, from, to)
    left -= to - from
    if (left === 0) phase = 'complete'
    return to
  }
  const readChunked = (bytes: Buffer, from: number, body: ChunkedBody): number => {
    const at = body.read(bytes, from)
    const why = body.why()
    if (why) fail(why)
    else if (body.isDone()) phase = 'complete'
    return at
  }
  const readUntilClose = (bytes: Buffer, from: number): number => {
    takeBody(bytes, from, bytes.byteLength)
    return bytes.byteLength
  }
  const readBody = (bytes: Buffer, from: number): number => {
    if (phase === 'length') return readLength(bytes, from)
    if (phase === 'chunked' && chunked) return readChunked(bytes, from, chunked)
    return phase === 'until-close' ? readUntilClose(bytes, from) : from
  }
  const finish = (): ParsedAnswer | null => {
    if (!head) return null
    phase = 'idle'
    const isKept = keptMax > 0
    const body = isKept ? (whole ?? kept?.view() ?? Buffer.alloc(0)) : null
    const answer: ParsedAnswer = { ok: true, head, body, bytes: bytesSeen }
    head = whole = kept = chunked = null
    return answer
  }

  return {
    begin(keep) {
      if (phase === 'failed') return
      phase = 'head'
      keepBody = keep
      interim = left = bytesSeen = keptMax = 0
    },
    feed(bytes) {
      if (failure) return failure
      if (phase === 'idle') return bytes.byteLength === 0 ? null : fail(NOTHING_AWAITED)
      let at = 0
      while (phase === 'head' && at < bytes.byteLength) at = readHead(bytes, at)
      at = readBody(bytes, at)
      if (phase === 'complete') return at < bytes.byteLength ? fail(NOTHING_AWAITED) : finish()
      return failure
    },
    end() {
      if (failure) return failure
      if (phase === 'until-close') return finish()
      return phase === 'idle' ? null : fail('closed in the middle of an answer')
    },
  }
}

const HEAD_PREFIX_BYTES = 7
const BODY_TOO_LONG = `a body of more than ${HTTP_LIMITS.keptBytesMax} bytes, and it was to be read`
const HEAD_TOO_LONG = `a head of more than ${HTTP_LIMITS.headBytesMax} bytes`

/** A head whose last byte is not among the first `headBytesMax`. */
function isTooLong(to: number, from: number): boolean {
  return to - from >= HTTP_LIMITS.headBytesMax
}
