import type { Job } from './job.ts'
import { API_TIMEOUT_MS, PLAYLIST_TIMEOUT_MS, SEGMENT_TIMEOUT_MS } from './limits.ts'
import type { Player } from './player.ts'
import type { RequestKind, ViewerRequest } from './protocol.ts'
import type { Viewer } from './state.ts'

/** Puts a job into words. Only called for jobs that the viewer's state allows. */
export function toRequest(viewer: Readonly<Viewer>, job: Job, dueMs: number): ViewerRequest {
  return WORDS[job.kind](viewer, job, dueMs)
}

type Words = (viewer: Readonly<Viewer>, job: Job, dueMs: number) => ViewerRequest

const WORDS: Readonly<Record<RequestKind, Words>> = {
  session({ origin }, _, dueMs) {
    const { country, tier, platform } = origin.population
    return api('session', { path: '/v1/session', token: null, body: { country, tier, platform } }, dueMs)
  },
  home: ({ token }, _, dueMs) => api('home', { path: '/v1/home', token, body: null }, dueMs),
  title: ({ token, titleId }, _, dueMs) =>
    api('title', { path: `/v1/titles/${titleId ?? ''}`, token, body: null }, dueMs),
  playback: ({ token, titleId }, _, dueMs) =>
    api('playback', { path: '/v1/playback', token, body: { titleId } }, dueMs),
  signals: ({ token, outbox }, job, dueMs) =>
    api('signals', { path: '/v1/signals', token, body: { signals: outbox.slice(0, job.index) } }, dueMs),
  heartbeat({ token, player }, _, dueMs) {
    const path = `/v1/playback/${player?.sessionId ?? ''}/heartbeat`
    return api('heartbeat', { path, token, body: { token: player?.token ?? '' } }, dueMs)
  },
  art: ({ posters }, job, dueMs) => file('art', posters[job.index] ?? '/', dueMs),
  playlist: (viewer, job, dueMs) => ({
    kind: 'playlist',
    method: 'GET',
    path: mediaPath(viewer.player, job),
    token: null,
    body: null,
    read: job.track === 'main' ? 'main-playlist' : 'media-playlist',
    dueMs,
    timeoutMs: PLAYLIST_TIMEOUT_MS,
  }),
  init: (viewer, job, dueMs) => file('init', mediaPath(viewer.player, job), dueMs),
  segment: (viewer, job, dueMs) => file('segment', mediaPath(viewer.player, job), dueMs),
}

function api(kind: RequestKind, call: Pick<ViewerRequest, 'path' | 'token' | 'body'>, dueMs: number): ViewerRequest {
  const { path, token, body } = call
  const method = body === null ? 'GET' : 'POST'
  return { kind, method, path, token, body, read: 'json', dueMs, timeoutMs: API_TIMEOUT_MS }
}

function file(kind: 'art' | 'init' | 'segment', path: string, dueMs: number): ViewerRequest {
  const timeoutMs = kind === 'art' ? API_TIMEOUT_MS : SEGMENT_TIMEOUT_MS
  return { kind, method: 'GET', path, token: null, body: null, read: 'bytes', dueMs, timeoutMs }
}

/** Under the newest token, whichever the playlist was fetched with. */
function mediaPath(player: Readonly<Player> | null, job: Job): string {
  return player === null ? '/' : `/v/${player.token}/${player.directory}${mediaFile(player, job)}`
}

function mediaFile(player: Readonly<Player>, { kind, track, variant, index }: Job): string {
  if (track === 'main') return player.manifestFile
  if (kind === 'playlist') {
    return (track === 'audio' ? player.main?.audioFile : player.main?.variants[variant]?.file) ?? ''
  }
  const playlist = track === 'audio' ? player.audio : player.videos[variant]
  return (kind === 'init' ? playlist?.initFile : playlist?.segmentFiles[index]) ?? ''
}
