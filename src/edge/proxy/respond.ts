import { randomBytes } from 'node:crypto'
import { currentAgeMs, entityTagOf, lastModifiedOf, type StoredResponse, toAgeSeconds } from '../cache/policy/index.ts'
import {
  appendCacheStatus,
  type ByteRange,
  type CacheReport,
  decideCachePreconditions,
  decideIfRange,
  type FieldLine,
  multipartBytes,
  parseHttpDate,
  parseRanges,
  type RequestHead,
  type ResponseHead,
  toCacheStatus,
  toContentRange,
  toUnsatisfiedRange,
} from '../http/index.ts'
import { declaredLength, toClientLines } from './messages.ts'

type Body = Uint8Array | ReadableStream<Uint8Array> | null

/** What a 304 says; all else would describe a content that it does not have (RFC 9110, 15.4.5). */
const NOT_MODIFIED: ReadonlySet<string> = new Set([
  'cache-control',
  'cache-status',
  'cdn-cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'last-modified',
  'age',
  'vary',
  'via',
])

/**
 * The answer to almost everyone: what is stored, whole, unasked by conditions or ranges. Its fields are put together once
 * for each stored answer; only the age and how it came about are new.
 */
export function respondHit(stored: StoredResponse, bytes: Uint8Array, ageMs: number, report: CacheReport): Response {
  const { fixed, upstream } = prepare(stored)
  const headers = {
    ...fixed,
    age: String(toAgeSeconds(ageMs)),
    'cache-status': appendCacheStatus(upstream, toCacheStatus(report)),
  }
  return new Response(bytes as Uint8Array<ArrayBuffer>, { status: stored.status, headers })
}

/** Whether `respondHit` may answer: a GET with nothing that selects less than the whole, of fields that each have one line. */
export function isPlainHit({ method, fields }: RequestHead, stored: StoredResponse): boolean {
  if (method !== 'GET' || stored.status === 204 || prepare(stored).fixed === null) return false
  return SELECTING.every((name) => fields.get(name) === null)
}

const SELECTING = ['range', 'if-none-match', 'if-modified-since'] as const

type Prepared = { readonly fixed: Readonly<Record<string, string>> | null; readonly upstream: string | null }
const preparedOf = new WeakMap<StoredResponse, Prepared>()

function prepare(stored: StoredResponse): Prepared {
  const known = preparedOf.get(stored)
  if (known) return known
  const lines = toClientLines(stored).filter(([name]) => name !== 'cache-status')
  const isPlain = new Set(lines.map(([name]) => name)).size === lines.length
  const made = { fixed: isPlain ? Object.fromEntries(lines) : null, upstream: stored.fields.get('cache-status') }
  preparedOf.set(stored, made)
  return made
}

/** An answer that goes by as it comes from the origin. */
export function respondPassing(
  request: RequestHead,
  response: ResponseHead,
  body: Body,
  report: CacheReport,
): Response {
  const lines = withReport(toClientLines(response), response, report)
  return toResponse({
    method: request.method,
    status: response.status,
    lines,
    body,
    lengthBytes: declaredLength(response.fields),
  })
}

/** An answer that is stored, or just being stored from this very fetch: conditions and ranges are answered here. */
export function respondStored(options: {
  readonly request: RequestHead
  readonly stored: StoredResponse
  readonly body: Body
  readonly sizeBytes: number | null
  readonly nowMs: number
  readonly report: CacheReport
}): Response {
  const { request, stored, body, sizeBytes, nowMs, report } = options
  const age: FieldLine = ['age', String(toAgeSeconds(currentAgeMs(stored, nowMs)))]
  const lines = [...withReport(toClientLines(stored), stored, report), age]
  const { method } = request
  if (isUnchanged(request, stored, nowMs)) {
    cancel(body)
    const kept = lines.filter(([name]) => NOT_MODIFIED.has(name))
    return toResponse({ method, status: 304, lines: kept, body: null, lengthBytes: null })
  }
  const range = body instanceof Uint8Array ? toRange(request, stored, body.byteLength, nowMs) : null
  if (range?.kind === 'unsatisfiable') return toUnsatisfiable(method, lines, sizeBytes ?? 0)
  if (range?.kind === 'ranges' && body instanceof Uint8Array) return toPartial(lines, stored, body, range.ranges)
  return toResponse({ method, status: stored.status, lines, body, lengthBytes: sizeBytes })
}

function withReport(lines: FieldLine[], { fields }: Pick<ResponseHead, 'fields'>, report: CacheReport): FieldLine[] {
  const status = appendCacheStatus(fields.get('cache-status'), toCacheStatus(report))
  return [...lines.filter(([name]) => name !== 'cache-status'), ['cache-status', status]]
}

/** RFC 9111, 4.3.2: only of what would be a 200. */
function isUnchanged(request: RequestHead, { status, fields }: StoredResponse, nowMs: number): boolean {
  if (status !== 200) return false
  const modified = lastModifiedOf(fields) ?? fields.get('date')
  const representation = {
    etag: entityTagOf(fields),
    lastModifiedMs: modified === null ? null : parseHttpDate(modified, nowMs),
  }
  const question = { method: request.method, fields: request.fields, representation, nowMs }
  return decideCachePreconditions(question) === 'not-modified'
}

/** `Range` counts for a GET of a 200 alone (RFC 9110, 14.2). */
function toRange(request: RequestHead, { status, fields }: StoredResponse, sizeBytes: number, nowMs: number) {
  const value = request.fields.get('range')
  if (value === null || request.method !== 'GET' || status !== 200) return null
  const modified = lastModifiedOf(fields)
  const date = fields.get('date')
  const validators = {
    etag: entityTagOf(fields),
    lastModifiedMs: modified === null ? null : parseHttpDate(modified, nowMs),
    dateMs: date === null ? null : parseHttpDate(date, nowMs),
  }
  return decideIfRange(request.fields.get('if-range'), validators) ? parseRanges(value, sizeBytes) : null
}

function toUnsatisfiable(method: string, lines: readonly FieldLine[], sizeBytes: number): Response {
  const own: FieldLine[] = [...lines.filter(([name]) => name === 'via' || name === 'cache-status' || name === 'date')]
  own.push(['content-range', toUnsatisfiedRange(sizeBytes)])
  return toResponse({ method, status: 416, lines: own, body: null, lengthBytes: 0 })
}

function toPartial(
  lines: readonly FieldLine[],
  { fields }: StoredResponse,
  bytes: Uint8Array,
  ranges: readonly ByteRange[],
): Response {
  const [only, ...more] = ranges
  if (only && more.length === 0) {
    const own: FieldLine[] = [...lines, ['content-range', toContentRange(only, bytes.byteLength)]]
    const body = bytes.subarray(only.start, only.end)
    return toResponse({ method: 'GET', status: 206, lines: own, body, lengthBytes: body.byteLength })
  }
  const parts = multipartBytes({
    boundary: randomBytes(16).toString('hex'),
    contentType: fields.get('content-type'),
    sizeBytes: bytes.byteLength,
    ranges,
  })
  const body = Buffer.concat([
    ...parts.parts.flatMap(({ head, range }) => [head, bytes.subarray(range.start, range.end)]),
    parts.tail,
  ])
  const own = [...lines.filter(([name]) => name !== 'content-type'), ['content-type', parts.contentType] as const]
  return toResponse({ method: 'GET', status: 206, lines: own, body, lengthBytes: body.byteLength })
}

/** The server frames the message: a stream is sent in chunks, so that a length beside it would be a second framing. */
function toResponse(answer: {
  readonly method: string
  readonly status: number
  readonly lines: readonly FieldLine[]
  readonly body: Body
  readonly lengthBytes: number | null
}): Response {
  const { method, status, lines, body, lengthBytes } = answer
  const headers: [string, string][] = lines.map(([name, value]) => [name, value])
  if (method === 'HEAD' || status === 204 || status === 304) {
    cancel(body)
    if (method === 'HEAD' && lengthBytes !== null && status !== 304)
      headers.push(['content-length', String(lengthBytes)])
    return new Response(null, { status, headers })
  }
  // Bytes of the cache are views that are shared; what is given away is not written to.
  return new Response(body as Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null, { status, headers })
}

function cancel(body: Body): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {})
}
