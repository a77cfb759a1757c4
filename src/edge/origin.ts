import { createHash } from 'node:crypto'
import type { ObjectsPort } from '../engines/objects/index.ts'
import { Fault, type Limits } from '../kernel/index.ts'
import { encodeHttpRequest, type WireHttpResponse } from '../wire/index.ts'
import type { Cells } from './cells.ts'
import type { MediaObject } from './media-object.ts'
import type { EdgeProblem } from './problem.ts'
import { createTurns } from './turns.ts'

export type MediaWanted = {
  readonly titleId: string
  readonly file: string
  /** Whom the path token names; null for public artwork. */
  readonly viewer: { readonly sessionId: string; readonly cell: string } | null
}

/** What a cell and the objects made of one file. */
export type Origin =
  /** Immutable: may be cached and shared. */
  | { readonly kind: 'object'; readonly object: MediaObject }
  /** Immutable, but too large for memory: everyone streams it. */
  | {
      readonly kind: 'large'
      readonly objectKey: string
      readonly sizeBytes: number
      readonly etag: string
      readonly contentType: string
    }
  /** As the cell said, for this once: playlists, refusals. */
  | { readonly kind: 'answer'; readonly response: WireHttpResponse }
  | { readonly kind: 'problem'; readonly problem: EdgeProblem }

/**
 * Asks a cell for a file of a title. The cell answers with a body, or with the key of the object that holds it
 * (`x-tentpole-object`), which the edge reads itself: media bytes never pass through a cell.
 */
export function createOrigin(options: {
  cells: Cells
  objects: ObjectsPort
  limits: Pick<Limits, 'segmentHoldMs' | 'apiTimeoutMs' | 'edgeObjectBytesMax' | 'edgeCacheBytes'>
}): (wanted: MediaWanted, signal: AbortSignal) => Promise<Origin> {
  const { cells, objects, limits } = options
  // What is being read is memory beside the cache: bound it, too.
  const turns = createTurns({ atOnceMax: Math.max(1, Math.floor(limits.edgeCacheBytes / limits.edgeObjectBytesMax)) })

  const askCell = (wanted: MediaWanted, signal: AbortSignal) =>
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
      signal,
    })

  const readObject = async (objectKey: string, contentType: string, signal: AbortSignal): Promise<Origin> => {
    const info = await objects.head(objectKey)
    if (!info) return { kind: 'problem', problem: missingObject }
    const etag = quoted(info.etag)
    if (info.sizeBytes > limits.edgeObjectBytesMax)
      return { kind: 'large', objectKey, sizeBytes: info.sizeBytes, etag, contentType }
    const bytes = await turns.take(() => objects.read(objectKey), signal)
    if (!bytes) return { kind: 'problem', problem: missingObject }
    return { kind: 'object', object: { bytes, etag, contentType } }
  }

  return async (wanted, signal) => {
    const answer = await askCell(wanted, signal)
    if (!answer.ok) return { kind: 'problem', problem: answer.problem }
    const { response } = answer
    const contentType = headerOf(response, 'content-type') ?? 'application/octet-stream'
    const objectKey = headerOf(response, 'x-tentpole-object')
    if (response.status !== 200) return { kind: 'answer', response }
    if (objectKey !== null) return await readObject(objectKey, contentType, signal)
    if (!isImmutable(response)) return { kind: 'answer', response }
    return { kind: 'object', object: toObject(response, contentType) }
  }
}

export function headerOf(response: WireHttpResponse, name: string): string | null {
  for (const [each, value] of response.headers) if (each === name) return value
  return null
}

function isImmutable(response: WireHttpResponse): boolean {
  return /(?:^|[\s,])immutable(?:$|[\s,])/.test(headerOf(response, 'cache-control') ?? '')
}

function toObject(response: WireHttpResponse, contentType: string): MediaObject {
  // A copy: the body is a view of a whole frame, which must not be kept alive by a cache.
  const bytes = Uint8Array.from(response.body)
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return { bytes, etag: headerOf(response, 'etag') ?? `"${digest}"`, contentType }
}

const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`)

const missingObject: EdgeProblem = {
  status: 502,
  code: 'object-missing',
  detail: 'the cell named an object that the object store does not have; retry later',
}

/** The fault with which everything under way for a title ends when it is withdrawn. */
export function withdrawnFault(): Fault {
  return new Fault('title-withdrawn', 'the title was withdrawn')
}
