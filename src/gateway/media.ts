import type { Limits } from '../kernel/index.ts'
import type { Catalog, SegmentWait } from '../services/catalog/index.ts'
import { findMediaFile, type MediaFile, type WantedSegments } from '../services/playback/index.ts'
import { toProblem } from './problem.ts'
import type { Answer, Caller } from './route.ts'
import { toTitleProblem } from './title-problem.ts'

/** The edge's own headers: it lets no client's through. */
const SESSION_HEADER = 'x-tentpole-session'
const PUBLIC_HEADER = 'x-tentpole-public'
const OBJECT_HEADER = 'x-tentpole-object'

const PUBLIC_FILES: ReadonlySet<string> = new Set(['poster.jpg'])
const PATH = /^\/_media\/([0-9a-z]{1,64})\/([\w./-]{1,64})$/
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Short enough for a withdrawal or a new rendition to be seen soon, long enough for a crowd to share one rendering. */
const PLAYLIST_MAX_AGE = 'public, max-age=1'
/** What the edge goes by (RFC 9213, 2.2): it is told of withdrawals, so what is final it may keep; of the rest it has one at a time made. */
const EDGE_CACHING = {
  final: 'public, max-age=86400',
  growing: 'public, max-age=1, stale-while-revalidate=5',
} as const

type Unmade = Extract<MediaFile, { kind: 'unmade' }>

/**
 * Answers the edge's requests for media: playlists as text, files by the key of the object to send. Asked for a segment
 * that is still to be made, it says that it is wanted and holds the request.
 */
export function createMedia(options: {
  catalog: Pick<Catalog, 'get' | 'getListed' | 'waitForSegment'>
  wanted: WantedSegments
  limits: Pick<Limits, 'segmentHoldMs' | 'renditionAheadMs'>
}): (request: Request, path: string, caller: Caller) => Answer {
  const { catalog, wanted, limits } = options

  const look = (titleId: string, file: string): MediaFile | null => {
    const title = catalog.getListed(titleId)
    return title ? findMediaFile(title, file, limits) : null
  }
  const answer = (titleId: string, file: string, found: MediaFile | null): Response | null => {
    if (!found) return toTitleProblem(titleId, catalog.get(titleId))
    if (found.kind === 'unmade') return null
    if (found.kind === 'unknown') return toProblem('file-not-found', `The title ${titleId} has no file ${file}.`)
    return found.kind === 'playlist' ? toPlaylist(found) : toObject(found.objectKey, found.contentType)
  }
  const hold = async (titleId: string, file: string, caller: Caller, unmade: Unmade): Promise<Response> => {
    wanted.want(titleId, unmade.track, unmade.index === 'any' ? 0 : unmade.index)
    const { segmentHoldMs: timeoutMs } = limits
    const ended = await catalog.waitForSegment(titleId, unmade.track, unmade.index, {
      timeoutMs,
      signal: caller.signal,
    })
    return answer(titleId, file, look(titleId, file)) ?? notReady(ended, file)
  }

  return (request, path, caller) => {
    const [, titleId, file] = PATH.exec(path) ?? []
    if (titleId === undefined || file === undefined)
      return toProblem('file-not-found', `No media has the address ${path}.`)
    if (!isAllowed(request.headers, file))
      return toProblem('signature-missing', `${file} is served only to a session that the edge has checked.`)
    const found = look(titleId, file)
    return answer(titleId, file, found) ?? hold(titleId, file, caller, found as Unmade)
  }
}

function isAllowed(headers: Headers, file: string): boolean {
  return headers.get(SESSION_HEADER) !== null || (headers.get(PUBLIC_HEADER) === '1' && PUBLIC_FILES.has(file))
}

function notReady(ended: SegmentWait, file: string): Response {
  const why = ended === 'full' ? 'too many requests wait for segments already' : 'it is still being made'
  return toProblem('segment-not-ready', `${file}: ${why}; ask again in a moment.`, { headers: { 'retry-after': '1' } })
}

function toPlaylist({ text, isFinal }: Extract<MediaFile, { kind: 'playlist' }>): Response {
  return new Response(text, {
    headers: {
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': PLAYLIST_MAX_AGE,
      'tentpole-cache-control': isFinal ? EDGE_CACHING.final : EDGE_CACHING.growing,
    },
  })
}

function toObject(objectKey: string, contentType: string): Response {
  return new Response(null, {
    headers: { [OBJECT_HEADER]: objectKey, 'content-type': contentType, 'cache-control': IMMUTABLE },
  })
}
