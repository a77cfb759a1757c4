import type { FieldLine } from '../http/message.ts'
import { COLON, CR, isTokenOctet, isValueOctet, isWhitespaceOctet, LF } from '../server/octets.ts'

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

/** RFC 9112, 4. The space before an absent reason is often left out. A higher minor version nobody has ever spoken. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\r\n$/
const LENGTH = /^\d{1,15}$/

/**
 * Reads `bytes[start, end)`, a head with its empty line, in answer to `method`. What could be read in two ways is refused:
 * nothing may reach a client that another would take for two answers (RFC 9112, 11.1).
 */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  method: string,
): ResponseHeadRead | Invalid {
  const next = bytes.indexOf(LF, start) + 1
  const [, minor, status] = STATUS_LINE.exec(bytes.toString('latin1', start, next)) ?? []
  if (minor === undefined || status === undefined)
    return invalid('the status line', 'HTTP/1.1 200 OK', bytes, start, next)
  const lines: FieldLine[] = []
  for (let at = next; at < end - 2; ) {
    const after = readLine(bytes, at, lines)
    if (typeof after !== 'number') return after
    at = after
  }
  if (bytes[end - 2] !== CR || bytes[end - 1] !== LF)
    return invalid('the end of the head', 'an empty line', bytes, end - 2, end)
  return frame({ status: Number(status), minorVersion: minor === '1' ? 1 : 0, lines, method })
}

/** Reads one field line (RFC 9112, 5) and says where the next begins. */
function readLine(bytes: Buffer, at: number, lines: FieldLine[]): number | Invalid {
  let colon = at
  while (isTokenOctet(bytes[colon] ?? 0)) colon += 1
  if (colon === at || bytes[colon] !== COLON)
    return invalid('a field name', 'a token and a colon', bytes, at, colon + 1)
  let from = colon + 1
  while (isWhitespaceOctet(bytes[from] ?? 0)) from += 1
  let stop = from
  while (isValueOctet(bytes[stop] ?? 0)) stop += 1
  const name = bytes.toString('latin1', at, colon).toLowerCase()
  if (bytes[stop] !== CR || bytes[stop + 1] !== LF)
    return invalid(name, 'printable characters and CRLF', bytes, stop, stop + 2)
  const next = stop + 2
  while (stop > from && isWhitespaceOctet(bytes[stop - 1] ?? 0)) stop -= 1
  lines.push([name, bytes.toString('latin1', from, stop)])
  return next
}

type Received = {
  readonly status: number
  readonly minorVersion: 0 | 1
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

function invalid(what: string, expected: string, bytes: Buffer, from: number, to: number): Invalid {
  const got = JSON.stringify(bytes.toString('latin1', from, Math.min(to, from + GOT_BYTES_MAX)))
  return { ok: false, why: `${what}: expected ${expected}, got ${got}` }
}

const GOT_BYTES_MAX = 40
