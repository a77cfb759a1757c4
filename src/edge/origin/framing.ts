import type { FieldLine } from '../http/message.ts'

export type RequestBody = ReadableStream<Uint8Array> | Uint8Array | null

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
/** Anything but visible characters, obs-text, spaces and tabs (RFC 9110, 5.5): CR, LF and NUL above all. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** Framing and connection of this hop are written here, never copied from what a client sent (RFC 9112, 6.1 and 9.6). */
const OF_THIS_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'expect'])
/** Methods whose request says "no content" with a zero length (RFC 9110, 8.6). */
const EXPECTS_CONTENT = new Set(['POST', 'PUT', 'PATCH'])

export type FramedRequest =
  /** `lengthBytes`: how much a streamed body must have; null when it is chunked or there is none. */
  { readonly ok: true; readonly flatLines: string[]; readonly lengthBytes: number | null } | Invalid
export type FramedResponse = { readonly ok: true; readonly lines: readonly FieldLine[] } | Invalid
type Invalid = { readonly ok: false; readonly why: string }

/** The field lines as they go out, name and value in turn: one `Host`, one kind of framing. */
export function frameRequest(request: {
  readonly method: string
  readonly path: string
  readonly lines: readonly FieldLine[]
  readonly body: RequestBody
  readonly authority: string
}): FramedRequest {
  const { method, path, lines, body, authority } = request
  if (!TOKEN.test(method)) return invalid(`the method: expected a token, got ${JSON.stringify(method)}`)
  if (!/^(?:\/[\x21-\x7e]*|\*)$/.test(path))
    return invalid(`the path: expected origin-form, got ${JSON.stringify(path)}`)
  const fault = findFaultyLine(lines)
  if (fault) return invalid(fault)
  const hosts = lines.filter(([name]) => name === 'host')
  if (hosts.length > 1) return invalid(`Host: expected at most one line, got ${hosts.length}`)
  const lengthBytes = lengthOf(method, body, lines)
  if (typeof lengthBytes === 'object' && lengthBytes !== null) return lengthBytes
  // First, as RFC 9110, 7.2 asks.
  const flatLines = ['host', hosts[0]?.[1] ?? authority]
  for (const [name, value] of lines)
    if (name !== 'host' && name !== 'content-length' && !OF_THIS_HOP.has(name)) flatLines.push(name, value)
  if (lengthBytes !== null) flatLines.push('content-length', String(lengthBytes))
  else if (body !== null) flatLines.push('transfer-encoding', 'chunked')
  return { ok: true, flatLines, lengthBytes }
}

/**
 * What came from an origin, checked again after the parser: nothing may reach a client that could be read as a second
 * response (RFC 9112, 11.1). The body has lost its transfer coding, so the field goes, too (RFC 9112, 6.1 and 7.1.2).
 */
export function frameResponse(response: {
  readonly status: number
  readonly httpVersion: string
  readonly rawLines: readonly string[]
}): FramedResponse {
  const { status, httpVersion, rawLines } = response
  // RFC 9110, 15: a code outside of 100 to 599 is invalid; an interim one here ends no request.
  if (!(status >= 200 && status <= 599)) return invalid(`status: expected 200 to 599, got ${status}`)
  const lines: FieldLine[] = []
  for (let at = 0; at + 1 < rawLines.length; at += 2)
    lines.push([(rawLines[at] ?? '').toLowerCase(), (rawLines[at + 1] ?? '').trim()])
  const fault = findFaultyLine(lines) ?? findFaultyCoding(lines, httpVersion)
  if (fault) return invalid(fault)
  return {
    ok: true,
    // RFC 9110, 8.6: no length on 204.
    lines: lines.filter(([name]) => name !== 'transfer-encoding' && !(status === 204 && name === 'content-length')),
  }
}

function findFaultyLine(lines: readonly FieldLine[]): string | null {
  for (const [name, value] of lines) {
    if (!TOKEN.test(name)) return `a field name: expected a token, got ${JSON.stringify(name.slice(0, 40))}`
    if (NOT_IN_VALUE.test(value)) return `${name}: expected printable characters, got control characters`
  }
  return null
}

/** RFC 9112, 6.1: chunked is the only coding we accept (no `TE` is sent), and in HTTP/1.0 not even that can be trusted. */
function findFaultyCoding(lines: readonly FieldLine[], httpVersion: string): string | null {
  const codings = lines.filter(([name]) => name === 'transfer-encoding').map(([, value]) => value.toLowerCase())
  if (codings.length === 0) return null
  if (httpVersion !== '1.1') return `Transfer-Encoding: expected none in HTTP/${httpVersion}, got ${codings.join(', ')}`
  if (codings.join() === 'chunked') return null
  return `Transfer-Encoding: expected chunked, got ${codings.join(', ')}`
}

function lengthOf(method: string, body: RequestBody, lines: readonly FieldLine[]): number | null | Invalid {
  if (body === null) return EXPECTS_CONTENT.has(method) ? 0 : null
  if (body instanceof Uint8Array) return body.byteLength
  const lengths = lines.filter(([name]) => name === 'content-length').map(([, value]) => value)
  if (lengths.length === 0) return null
  if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0] ?? ''))
    return invalid(`Content-Length: expected one number, got ${lengths.join(', ')}`)
  return Number(lengths[0])
}

const invalid = (why: string): Invalid => ({ ok: false, why })
