import type { PathKeys, PathTokenCheck } from '../contracts/index.ts'
import type { ObjectsPort } from '../engines/objects/index.ts'
import { type Clock, faultCode, type Limits } from '../kernel/index.ts'
import type { Cells } from './cells.ts'
import { createFlights } from './flights.ts'
import { createMediaCache } from './media-object.ts'
import { CACHE_STATUS, createMediaResponses } from './media-response.ts'
import { createOrigin, type MediaWanted, type Origin, withdrawnFault } from './origin.ts'
import { createPathTokens } from './path-tokens.ts'
import { type EdgeProblem, RETRY_SOON, toProblemResponse } from './problem.ts'

export type Media = {
  /** `/v/<token>/<titleId>/<file…>` */
  protected(request: Request, path: string): Response | Promise<Response>
  /** `/art/<titleId>/poster.jpg` */
  artwork(request: Request, path: string): Response | Promise<Response>
  /** Called when a title is withdrawn: nothing of it is kept, read or waited for any more. */
  withdraw(titleId: string): void
  cachedBytes(): number
}

export type MediaOptions = {
  cells: Cells
  objects: ObjectsPort
  pathKeys: PathKeys
  revocations: { isWithdrawn(titleId: string): boolean; trusted(): boolean }
  limits: Limits
  clock: Clock
  /** Called before a request waits for a cell, which may hold it longer than an idle connection lives. */
  onHold: (request: Request) => void
}

const FILE = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*$/
const ARTWORK = /^\/art\/([0-9a-hjkmnp-tv-z]{16})\/(poster\.jpg)$/
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Serves media files from memory, from objects, or as a cell says; decides itself who may have them. */
export function createMedia(options: MediaOptions): Media {
  const { revocations, limits, clock, onHold } = options
  const cache = createMediaCache(limits)
  const flights = createFlights<Origin>({ flightsMax: limits.segmentHoldsMax })
  const origin = createOrigin(options)
  const responses = createMediaResponses({ objects: options.objects, limits })
  const checkToken = createPathTokens({ keys: options.pathKeys, tokensMax: limits.viewerTokensMemoMax })

  /** Playlists may be personal and change: each request asks the cell. All else is shared by everyone who wants it. */
  const fetchOrigin = (wanted: MediaWanted, key: string, signal: AbortSignal): Promise<Origin> => {
    if (isPlaylist(wanted)) return origin(wanted, signal)
    const fill = async (flightSignal: AbortSignal): Promise<Origin> => {
      const found = await origin(wanted, flightSignal)
      if (found.kind === 'object' && !revocations.isWithdrawn(wanted.titleId)) cache.set(key, found.object)
      return found
    }
    return flights.join(key, fill, signal)
  }

  const serveMiss = async (request: Request, wanted: MediaWanted, key: string): Promise<Response> => {
    onHold(request)
    const cacheStatus = isPlaylist(wanted)
      ? CACHE_STATUS.bypass
      : flights.has(key)
        ? CACHE_STATUS.collapsed
        : CACHE_STATUS.miss
    const found = await fetchOrigin(wanted, key, request.signal).catch((error: unknown): Origin => {
      return { kind: 'problem', problem: toFetchProblem(faultCode(error)) }
    })
    // It may have been withdrawn, or the log gone silent, while this waited.
    const refusal = refuseTitle(wanted)
    if (refusal) return toProblemResponse(refusal)
    return await responses.fromOrigin(request, found, wanted, cacheStatus)
  }

  const refuseTitle = ({ titleId, viewer }: MediaWanted): EdgeProblem | null => {
    if (viewer === null) return revocations.isWithdrawn(titleId) ? notFound : null
    if (!revocations.trusted()) return untrusted
    return revocations.isWithdrawn(titleId) ? withdrawn : null
  }

  const serve = (request: Request, wanted: MediaWanted): Response | Promise<Response> => {
    const refusal = refuseTitle(wanted)
    if (refusal) return toProblemResponse(refusal)
    const key = `${wanted.titleId}/${wanted.file}`
    const object = cache.get(key)
    return object ? responses.fromMemory(request, object, wanted, CACHE_STATUS.hit) : serveMiss(request, wanted, key)
  }

  return {
    protected(request, path) {
      if (!READS.has(request.method)) return toProblemResponse(onlyReads)
      const tokenEnd = path.indexOf('/', 3)
      const titleEnd = tokenEnd < 0 ? -1 : path.indexOf('/', tokenEnd + 1)
      const check = checkToken(path.slice(3, tokenEnd < 0 ? undefined : tokenEnd), clock.nowMs())
      if (!check.ok) return toProblemResponse(forbidden(check.code))
      const { titleId, sessionId, cell } = check.token
      if (titleEnd < 0 || path.slice(tokenEnd + 1, titleEnd) !== titleId)
        return toProblemResponse(forbidden('other-title'))
      const file = path.slice(titleEnd + 1)
      if (!FILE.test(file)) return toProblemResponse(notFound)
      return serve(request, { titleId, file, viewer: { sessionId, cell } })
    },
    artwork(request, path) {
      if (!READS.has(request.method)) return toProblemResponse(onlyReads)
      const match = ARTWORK.exec(path)
      if (!match) return toProblemResponse(notFound)
      const [, titleId = '', file = ''] = match
      return serve(request, { titleId, file, viewer: null })
    },
    withdraw(titleId) {
      cache.purge(titleId)
      flights.abort((key) => key.startsWith(`${titleId}/`), withdrawnFault())
      responses.cut(titleId)
    },
    cachedBytes: () => cache.bytes(),
  }
}

const isPlaylist = ({ file }: MediaWanted): boolean => file.endsWith('.m3u8')

function toFetchProblem(code: string): EdgeProblem {
  if (code === 'title-withdrawn') return withdrawn
  if (code === 'overloaded') {
    const detail = 'the edge fetches as much as it can; retry shortly'
    return { status: 503, code: 'edge-overloaded', detail, headers: RETRY_SOON }
  }
  if (code === 'cancelled')
    return { status: 503, code, detail: 'the request was cancelled; retry', headers: RETRY_SOON }
  return { status: 502, code: 'origin-failed', detail: `the file could not be read (${code}); retry later` }
}

function forbidden(code: (PathTokenCheck & { ok: false })['code'] | 'other-title'): EdgeProblem {
  return {
    status: 403,
    code: `token-${code}`,
    detail: 'expected an address signed for this title that has not expired; ask POST /v1/playback for a new one',
  }
}

const onlyReads: EdgeProblem = {
  status: 405,
  code: 'method-not-allowed',
  detail: 'media files are read only: expected GET or HEAD',
  headers: { allow: 'GET, HEAD' },
}
const notFound: EdgeProblem = { status: 404, code: 'file-not-found', detail: 'there is no such file' }
const withdrawn: EdgeProblem = { status: 410, code: 'title-withdrawn', detail: 'the title was withdrawn' }
const untrusted: EdgeProblem = {
  status: 503,
  code: 'log-silent',
  detail: 'the edge has not heard from the log for its grace period and cannot know what was withdrawn; retry shortly',
  headers: RETRY_SOON,
}
