import { createId } from '../../src/kernel/index.ts'
import type { Platform } from './platform.ts'

export type Playback = {
  sessionId: string
  manifestUrl: string
  heartbeatMs: number
  resumeMs: number
  durationMs: number
}
export type Playlist = { init: string | null; segments: { url: string; durationS: number }[]; ended: boolean }

/** A viewer without a browser: a session, playback, playlists and segments over HTTP. */
export type Viewer = {
  readonly viewerId: string
  readonly token: string
  get(path: string): Promise<Response>
  post(path: string, body: unknown): Promise<Response>
  play(titleId: string): Promise<Playback>
  signal(playback: Playback, titleId: string, kind: string, positionMs: number): Promise<Response>
}

export async function createViewer(
  platform: Platform,
  viewer = { country: 'DE', tier: 'standard', platform: 'web' },
): Promise<Viewer> {
  const response = await fetch(new URL('/v1/session', platform.watchUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(viewer),
  })
  if (!response.ok) throw new Error(`POST /v1/session: ${response.status} ${await response.text()}`)
  const { token, viewerId } = (await response.json()) as { token: string; viewerId: string }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(new URL(path, platform.watchUrl), { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    viewerId,
    token,
    post,
    get: (path) => fetch(new URL(path, platform.watchUrl), { headers }),
    async play(titleId) {
      const answer = await post('/v1/playback', { titleId })
      if (!answer.ok) throw new Error(`POST /v1/playback: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as Playback
    },
    signal: (playback, titleId, kind, positionMs) =>
      post('/v1/signals', { signals: [{ id: createId(), sessionId: playback.sessionId, titleId, kind, positionMs }] }),
  }
}

/** The text of a playlist; throws on anything but 200. */
export async function fetchText(url: URL | string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${response.status} for a playlist: ${await response.text()}`)
  return await response.text()
}

/** Absolute addresses of a master playlist's variants (with their height), audio and subtitles. */
export function parseMaster(
  text: string,
  base: URL,
): { variants: { url: URL; height: number; bandwidth: number; codecs: string }[]; audio: URL[]; captions: URL[] } {
  const lines = text.split('\n')
  const variants = lines.flatMap((line, index) => {
    const height = /RESOLUTION=\d+x(\d+)/.exec(line)?.[1]
    if (!line.startsWith('#EXT-X-STREAM-INF:') || !height) return []
    const bandwidth = Number(/[:,]BANDWIDTH=(\d+)/.exec(line)?.[1])
    return [
      {
        url: new URL(lines[index + 1] ?? '', base),
        height: Number(height),
        bandwidth,
        codecs: /CODECS="([^"]+)"/.exec(line)?.[1] ?? '',
      },
    ]
  })
  const media = (type: string): URL[] =>
    lines
      .filter((line) => line.startsWith('#EXT-X-MEDIA:') && line.includes(`TYPE=${type}`))
      .map((line) => new URL(/URI="([^"]+)"/.exec(line)?.[1] ?? '', base))
  return { variants, audio: media('AUDIO'), captions: media('SUBTITLES') }
}

export function parsePlaylist(text: string, base: URL): Playlist {
  const lines = text.split('\n').map((line) => line.trim())
  const init = /URI="([^"]+)"/.exec(lines.find((line) => line.startsWith('#EXT-X-MAP:')) ?? '')?.[1]
  const segments = lines.flatMap((line, index) =>
    line.startsWith('#EXTINF:')
      ? [{ durationS: Number.parseFloat(line.slice(8)), url: new URL(lines[index + 1] ?? '', base).href }]
      : [],
  )
  return { init: init ? new URL(init, base).href : null, segments, ended: lines.includes('#EXT-X-ENDLIST') }
}

/** A whole track's bytes: init and every segment in order. */
export async function download(playlist: Playlist): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const url of [...(playlist.init ? [playlist.init] : []), ...playlist.segments.map((segment) => segment.url)]) {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${response.status} for a segment: ${await response.text()}`)
    parts.push(await response.bytes())
  }
  return Buffer.concat(parts)
}
