import type { z } from 'zod'
import {
  homeResponseSchema,
  playbackResponseSchema,
  sessionResponseSchema,
  signalsResponseSchema,
  titleResponseSchema,
} from '../../contracts/index.ts'
import { type PlaylistResult, parseMainPlaylist, parseMediaPlaylist } from '../http/index.ts'
import type { Population } from '../scenario.ts'
import { type Got, judgeAnswer, type Read } from './answer.ts'
import { checkInit, checkSegment } from './boxes.ts'
import type { ProbeLimits } from './limits.ts'
import type { Send } from './send.ts'

export type Who = Pick<Population, 'country' | 'tier' | 'platform'>
export type Visitor = Pick<z.infer<typeof sessionResponseSchema>, 'viewerId' | 'token' | 'cell'>
export type Listed = {
  readonly id: string
  readonly name: string
  readonly durationMs: number
  /** Still being made: a segment may have to be waited for. */
  readonly beingMade: boolean
}
export type Started = Pick<z.infer<typeof playbackResponseSchema>, 'sessionId' | 'manifestUrl'>
/** Paths of a whole track's files. */
export type TrackFiles = { readonly init: string; readonly segments: readonly string[] }
export type ProgressSignal = {
  readonly id: string
  readonly sessionId: string
  readonly titleId: string
  readonly kind: 'progress'
  readonly positionMs: number
}

/** The viewer API and the media behind it, every answer checked for what it must hold. */
export type Client = {
  session(who: Who): Promise<Got<Visitor>>
  /** Each title of the page once. */
  home(visitor: Visitor): Promise<Got<readonly Listed[]>>
  resumeMs(visitor: Visitor, titleId: string): Promise<Got<number | null>>
  playback(visitor: Visitor, titleId: string): Promise<Got<Started>>
  signal(visitor: Visitor, signal: ProgressSignal): Promise<Got<null>>
  /** Paths of the playlists of the listed renditions and of the sound. */
  tracks(manifestUrl: string): Promise<Got<readonly string[]>>
  files(playlist: string): Promise<Got<TrackFiles>>
  init(path: string): Promise<Got<null>>
  segment(path: string): Promise<Got<null>>
}

export function createClient(options: {
  send: Send
  limits: Pick<ProbeLimits, 'apiTimeoutMs' | 'mediaTimeoutMs'>
}): Client {
  const { send, limits } = options

  const api = async <T>(method: 'GET' | 'POST', path: string, token: string | null, body: unknown, read: Read<T>) => {
    const answer = await send({ method, path, token, body, timeoutMs: limits.apiTimeoutMs })
    return judgeAnswer(answer, `${method} ${path}`, read)
  }
  const media = async <T>(path: string, read: Read<T>): Promise<Got<T>> => {
    const answer = await send({ method: 'GET', path, token: null, body: null, timeoutMs: limits.mediaTimeoutMs })
    return judgeAnswer(answer, `GET ${withoutToken(path)}`, read)
  }

  return {
    session: (who) =>
      api(
        'POST',
        '/v1/session',
        null,
        toSessionBody(who),
        readJson(sessionResponseSchema, (body) => body),
      ),
    home: ({ token }) => api('GET', '/v1/home', token, null, readJson(homeResponseSchema, toListed)),
    resumeMs: ({ token }, titleId) =>
      api(
        'GET',
        `/v1/titles/${titleId}`,
        token,
        null,
        readJson(titleResponseSchema, ({ resumeMs }) => resumeMs),
      ),
    playback: ({ token }, titleId) =>
      api(
        'POST',
        '/v1/playback',
        token,
        { titleId },
        readJson(playbackResponseSchema, (body) => body),
      ),
    signal: ({ token }, signal) =>
      api(
        'POST',
        '/v1/signals',
        token,
        { signals: [signal] },
        readJson(signalsResponseSchema, () => null),
      ),
    tracks: (path) =>
      media(
        path,
        readPlaylist((text) => toTracks(text, path)),
      ),
    files: (path) =>
      media(
        path,
        readPlaylist((text) => toTrackFiles(text, path)),
      ),
    init: (path) => media(path, readChecked(checkInit)),
    segment: (path) => media(path, readChecked(checkSegment)),
  }
}

/** `/v/<token>/<title>/v240/0.m4s` without the token, which is nobody's business in a report. */
export function withoutToken(path: string): string {
  return path.replace(/^\/v\/[^/]*\//, '/v/…/')
}

/** The variants in their order, then the sound. */
function toTracks(text: string, path: string): PlaylistResult<readonly string[]> {
  const main = parseMainPlaylist(text)
  if (!main.ok) return main
  const { variants, audioFile } = main.playlist
  const files = [...variants.map(({ file }) => file), ...(audioFile === null ? [] : [audioFile])]
  const { directory } = splitMediaPath(path)
  return { ok: true, playlist: files.map((file) => directory + file) }
}

function toTrackFiles(text: string, path: string): PlaylistResult<TrackFiles> {
  const { directory, file } = splitMediaPath(path)
  const media = parseMediaPlaylist(text, file)
  if (!media.ok) return media
  const { initFile, segmentFiles } = media.playlist
  if (initFile === null) return { ok: false, why: 'a playlist without EXT-X-MAP' }
  const segments = segmentFiles.map((segment) => directory + segment)
  return { ok: true, playlist: { init: directory + initFile, segments } }
}

/** `/v/<token>/<title>/`, where the main playlist lies and from where all files are named, and what that calls this one. */
export function splitMediaPath(path: string): { readonly directory: string; readonly file: string } {
  const parts = path.split('/')
  return { directory: `${parts.slice(0, 4).join('/')}/`, file: parts.slice(4).join('/') }
}

function toSessionBody({ country, tier, platform }: Who): Who {
  return { country, tier, platform }
}

function toListed(home: z.infer<typeof homeResponseSchema>): readonly Listed[] {
  const cards = [...(home.hero ? [home.hero] : []), ...home.rails.flatMap((rail) => rail.titles)]
  const byId = new Map(cards.map((card) => [card.id, card]))
  return [...byId.values()].map(({ id, name, durationMs, state }) => ({
    id,
    name,
    durationMs,
    beingMade: state === 'playable',
  }))
}

function readJson<S extends z.ZodType, T>(schema: S, pick: (body: z.infer<S>) => T): Read<T> {
  return (bytes) => {
    const parsed = schema.safeParse(parseJson(bytes))
    return parsed.success
      ? { ok: true, value: pick(parsed.data) }
      : { ok: false, why: 'a body that is not what the contract says' }
  }
}

function readPlaylist<T>(parse: (text: string) => PlaylistResult<T>): Read<T> {
  return (bytes) => {
    const parsed = parse(new TextDecoder().decode(bytes))
    return parsed.ok ? { ok: true, value: parsed.playlist } : parsed
  }
}

function readChecked(check: (bytes: Uint8Array) => string | null): Read<null> {
  return (bytes) => {
    const why = check(bytes)
    return why === null ? { ok: true, value: null } : { ok: false, why }
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
