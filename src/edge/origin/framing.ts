import type { FieldLine } from '../http/message.ts'
import type { Content } from './content.ts'

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
type Invalid = { readonly ok: false; readonly why: string }

/** The field lines as they go out, name and value in turn: one `Host`, one kind of framing. */
export function frameRequest(
  request: {
    readonly method: string
    readonly path: string
    readonly lines: readonly FieldLine[]
    readonly body: Content
  },
  authority: string,
): FramedRequest {
  const { method, path, lines, body } = request
  if (!TOKEN.test(method)) return invalid(`the method: expected a token, got ${JSON.stringify(method)}`)
  // RFC 9110, 9.3.6: what answers it is no answer but a tunnel.
  if (method === 'CONNECT') return invalid('the method: expected one of a resource, got CONNECT')
  if (!isOriginForm(path)) return invalid(`the path: expected origin-form, got ${JSON.stringify(path)}`)
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

/** A request as it goes out: its head, and how much a streamed body must have. */
export type FramedHead =
  | { readonly ok: true; readonly head: Uint8Array; readonly lengthBytes: number | null }
  | { readonly ok: false; readonly why: string }

/** For one origin: lines that come again, as the very same array, are checked and put together once. */
export function createRequestFramer(authority: string): (request: Parameters<typeof frameRequest>[0]) => FramedHead {
  const textOf = new WeakMap<readonly FieldLine[], string>()
  return (request) => {
    const { method, path, lines, body } = request
    const isPlain = method === 'GET' && body === null
    const known = isPlain && isOriginForm(path) ? textOf.get(lines) : undefined
    if (known !== undefined) return { ok: true, head: toRequestHead(request, known), lengthBytes: null }
    const framed = frameRequest(request, authority)
    if (!framed.ok) return framed
    const text = toFieldText(framed.flatLines)
    if (isPlain) textOf.set(lines, text)
    return { ok: true, head: toRequestHead(request, text), lengthBytes: framed.lengthBytes }
  }
}

const isOriginForm = (path: string): boolean => /^(?:\/[\x21-\x7e]*|\*)$/.test(path)

/** The head as bytes: what `frameRequest` let through holds no character above 0xff. */
export function toRequestHead(
  { method, path }: { readonly method: string; readonly path: string },
  fieldText: string,
): Uint8Array {
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${fieldText}\r\n`, 'latin1')
}

export function toFieldText(flatLines: readonly string[]): string {
  let text = ''
  for (let at = 0; at + 1 < flatLines.length; at += 2) text += `${flatLines[at]}: ${flatLines[at + 1]}\r\n`
  return text
}

function findFaultyLine(lines: readonly FieldLine[]): string | null {
  for (const [name, value] of lines) {
    if (!TOKEN.test(name)) return `a field name: expected a token, got ${JSON.stringify(name.slice(0, 40))}`
    if (NOT_IN_VALUE.test(value)) return `${name}: expected printable characters, got control characters`
  }
  return null
}

function lengthOf(method: string, body: Content, lines: readonly FieldLine[]): number | null | Invalid {
  if (body === null) return EXPECTS_CONTENT.has(method) ? 0 : null
  if (body instanceof Uint8Array) return body.byteLength
  const lengths = lines.filter(([name]) => name === 'content-length').map(([, value]) => value)
  if (lengths.length === 0) return null
  if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0] ?? ''))
    return invalid(`Content-Length: expected one number, got ${lengths.join(', ')}`)
  return Number(lengths[0])
}

const invalid = (why: string): Invalid => ({ ok: false, why })
