import type { MainPlaylist, MediaPlaylist, ViewerRequest } from '../protocol.ts'
import type { Reply, Server } from './server.ts'

export const PREMIERE_ID = '0000000000000001'
export const TITLE_IDS: readonly string[] = Array.from({ length: 5 }, (_, at) => `000000000000000${at + 1}`)
export const SESSION_ID = '0199a1a0-1234-7000-8000-0123456789ab'

export type Film = {
  readonly durationMs: number
  readonly segmentMs: number
  readonly hasAudio: boolean
  readonly bitratesBps: readonly number[]
}

export const FILM: Film = { durationMs: 20_000, segmentMs: 2_000, hasAudio: true, bitratesBps: [400_000, 2_000_000] }

/** A platform that does everything right, `afterMs` after it was asked. */
export function createSoundServer(film: Film = FILM, options: { afterMs?: number; resumeMs?: number } = {}): Server {
  const { afterMs = 5, resumeMs = 0 } = options
  const main = toMainPlaylist(film)
  const playlists = new Map(main.variants.map(({ file }) => [file, toMediaPlaylist(file.replace('.m3u8', ''), film)]))
  if (main.audioFile !== null) playlists.set(main.audioFile, toMediaPlaylist('a0', film))
  let renewals = 0
  return (request) => {
    if (request.kind === 'heartbeat') renewals += 1
    return { ...answer(request, { film, main, playlists, resumeMs, renewals }), afterMs }
  }
}

type Known = {
  readonly film: Film
  readonly main: MainPlaylist
  readonly playlists: ReadonlyMap<string, MediaPlaylist>
  readonly resumeMs: number
  readonly renewals: number
}

function answer(request: ViewerRequest, known: Known): Omit<Reply & { ok: true }, 'afterMs'> {
  const { film, main, playlists, resumeMs, renewals } = known
  const file = request.path.split('/').slice(4).join('/')
  switch (request.kind) {
    case 'session':
      return json({ viewerId: 'viewer', token: 'viewer-token', expiresAtMs: 1, cell: 'a' })
    case 'home':
      return json(toHome())
    case 'title':
      return json({ id: request.path.slice('/v1/titles/'.length), name: 'A film' })
    case 'playback': {
      const { titleId } = request.body as { titleId: string }
      const manifestUrl = `/v/token-0/${titleId}/main.m3u8`
      const { durationMs } = film
      return json({ sessionId: SESSION_ID, manifestUrl, heartbeatMs: 7_000, expiresAtMs: 1, resumeMs, durationMs })
    }
    case 'heartbeat':
      return json({ token: `token-${renewals}`, expiresAtMs: 1, heartbeatMs: 7_000 })
    case 'signals':
      return json({ accepted: 1 })
    case 'playlist':
      return json(request.read === 'main-playlist' ? main : playlists.get(file))
    case 'segment': {
      const bps = file.startsWith('a0') ? 64_000 : Number(film.bitratesBps[Number(file.slice(1, 2))])
      return { ok: true, content: null, bytes: Math.round((bps * film.segmentMs) / 8_000) }
    }
    default:
      return { ok: true, content: null, bytes: 1_000 }
  }
}

function json(content: unknown): Omit<Reply & { ok: true }, 'afterMs'> {
  return { ok: true, content, bytes: 400 }
}

/** The premiere is the hero, and on the rail too. */
export function toHome(ids: readonly string[] = TITLE_IDS): unknown {
  const titles = ids.map((id) => ({ id, name: id, posterUrl: `/art/${id}/poster.jpg` }))
  return { hero: titles[0] ?? null, rails: [{ id: 'new', name: 'New', titles }] }
}

function toMainPlaylist({ bitratesBps, hasAudio }: Film): MainPlaylist {
  const variants = bitratesBps.map((bandwidthBps, at) => ({
    file: `v${at}.m3u8`,
    bandwidthBps,
    height: 240 * (at + 1),
  }))
  return { variants, audioFile: hasAudio ? 'a0.m3u8' : null }
}

function toMediaPlaylist(track: string, { durationMs, segmentMs }: Film): MediaPlaylist {
  const count = Math.ceil(durationMs / segmentMs)
  return {
    initFile: `${track}/init.mp4`,
    segmentFiles: Array.from({ length: count }, (_, at) => `${track}/${at}.m4s`),
    endsMs: Array.from({ length: count }, (_, at) => Math.min(durationMs, (at + 1) * segmentMs)),
  }
}
