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
  type RangeRequest,
  type RequestHead,
  type ResponseHead,
  toCacheStatus,
  toContentRange,
  toUnsatisfiedRange,
} from '../http/index.ts'
import { type Answer, type AnswerReport, toHead } from '../server/message.ts'
import { declaredLength, toClientLines } from './messages.ts'
import { toStream } from './to-stream.ts'

export type Body = Answer['body']

/** Gives bytes of what is stored, from `start` to before `end`. */
export type ReadSpan = (span: ByteRange) => Body

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

export type PassingAnswer = {
  readonly request: RequestHead
  readonly response: ResponseHead
  readonly body: Body
  readonly cacheStatus: CacheReport
  readonly report: AnswerReport
}

/** An answer that goes by as it comes from the origin. */
export function respondPassing(parts: PassingAnswer): Answer {
  const { request, response, body, cacheStatus, report } = parts
  const lines: FieldLine[] = [...toClientLines(response), toReportLine(response, cacheStatus)]
  const { method } = request
  return toAnswer({
    method,
    status: response.status,
    lines,
    body,
    lengthBytes: declaredLength(response.fields),
    report,
  })
}

/** What goes by is what the client has already, as its conditions say (RFC 9110, 13.1): a 304, with what the origin sets by it. */
export function respondUnchanged({ request, response, body, cacheStatus, report }: PassingAnswer): Answer {
  const lines: FieldLine[] = [...toClientLines(response), toReportLine(response, cacheStatus)]
  cancel(body)
  const kept = lines.filter(([name]) => NOT_MODIFIED.has(name) || name === 'set-cookie')
  return toAnswer({ method: request.method, status: 304, lines: kept, body: null, lengthBytes: null, report })
}

export type StoredAnswer = {
  readonly request: RequestHead
  readonly stored: StoredResponse
  readonly read: ReadSpan
  /** Null while it is not known: then no range can be cut. */
  readonly sizeBytes: number | null
  readonly nowMs: number
  /** More ranges than these are answered with the whole. */
  readonly rangesMax: number
  readonly cacheStatus: CacheReport
  readonly report: AnswerReport
}

/** An answer that is stored, or just being stored from this very fetch: conditions and ranges are answered here. */
export function respondStored(parts: StoredAnswer): Answer {
  const { request, stored, read, sizeBytes, nowMs, cacheStatus, report } = parts
  const age: FieldLine = ['age', String(toAgeSeconds(currentAgeMs(stored, nowMs)))]
  const lines = [...toClientLines(stored), toReportLine(stored, cacheStatus), age]
  const { method } = request
  if (isUnchanged(request, stored, nowMs)) {
    const kept = lines.filter(([name]) => NOT_MODIFIED.has(name))
    return toAnswer({ method, status: 304, lines: kept, body: null, lengthBytes: null, report })
  }
  const range = sizeBytes === null ? null : selectRange({ ...parts, sizeBytes })
  if (range?.kind === 'unsatisfiable') return toUnsatisfiable({ method, lines, sizeBytes: sizeBytes ?? 0, report })
  if (range?.kind === 'ranges') return toPartial({ ...parts, lines, sizeBytes: sizeBytes ?? 0, ranges: range.ranges })
  const bodiless = method === 'HEAD' || stored.status === 204
  const body = bodiless ? null : read({ start: 0, end: sizeBytes ?? Number.POSITIVE_INFINITY })
  return toAnswer({ method, status: stored.status, lines, body, lengthBytes: sizeBytes, report })
}

/** What of a stored answer is asked for; null: the whole. `Range` counts for a GET of a 200 alone (RFC 9110, 14.2). */
export function selectRange(
  parts: Pick<StoredAnswer, 'request' | 'stored' | 'nowMs' | 'rangesMax'> & { readonly sizeBytes: number },
): Exclude<RangeRequest, { kind: 'ignore' }> | null {
  const { request, stored, sizeBytes, nowMs, rangesMax } = parts
  const { status, fields } = stored
  const value = request.fields.get('range')
  if (value === null || request.method !== 'GET' || status !== 200) return null
  const modified = lastModifiedOf(fields)
  const date = fields.get('date')
  const validators = {
    etag: entityTagOf(fields),
    lastModifiedMs: modified === null ? null : parseHttpDate(modified, nowMs),
    dateMs: date === null ? null : parseHttpDate(date, nowMs),
  }
  if (!decideIfRange(request.fields.get('if-range'), validators)) return null
  const range = parseRanges(value, sizeBytes, rangesMax)
  return range.kind === 'ignore' ? null : range
}

/** RFC 9111, 4.3.2: only of what would be a 200. */
export function isUnchanged(
  request: RequestHead,
  { status, fields }: Pick<StoredResponse, 'status' | 'fields'>,
  nowMs: number,
): boolean {
  if (status !== 200) return false
  if (request.fields.get('if-none-match') === null && request.fields.get('if-modified-since') === null) return false
  const modified = lastModifiedOf(fields) ?? fields.get('date')
  const representation = {
    etag: entityTagOf(fields),
    lastModifiedMs: modified === null ? null : parseHttpDate(modified, nowMs),
  }
  const question = { method: request.method, fields: request.fields, representation, nowMs }
  return decideCachePreconditions(question) === 'not-modified'
}

/** The same of what is not stored: only by a validator, for its Date is that of every new answer. */
export function isUnchangedPassing(request: RequestHead, { status, fields }: ResponseHead, nowMs: number): boolean {
  const dateless = { get: (name: string) => (name === 'date' ? null : fields.get(name)) }
  return isUnchanged(request, { status, fields: dateless }, nowMs)
}

function toReportLine({ fields }: Pick<ResponseHead, 'fields'>, cacheStatus: CacheReport): FieldLine {
  return ['cache-status', appendCacheStatus(fields.get('cache-status'), toCacheStatus(cacheStatus))]
}

function toUnsatisfiable(parts: {
  readonly method: string
  readonly lines: readonly FieldLine[]
  readonly sizeBytes: number
  readonly report: AnswerReport
}): Answer {
  const { method, lines, sizeBytes, report } = parts
  const own: FieldLine[] = lines.filter(([name]) => UNSATISFIABLE.has(name))
  own.push(['content-range', toUnsatisfiedRange(sizeBytes)])
  return toAnswer({ method, status: 416, lines: own, body: null, lengthBytes: null, report })
}

/** What still holds where nothing of the content is sent; scripts of other origins may read it as they may the content. */
const UNSATISFIABLE: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-status',
  'cross-origin-resource-policy',
  'date',
  'via',
])

function toPartial(
  parts: StoredAnswer & {
    readonly lines: readonly FieldLine[]
    readonly sizeBytes: number
    readonly ranges: readonly ByteRange[]
  },
): Answer {
  const { stored, read, lines, sizeBytes, ranges, report } = parts
  const [only, ...more] = ranges
  if (only && more.length === 0) {
    const own: FieldLine[] = [...lines, ['content-range', toContentRange(only, sizeBytes)]]
    const lengthBytes = only.end - only.start
    return toAnswer({ method: 'GET', status: 206, lines: own, body: read(only), lengthBytes, report })
  }
  const multipart = multipartBytes({
    boundary: randomBytes(16).toString('hex'),
    contentType: stored.fields.get('content-type'),
    sizeBytes,
    ranges,
  })
  const pieces: Body[] = multipart.parts.flatMap(({ head, range }) => [head, read(range)])
  const own = [...lines.filter(([name]) => name !== 'content-type'), ['content-type', multipart.contentType] as const]
  const body = joinBodies([...pieces, multipart.tail])
  return toAnswer({ method: 'GET', status: 206, lines: own, body, lengthBytes: multipart.lengthBytes, report })
}

/** One after the other, as pieces where all of it is here, else as a stream. */
function joinBodies(bodies: readonly Body[]): Body {
  const pieces = bodies.flatMap((body) => (body instanceof ReadableStream || body === null ? [] : toPieces(body)))
  if (!bodies.some((body) => body instanceof ReadableStream)) return pieces
  return toStream(eachPiece(bodies))
}

async function* eachPiece(bodies: readonly Body[]): AsyncGenerator<Uint8Array> {
  for (const body of bodies) if (body !== null) yield* body instanceof ReadableStream ? body : toPieces(body)
}

const toPieces = (body: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] =>
  body instanceof Uint8Array ? [body] : body

function toAnswer(parts: {
  readonly method: string
  readonly status: number
  readonly lines: readonly FieldLine[]
  readonly body: Body
  readonly lengthBytes: number | null
  readonly report: AnswerReport
}): Answer {
  const { method, status, lines, body, lengthBytes, report } = parts
  const dated = lines.some(([name]) => name === 'date')
  const head = toHead(lines)
  if (method !== 'HEAD' && status !== 204 && status !== 304) return { status, head, body, lengthBytes, report, dated }
  cancel(body)
  return { status, head, body: null, lengthBytes: method === 'HEAD' ? lengthBytes : null, report, dated }
}

export function cancel(body: Body): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {})
}
