import type { ListedTitle } from './choose.ts'
import type { MainPlaylist, MediaPlaylist, ViewerRequest } from './protocol.ts'

/**
 * What a viewer needs of each answer, checked by hand: the contract's own schemas check every field of every title, and a
 * generator that spends its time on that measures itself. Null when it is not there.
 */

export type SessionAnswer = { readonly viewerId: string; readonly token: string; readonly cell: string }
export type PlaybackAnswer = {
  readonly sessionId: string
  readonly token: string
  /** What stands between the token and the file in media paths: `<title>/`. */
  readonly directory: string
  readonly manifestFile: string
  readonly heartbeatMs: number
  readonly resumeMs: number
  readonly durationMs: number
}
export type HeartbeatAnswer = { readonly token: string; readonly heartbeatMs: number }

/** Whether an answer holds what a viewer needs of it. */
export function isReadable(request: Pick<ViewerRequest, 'kind' | 'read'>, content: unknown): boolean {
  if (request.read === 'main-playlist') return readMainPlaylist(content) !== null
  if (request.read === 'media-playlist') return readMediaPlaylist(content) !== null
  if (request.kind === 'session') return readSession(content) !== null
  if (request.kind === 'home') return readHome(content) !== null
  if (request.kind === 'title') return readTitle(content)
  if (request.kind === 'playback') return readPlayback(content) !== null
  if (request.kind === 'heartbeat') return readHeartbeat(content) !== null
  return true
}

export function readSession(content: unknown): SessionAnswer | null {
  const { viewerId, token, cell } = fieldsOf(content)
  if (!isWord(viewerId) || !isWord(token) || typeof cell !== 'string') return null
  return { viewerId, token, cell }
}

/** What the home page shows, hero first, each title once. */
export function readHome(content: unknown): readonly ListedTitle[] | null {
  const { hero, rails } = fieldsOf(content)
  if (!Array.isArray(rails)) return null
  const listed = new Map<string, ListedTitle>()
  if (hero !== null && hero !== undefined && !list(listed, hero)) return null
  for (const rail of rails) {
    const { titles } = fieldsOf(rail)
    if (!Array.isArray(titles) || !titles.every((title) => list(listed, title))) return null
  }
  return [...listed.values()]
}

function list(listed: Map<string, ListedTitle>, title: unknown): boolean {
  const { id, posterUrl } = fieldsOf(title)
  if (!isWord(id)) return false
  if (!listed.has(id)) listed.set(id, { id, posterUrl: isPath(posterUrl) ? posterUrl : null })
  return true
}

export function readTitle(content: unknown): boolean {
  return isWord(fieldsOf(content)['id'])
}

export function readPlayback(content: unknown): PlaybackAnswer | null {
  const { sessionId, manifestUrl, heartbeatMs, resumeMs, durationMs } = fieldsOf(content)
  if (!isWord(sessionId) || !isPath(manifestUrl) || !manifestUrl.startsWith('/v/')) return null
  const tokenEnd = manifestUrl.indexOf('/', 3)
  const directoryEnd = manifestUrl.lastIndexOf('/') + 1
  if (tokenEnd < 4 || directoryEnd <= tokenEnd + 1 || directoryEnd === manifestUrl.length) return null
  if (!isTime(heartbeatMs) || !isTime(resumeMs) || !isTime(durationMs)) return null
  const token = manifestUrl.slice(3, tokenEnd)
  const directory = manifestUrl.slice(tokenEnd + 1, directoryEnd)
  return {
    sessionId,
    token,
    directory,
    manifestFile: manifestUrl.slice(directoryEnd),
    heartbeatMs,
    resumeMs,
    durationMs,
  }
}

export function readHeartbeat(content: unknown): HeartbeatAnswer | null {
  const { token, heartbeatMs } = fieldsOf(content)
  return isWord(token) && isTime(heartbeatMs) ? { token, heartbeatMs } : null
}

/** Playlists were parsed by whoever received them; what is left to see is that there is something to play. */
export function readMainPlaylist(content: unknown): MainPlaylist | null {
  const { variants } = fieldsOf(content)
  if (!Array.isArray(variants) || variants.length === 0) return null
  // The parser of playlists made it: `read: 'main-playlist'` promises this type.
  return content as MainPlaylist
}

export function readMediaPlaylist(content: unknown): MediaPlaylist | null {
  const { segmentFiles, endsMs } = fieldsOf(content)
  if (!Array.isArray(segmentFiles) || !Array.isArray(endsMs) || endsMs.length === 0) return null
  if (segmentFiles.length !== endsMs.length || !isTime(endsMs.at(-1))) return null
  // As above, for `read: 'media-playlist'`.
  return content as MediaPlaylist
}

function fieldsOf(content: unknown): Readonly<Record<string, unknown>> {
  // Any object may be read as a record of unknowns.
  return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {}
}

/** Goes into a request's head or path: nothing that could end a line or begin another path. */
function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.~:-]+$/.test(value)
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && /^\/[\x21-\x7e]*$/.test(value)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
}
