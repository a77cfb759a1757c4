import type { z } from 'zod'
import {
  homeResponseSchema,
  playbackResponseSchema,
  sessionResponseSchema,
  signalsResponseSchema,
  titleResponseSchema,
} from '../../contracts/index.ts'
import type { Population } from '../scenario.ts'
import { type Got, judgeAnswer, type Read } from './answer.ts'
import { checkInit, checkSegment } from './boxes.ts'
import type { ProbeLimits } from './limits.ts'
import { parseTrackFiles, parseTracks, type TrackFiles } from './playlists.ts'
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
        readText((text) => parseTracks(text, path), 'no main playlist'),
      ),
    files: (path) =>
      media(
        path,
        readText((text) => parseTrackFiles(text, path), 'no playlist of a whole track'),
      ),
    init: (path) => media(path, readChecked(checkInit)),
    segment: (path) => media(path, readChecked(checkSegment)),
  }
}

/** `/v/<token>/<title>/v240/0.m4s` without the token, which is nobody's business in a report. */
export function withoutToken(path: string): string {
  return path.replace(/^\/v\/[^/]*\//, '/v/…/')
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

function readText<T>(parse: (text: string) => T | null, why: string): Read<T> {
  return (bytes) => {
    const value = parse(new TextDecoder().decode(bytes))
    return value === null ? { ok: false, why } : { ok: true, value }
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
