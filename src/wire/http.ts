import { Fault } from '../kernel/index.ts'
import { createFramedRequest } from './framed-request.ts'

/**
 * HTTP messages in wire frames, so that an edge and a cell need no second HTTP parser between them. Payload: u32 length
 * of the head, the head, the body. The head is one flat JSON array: `[method, path, name, value, name, value …]` or
 * `[status, name, value …]`; flat because a repeated name (`set-cookie`) must stay repeated.
 */
export type HttpHeaders = readonly (readonly [name: string, value: string])[]

export type WireHttpRequest = {
  readonly method: string
  /** Path and query, from the first slash on. */
  readonly path: string
  readonly headers: HttpHeaders
  readonly body: Uint8Array | null
}

export type WireHttpResponse = {
  readonly status: number
  /** In the order they were set; names in lower case. */
  readonly headers: HttpHeaders
  /** A view of the frame it came in. */
  readonly body: Uint8Array
}

/** Where the requests that a cell decodes seem to be addressed to. */
export const CELL_ORIGIN = 'http://cell'

const LENGTH_BYTES = 4
const EMPTY = new Uint8Array(0)
const NORMAL_PATH = /^\/[\w~/?=&:,+.-]*$/
const BODILESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export function encodeHttpRequest(request: WireHttpRequest): Uint8Array {
  const head: string[] = [request.method, request.path]
  for (const [name, value] of request.headers) head.push(name, value)
  return join(JSON.stringify(head), request.body ?? EMPTY)
}

/** A standard `Request` to `http://cell<path>`. Throws Fault `wire-malformed` on a payload no `encodeHttpRequest` made. */
export function decodeHttpRequest(payload: Uint8Array, options: { signal?: AbortSignal } = {}): Request {
  const { head, body } = split(payload)
  const [method, path] = head
  if (typeof method !== 'string' || typeof path !== 'string') throw malformed('a method and a path', head)
  const headers = toHeadersInit(head, 2)
  const held = body.byteLength > 0 && !BODILESS_METHODS.has(method) ? (body as Uint8Array<ArrayBuffer>) : null
  const url = CELL_ORIGIN + path
  if (!(headers instanceof Headers) && isNormal(path))
    return createFramedRequest({ method, url, headers, body: held, signal: options.signal })
  return new Request(url, { method, headers, body: held, signal: options.signal ?? null })
}

/** Reads the body whole: what streams (media bytes) does not travel in frames. */
export async function encodeHttpResponse(response: Response): Promise<Uint8Array> {
  const head: (string | number)[] = [response.status]
  response.headers.forEach((value, name) => {
    head.push(name, value)
  })
  // Not asking for `response.body` first: that would turn a string into a stream.
  return join(JSON.stringify(head), await response.bytes())
}

/** Throws Fault `wire-malformed` on a payload no `encodeHttpResponse` made. */
export function decodeHttpResponse(payload: Uint8Array): WireHttpResponse {
  const { head, body } = split(payload)
  const status = head[0]
  if (typeof status !== 'number') throw malformed('a status', head)
  const headers: [string, string][] = []
  for (let at = 1; at + 1 < head.length; at += 2) headers.push([String(head[at]), String(head[at + 1])])
  return { status, headers, body }
}

function join(head: string, body: Uint8Array): Uint8Array {
  const headBytes = Buffer.byteLength(head)
  const payload = Buffer.allocUnsafe(LENGTH_BYTES + headBytes + body.byteLength)
  payload.writeUInt32BE(headBytes, 0)
  payload.write(head, LENGTH_BYTES)
  payload.set(body, LENGTH_BYTES + headBytes)
  return payload
}

function split(payload: Uint8Array): { head: readonly unknown[]; body: Uint8Array } {
  const bytes = toBuffer(payload)
  const end = bytes.byteLength < LENGTH_BYTES ? Number.POSITIVE_INFINITY : LENGTH_BYTES + bytes.readUInt32BE(0)
  if (end > bytes.byteLength) throw malformed('a whole head', `${bytes.byteLength} bytes`)
  const head: unknown = parseJson(bytes.toString('utf8', LENGTH_BYTES, end))
  if (!Array.isArray(head)) throw malformed('a JSON array', head)
  return { head, body: end === bytes.byteLength ? EMPTY : bytes.subarray(end) }
}

/** Whether parsing the address would change nothing: no dot segments (encoded ones included), nothing to be encoded. */
function isNormal(path: string): boolean {
  return NORMAL_PATH.test(path) && !path.includes('/.')
}

/** Frames arrive as buffers already, and a new view costs a twentieth of the whole decoding. */
function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A plain object costs half of a `Headers`; only a repeated name needs the latter. */
function toHeadersInit(head: readonly unknown[], from: number): Record<string, string> | Headers {
  const plain: Record<string, string> = {}
  for (let at = from; at + 1 < head.length; at += 2) {
    const name = String(head[at])
    if (Object.hasOwn(plain, name)) return toHeaders(head, from)
    plain[name] = String(head[at + 1])
  }
  return plain
}

function toHeaders(head: readonly unknown[], from: number): Headers {
  const headers = new Headers()
  for (let at = from; at + 1 < head.length; at += 2) headers.append(String(head[at]), String(head[at + 1]))
  return headers
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function malformed(expected: string, got: unknown): Fault {
  return new Fault(
    'wire-malformed',
    `an HTTP message in a frame: expected ${expected}, got ${JSON.stringify(got)}; both ends must be the same build`,
  )
}
