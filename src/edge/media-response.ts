import type { ObjectsPort } from '../engines/objects/index.ts'
import type { Limits } from '../kernel/index.ts'
import type { MediaObject } from './media-object.ts'
import { headerOf, type MediaWanted, type Origin } from './origin.ts'
import { toProblemResponse } from './problem.ts'
import { decideSelection, type Selection } from './ranges.ts'

/** Turns what was found into responses: conditionals, ranges, HEAD, and the headers of all. */
export type MediaResponses = {
  fromMemory(request: Request, object: MediaObject, wanted: MediaWanted, cacheStatus: CacheStatus): Response
  fromOrigin(
    request: Request,
    found: Origin,
    wanted: MediaWanted,
    cacheStatus: CacheStatus,
  ): Response | Promise<Response>
  /** Breaks off every stream of a title. */
  cut(titleId: string): void
}

/** How an answer came about, as `Cache-Status` says it (RFC 9211): what is measured as offload. */
export const CACHE_STATUS = {
  hit: 'tentpole; hit',
  miss: 'tentpole; fwd=uri-miss',
  collapsed: 'tentpole; fwd=uri-miss; collapsed',
  /** Made for each request. */
  bypass: 'tentpole; fwd=bypass',
} as const
export type CacheStatus = (typeof CACHE_STATUS)[keyof typeof CACHE_STATUS]

type Representation = { readonly etag: string; readonly contentType: string; readonly sizeBytes: number }
type Body = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null

/** What of a cell's own headers reaches the client. */
const ANSWER_HEADERS = ['content-type', 'cache-control', 'etag', 'retry-after'] as const
const ALWAYS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'cache-status, content-length, content-range, etag',
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export function createMediaResponses(options: {
  objects: ObjectsPort
  limits: Pick<Limits, 'pathTokenTtlMs' | 'edgeObjectBytesMax'>
}): MediaResponses {
  const { objects, limits } = options
  const streams = new Map<string, Set<AbortController>>()
  // A copy in a browser outlives neither its token nor, for artwork, a withdrawal by much.
  const protectedCaching = `private, max-age=${Math.floor(limits.pathTokenTtlMs / 1000)}, immutable`
  const cachingOf = ({ viewer }: MediaWanted): string => (viewer ? protectedCaching : 'public, max-age=30')

  const readLarge = async (
    found: Origin & { kind: 'large' },
    selection: Selection & { kind: 'whole' | 'part' },
    titleId: string,
  ): Promise<Body> => {
    const range = selection.kind === 'part' ? { start: selection.start, end: selection.end } : undefined
    const bytes = range ? range.end - range.start : found.sizeBytes
    // A small part is read whole, so that it has a length; Bun sends streams in chunks, without one.
    if (bytes <= limits.edgeObjectBytesMax)
      return (await objects.read(found.objectKey, range)) as Uint8Array<ArrayBuffer> | null
    const stream = await objects.stream(found.objectKey, range)
    return stream && cuttable(stream, titleId)
  }

  const cuttable = (stream: ReadableStream<Uint8Array>, titleId: string): ReadableStream<Uint8Array> => {
    const controller = new AbortController()
    const open = streams.get(titleId) ?? new Set()
    streams.set(titleId, open.add(controller))
    const forget = (): void => {
      open.delete(controller)
      if (open.size === 0 && streams.get(titleId) === open) streams.delete(titleId)
    }
    const through = new TransformStream<Uint8Array, Uint8Array>()
    stream.pipeTo(through.writable, { signal: controller.signal }).then(forget, forget)
    return through.readable
  }

  const fromLarge = async (
    request: Request,
    found: Origin & { kind: 'large' },
    wanted: MediaWanted,
    cacheStatus: CacheStatus,
  ) => {
    const selection = selectFor(request, found)
    if (selection.kind === 'unsatisfiable' || selection.kind === 'not-modified' || request.method === 'HEAD')
      return respond({ request, found, selection, caching: cachingOf(wanted), body: null, cacheStatus })
    const body = await readLarge(found, selection, wanted.titleId)
    if (!body)
      return toProblemResponse({ status: 502, code: 'object-missing', detail: 'the object is gone; retry later' })
    return respond({ request, found, selection, caching: cachingOf(wanted), body, cacheStatus })
  }

  return {
    fromMemory(request, object, wanted, cacheStatus) {
      const found = { etag: object.etag, contentType: object.contentType, sizeBytes: object.bytes.byteLength }
      const selection = selectFor(request, found)
      const bytes = selection.kind === 'part' ? object.bytes.subarray(selection.start, selection.end) : object.bytes
      const body = bytes as Uint8Array<ArrayBuffer>
      return respond({ request, found, selection, caching: cachingOf(wanted), body, cacheStatus })
    },
    fromOrigin(request, found, wanted, cacheStatus) {
      if (found.kind === 'problem') return toProblemResponse(found.problem)
      // Whoever waited for the same answer reads the object all the same: too large to be shared, it is everyone's own fetch.
      if (found.kind === 'large') return fromLarge(request, found, wanted, CACHE_STATUS.miss)
      if (found.kind === 'object') return this.fromMemory(request, found.object, wanted, cacheStatus)
      return fromAnswer(request, found, cacheStatus)
    },
    cut(titleId) {
      for (const controller of streams.get(titleId) ?? []) controller.abort()
    },
  }
}

function selectFor(request: Request, representation: Representation): Selection {
  const { headers } = request
  const range = headers.get('range')
  const ifNoneMatch = headers.get('if-none-match')
  if (range === null && ifNoneMatch === null) return { kind: 'whole' }
  return decideSelection({ range, ifNoneMatch, ifRange: headers.get('if-range') }, representation)
}

function respond(parts: {
  request: Request
  found: Representation
  selection: Selection
  caching: string
  body: Body
  cacheStatus: CacheStatus
}): Response {
  const { request, found, selection, caching, body, cacheStatus } = parts
  const headers: Record<string, string> = {
    ...ALWAYS,
    etag: found.etag,
    'cache-control': caching,
    'cache-status': cacheStatus,
    'accept-ranges': 'bytes',
  }
  if (selection.kind === 'not-modified') return new Response(null, { status: 304, headers })
  if (selection.kind === 'unsatisfiable') {
    headers['content-range'] = `bytes */${found.sizeBytes}`
    return toProblemResponse({
      status: 416,
      code: 'range-unsatisfiable',
      detail: `the file has ${found.sizeBytes} bytes; ask for a range within them`,
      headers,
    })
  }
  headers['content-type'] = found.contentType
  const { start, end } = selection.kind === 'part' ? selection : { start: 0, end: found.sizeBytes }
  if (selection.kind === 'part') headers['content-range'] = `bytes ${start}-${end - 1}/${found.sizeBytes}`
  headers['content-length'] = String(end - start)
  const status = selection.kind === 'part' ? 206 : 200
  return new Response(request.method === 'HEAD' ? null : body, { status, headers })
}

/** A playlist or a refusal of the cell's. */
function fromAnswer(request: Request, { response }: Origin & { kind: 'answer' }, cacheStatus: CacheStatus): Response {
  const headers: Record<string, string> = { ...ALWAYS, 'cache-control': 'no-store', 'cache-status': cacheStatus }
  for (const name of ANSWER_HEADERS) {
    const value = headerOf(response, name)
    if (value !== null) headers[name] = value
  }
  headers['content-length'] = String(response.body.byteLength)
  const body = request.method === 'HEAD' ? null : (response.body as Uint8Array<ArrayBuffer>)
  return new Response(body, { status: response.status, headers })
}
