import { MEMO_LIMITS } from '../../kernel/index.ts'
import type { FieldLine } from '../http/message.ts'
import { trimOws } from '../http/syntax.ts'
import { createTextMemo } from '../http/text-memo.ts'
import { CR, LF } from '../server/octets.ts'

/** How the content of an answer ends (RFC 9112, 6.3). */
export type ResponseFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

export type ResponseHeadRead = {
  readonly ok: true
  readonly status: number
  /** Without what framed it on this hop: the content has lost its transfer coding (RFC 9112, 6.1 and 7.1.2). */
  readonly lines: readonly FieldLine[]
  readonly framing: ResponseFraming
  /** Whether the origin lets the connection be used again (RFC 9112, 9.3). */
  readonly persists: boolean
}
type Invalid = { readonly ok: false; readonly why: string }

/** Reads `bytes[start, end)`, a head with its empty line, in answer to `method`. */
export type ResponseHeadParser = (
  bytes: Buffer,
  start: number,
  end: number,
  method: string,
) => ResponseHeadRead | Invalid

const REMEMBERED = { entriesMax: MEMO_LIMITS.originLinesMax, charsMax: MEMO_LIMITS.fieldCharsMax }

/**
 * One for each origin: a line that it sends again and again is read once, and is one text in memory however many answers with
 * it are kept. What could be read in two ways is refused: nothing may reach a client that another would take for two answers
 * (RFC 9112, 11.1).
 */
export function createResponseHeadParser(): ResponseHeadParser {
  const toStatus = createTextMemo(parseStatusLine, REMEMBERED)
  const toLine = createTextMemo(parseLine, REMEMBERED)
  return (bytes, start, end, method) => {
    let next = bytes.indexOf(LF, start) + 1
    const statusLine = bytes.toString('latin1', start, next)
    const status = toStatus(statusLine)
    if (status === null) return invalid('the status line', 'HTTP/1.1 200 OK and CRLF', statusLine)
    const lines: FieldLine[] = []
    while (next < end - 2) {
      const from = next
      next = bytes.indexOf(LF, from) + 1
      const text = bytes.toString('latin1', from, next)
      const line = toLine(text)
      if (line === null) return invalid('a field line', 'a token, a colon, printable characters and CRLF', text)
      lines.push(line)
    }
    if (next !== end - 2 || bytes[next] !== CR)
      return invalid('the end of the head', 'CRLF', bytes.toString('latin1', next, end))
    return frame({ ...status, lines, method })
  }
}

type Status = { readonly status: number; readonly minorVersion: 0 | 1 }

/** RFC 9112, 4. The space before an absent reason is often left out. A higher minor version nobody has ever spoken. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n$/
/** RFC 9112, 5: no white space before the colon, no folding; RFC 9110, 5.5: no control characters. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\r\n$/
const LENGTH = /^\d{1,15}$/

function parseStatusLine(text: string): Status | null {
  const [, minor, status] = STATUS_LINE.exec(text) ?? []
  return minor === undefined ? null : { status: Number(status), minorVersion: minor === '1' ? 1 : 0 }
}

function parseLine(text: string): FieldLine | null {
  const [, name, value] = FIELD_LINE.exec(text) ?? []
  return name === undefined || value === undefined ? null : [name.toLowerCase(), trimOws(value)]
}

type Received = Status & {
  readonly lines: readonly FieldLine[]
  readonly method: string
}

function frame({ status, minorVersion, lines, method }: Received): ResponseHeadRead | Invalid {
  const lengths: string[] = []
  const codings: string[] = []
  let connection = ''
  for (const [name, value] of lines) {
    if (name === 'content-length') lengths.push(value)
    else if (name === 'transfer-encoding') codings.push(value.toLowerCase())
    else if (name === 'connection') connection += `,${value.toLowerCase()}`
  }
  const fault = findFaultyFraming(lengths, codings, minorVersion)
  if (fault) return { ok: false, why: fault }
  const hasNone = method === 'HEAD' || status < 200 || status === 204 || status === 304
  const framing = hasNone ? NONE : toFraming(lengths[0], codings.length > 0)
  return {
    ok: true,
    status,
    lines: codings.length > 0 || status === 204 ? lines.filter(([name]) => !isFraming(name, status)) : lines,
    framing,
    // RFC 9112, 9.3: what HTTP/1.0 says of keeping a connection is not relied on.
    persists: minorVersion === 1 && framing.kind !== 'until-close' && !/,[\t ]*close[\t ]*(?:,|$)/.test(connection),
  }
}

const NONE: ResponseFraming = { kind: 'none' }

function toFraming(length: string | undefined, isChunked: boolean): ResponseFraming {
  if (isChunked) return { kind: 'chunked' }
  return length === undefined ? { kind: 'until-close' } : { kind: 'length', bytes: Number(length) }
}

/** RFC 9110, 8.6: no length on 204. */
const isFraming = (name: string, status: number): boolean =>
  name === 'transfer-encoding' || (status === 204 && name === 'content-length')

/** RFC 9112, 6.1 to 6.3: chunked is the only coding we accept (no `TE` is sent), and in HTTP/1.0 not even that can be trusted. */
function findFaultyFraming(lengths: readonly string[], codings: readonly string[], minorVersion: 0 | 1): string | null {
  const [length] = lengths
  if (lengths.length > 1 || (length !== undefined && !LENGTH.test(length)))
    return `Content-Length: expected one number, got ${lengths.join(', ')}`
  if (codings.length === 0) return null
  const got = codings.join(', ')
  if (minorVersion === 0) return `Transfer-Encoding: expected none in HTTP/1.0, got ${got}`
  if (length !== undefined) return `Content-Length: expected none beside Transfer-Encoding, got ${length}`
  return got === 'chunked' ? null : `Transfer-Encoding: expected chunked, got ${got}`
}

function invalid(what: string, expected: string, got: string): Invalid {
  return { ok: false, why: `${what}: expected ${expected}, got ${JSON.stringify(got.slice(0, GOT_CHARS_MAX))}` }
}

const GOT_CHARS_MAX = 40
