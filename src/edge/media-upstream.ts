import { createHash } from 'node:crypto'
import type { ObjectInfo, ObjectsPort } from '../engines/objects/index.ts'
import { describeError, type Limits } from '../kernel/index.ts'
import { encodeHttpRequest, type WireHttpResponse } from '../wire/index.ts'
import type { Cells } from './cells.ts'
import { type ByteRange, type FieldLine, parseRanges, toContentRange, toUnsatisfiedRange } from './http/index.ts'
import type { Content, FetchFailure } from './origin/index.ts'
import { type EdgeProblem, RETRY_SOON, toProblemLines } from './problem.ts'
import type { Upstream, UpstreamAnswer, UpstreamRequest } from './proxy/ask.ts'
import { type CancelSignal, toAbortSignal } from './server/cancel.ts'

export type MediaWanted = {
  readonly titleId: string
  readonly file: string
  /** Whom the path token names; null for public artwork. */
  readonly viewer: { readonly sessionId: string; readonly cell: string } | null
}

export type MediaUpstreamOptions = {
  readonly cells: Cells
  readonly objects: ObjectsPort
  readonly isWithdrawn: (titleId: string) => boolean
  readonly limits: Pick<
    Limits,
    'segmentHoldMs' | 'apiTimeoutMs' | 'pathTokenTtlMs' | 'edgeSliceBytes' | 'edgeRangesMax'
  >
}

/**
 * Media as an HTTP origin would serve it, by asking a cell for the file of a title. The cell answers with a body, or with
 * the key of the object that holds it (`x-tentpole-object`), which is read here: media bytes never pass through a cell.
 * `Cache-Control` is for the viewer's player; this edge goes by `Tentpole-Cache-Control` (RFC 9213, 2.2).
 */
export function createMediaUpstream(options: MediaUpstreamOptions): Upstream<MediaWanted> {
  const { cells, objects, isWithdrawn, limits } = options
  // A copy in a browser outlives neither its token nor, for artwork, a withdrawal by much.
  const protectedCaching = `private, max-age=${Math.floor(limits.pathTokenTtlMs / 1000)}, immutable`
  const cachingOf = ({ viewer }: MediaWanted): string => (viewer ? protectedCaching : 'public, max-age=30')

  const askCell = (wanted: MediaWanted, signal: CancelSignal) =>
    cells.call({
      cell: wanted.viewer?.cell ?? null,
      payload: encodeHttpRequest({
        method: 'GET',
        path: `/_media/${wanted.titleId}/${wanted.file}`,
        headers: wanted.viewer ? [['x-tentpole-session', wanted.viewer.sessionId]] : [['x-tentpole-public', '1']],
        body: null,
      }),
      // A segment that is being made is held by the cell; only then does an ordinary call's time begin.
      timeoutMs: limits.segmentHoldMs + limits.apiTimeoutMs,
      repeatable: true,
      signal: toAbortSignal(signal),
    })

  const readBody = async ({ key, sizeBytes }: ObjectInfo, span: ByteRange): Promise<Content> => {
    const isWhole = span.start === 0 && span.end === sizeBytes
    const range = isWhole ? undefined : span
    if (span.end - span.start > limits.edgeSliceBytes) return await objects.stream(key, range)
    const bytes = sizeBytes === 0 ? new Uint8Array(0) : await objects.read(key, range)
    return bytes
  }

  const fromObject = async (
    { context, lines, method }: UpstreamRequest<MediaWanted>,
    objectKey: string,
    contentType: string,
  ): Promise<UpstreamAnswer> => {
    const info = await objects.head(objectKey)
    if (!info) return toFailure(missingObject)
    const { sizeBytes } = info
    const range = parseRanges(findValue(lines, 'range'), sizeBytes, limits.edgeRangesMax)
    const about: FieldLine[] = [
      ...toMediaLines(context, contentType, cachingOf(context)),
      ['tentpole-cache-control', IMMUTABLE],
      ['etag', quoted(info.etag)],
      ['accept-ranges', 'bytes'],
    ]
    if (range.kind === 'unsatisfiable')
      return toAnswer({ ...unsatisfiable, headers: { 'content-range': toUnsatisfiedRange(sizeBytes) } })
    const [only, ...more] = range.kind === 'ranges' ? range.ranges : []
    const part = only && more.length === 0 ? only : null
    const span = part ?? { start: 0, end: sizeBytes }
    const body = method === 'HEAD' ? null : await readBody(info, span)
    if (body === null && method !== 'HEAD') return toFailure(missingObject)
    about.push(['content-length', String(span.end - span.start)])
    if (!part) return { ok: true, status: 200, lines: about, body }
    return { ok: true, status: 206, lines: [...about, ['content-range', toContentRange(part, sizeBytes)]], body }
  }

  /** A playlist, or a refusal of the cell's. What it does not say may be kept, is for this once. */
  const fromCell = (request: UpstreamRequest<MediaWanted>, response: WireHttpResponse): UpstreamAnswer => {
    // A copy: the body is a view of a whole frame, which must not be kept alive by a cache.
    const bytes = Uint8Array.from(response.body)
    const contentType = headerOf(response, 'content-type') ?? 'application/octet-stream'
    const caching = headerOf(response, 'cache-control') ?? 'no-store'
    const lines: FieldLine[] = [...toMediaLines(request.context, contentType, caching)]
    for (const name of ['tentpole-cache-control', 'retry-after'] as const) {
      const value = headerOf(response, name)
      if (value !== null) lines.push([name, value])
    }
    if (response.status === 200) lines.push(['etag', headerOf(response, 'etag') ?? etagOf(bytes)])
    lines.push(['content-length', String(bytes.byteLength)])
    const body = request.method === 'HEAD' ? null : bytes
    return { ok: true, status: response.status, lines, body, isForAll: isForAll(response.status) }
  }

  return async (request) => {
    const { context, signal } = request
    if (isWithdrawn(context.titleId)) return { ok: false, code: 'title-withdrawn', why: 'the title was withdrawn' }
    const answer = await askCell(context, signal)
    if (!answer.ok) return toFailure(answer.problem)
    const { response } = answer
    const objectKey = headerOf(response, 'x-tentpole-object')
    if (response.status !== 200 || objectKey === null) return fromCell(request, response)
    try {
      return await fromObject(request, objectKey, headerOf(response, 'content-type') ?? 'application/octet-stream')
    } catch (error) {
      return { ...toFailure(objectsFailed), why: describeError(error) }
    }
  }
}

/** What a cell says of a file, and not of whom it was asked for: all who ask at this moment are told the same. */
const isForAll = (status: number): boolean => status === 404 || status === 410 || status >= 500

const IMMUTABLE = 'public, max-age=31536000, immutable'

function toMediaLines({ titleId }: MediaWanted, contentType: string, caching: string): readonly FieldLine[] {
  return [
    ['content-type', contentType],
    ['cache-control', caching],
    // What all of a title is purged by, and counted under.
    ['surrogate-key', titleId],
    ['access-control-allow-origin', '*'],
    ['access-control-expose-headers', 'cache-status, content-length, content-range, etag'],
    ['cross-origin-resource-policy', 'cross-origin'],
    ['referrer-policy', 'no-referrer'],
    ['x-content-type-options', 'nosniff'],
  ]
}

/** Nothing came from where it was asked for: one failure for all who wait, and reason enough to serve what is stale. */
function toFailure(problem: EdgeProblem): FetchFailure {
  return { ok: false, code: problem.code, why: problem.detail, problem }
}

function toAnswer(problem: EdgeProblem): UpstreamAnswer {
  const { lines, body } = toProblemLines(problem)
  return { ok: true, status: problem.status, lines, body }
}

function headerOf(response: WireHttpResponse, name: string): string | null {
  for (const [each, value] of response.headers) if (each === name) return value
  return null
}

function findValue(lines: readonly FieldLine[], name: string): string | null {
  return lines.find(([each]) => each === name)?.[1] ?? null
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
}

const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`)

const missingObject: EdgeProblem = {
  status: 502,
  code: 'object-missing',
  detail: 'the cell named an object that the object store does not have; retry later',
}
const objectsFailed: EdgeProblem = {
  status: 502,
  code: 'objects-failed',
  detail: 'the object store did not answer as it should; retry later',
  headers: RETRY_SOON,
}
const unsatisfiable: EdgeProblem = {
  status: 416,
  code: 'range-unsatisfiable',
  detail: 'the file ends before the range begins; ask for a range within it',
}
