import type { Population, TitleLaw } from '../scenario.ts'
import type { ListedTitle } from './choose.ts'

/** What kind of request: rows of the report. */
export const REQUEST_KINDS = [
  'session',
  'home',
  'title',
  'art',
  'playback',
  'playlist',
  'init',
  'segment',
  'signals',
  'heartbeat',
] as const
export type RequestKind = (typeof REQUEST_KINDS)[number]

/** One at a time per viewer. `path` is absolute, on the target. */
export type ViewerRequest = {
  readonly kind: RequestKind
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** The viewer's own token, or null before there is one and for media. */
  readonly token: string | null
  readonly body: unknown | null
  /** How the answer is read: `bytes` are counted and thrown away. */
  readonly read: 'json' | 'main-playlist' | 'media-playlist' | 'bytes'
  /** When it was due, ms from the storm's begin: latency counts from here. */
  readonly dueMs: number
  readonly timeoutMs: number
}

/** Files of playlists are relative to the directory of the main playlist (`v240/0.m4s`), so that all viewers share one list: only that directory carries a viewer's own token. */
export type Variant = { readonly file: string; readonly bandwidthBps: number; readonly height: number }
export type MainPlaylist = { readonly variants: readonly Variant[]; readonly audioFile: string | null }
/** `endsMs[i]`: where segment i ends on the film's timeline. */
export type MediaPlaylist = {
  readonly initFile: string | null
  readonly segmentFiles: readonly string[]
  readonly endsMs: readonly number[]
}

export type ViewerEvent =
  | { readonly type: 'arrive' }
  /** The time that the last `wake` effect named has come. */
  | { readonly type: 'wake' }
  /** The request under way was answered with a 2xx; `content` is what `read` asked for (`bytes`: null). */
  | {
      readonly type: 'answer'
      readonly status: number
      readonly content: unknown
      readonly bytes: number
      /** From the first byte sent to the last received. */
      readonly tookMs: number
    }
  | { readonly type: 'failed'; readonly failure: Failure }
  /** The premiere is over; go home at `atMs`. Ignored by whoever does not watch it. */
  | { readonly type: 'premiere-ended'; readonly atMs: number }
  /** The storm is over: the viewer leaves, and tells what was still under way. */
  | { readonly type: 'storm-ended' }

/** `status`: any answer that is not 2xx. `unreadable`: a 2xx whose content is not what the contract says. */
export type Failure =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly code: string | null
      readonly retryAfterMs: number | null
    }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'connection'; readonly why: string }

export type ViewerEffect =
  | { readonly type: 'request'; readonly request: ViewerRequest }
  /** The only alarm: a later one replaces an earlier. */
  | { readonly type: 'wake'; readonly atMs: number }
  /** The connection may be closed and the viewer forgotten. */
  | { readonly type: 'leave' }
  | { readonly type: 'note'; readonly note: ViewerNote }

/** What the recorder and the journal are told. */
export type ViewerNote =
  | { readonly type: 'mode'; readonly mode: ViewerMode }
  | { readonly type: 'cell'; readonly cell: string }
  /** First picture, `ms` after the click. */
  | { readonly type: 'started'; readonly ms: number }
  /** Waited with the film begun; `seek`: because the viewer went elsewhere in it, which no platform can spare them. */
  | { readonly type: 'stalled'; readonly ms: number; readonly cause: 'dry' | 'seek' }
  /** Played since the last such note. */
  | { readonly type: 'played'; readonly ms: number }
  /** `refused`: not by the length of the wait, but by an answer that leaves nothing to wait for. */
  | {
      readonly type: 'gave-up'
      readonly during: 'startup' | 'stall' | 'browsing'
      readonly why: 'waited' | 'refused'
      readonly waitedMs: number
    }
  /** The storm ended before the first picture. */
  | { readonly type: 'unstarted'; readonly waitedMs: number }
  /** Told before the request is sent, and again when it was acknowledged. */
  | { readonly type: 'playback-sent'; readonly viewerId: string }
  | { readonly type: 'playback-acknowledged'; readonly viewerId: string; readonly sessionId: string }
  | { readonly type: 'signals-sent'; readonly ids: readonly string[] }
  | { readonly type: 'signals-acknowledged'; readonly ids: readonly string[] }

export type ViewerMode = 'browsing' | 'starting' | 'playing' | 'stalled' | 'gone'

/** What a viewer is born with. */
export type ViewerOrigin = {
  readonly index: number
  readonly seed: number
  readonly population: Population
  readonly titles: TitleLaw
  /** The premiere's title id; null when the target has none. */
  readonly premiereId: string | null
  /** What they choose from, in place of what home shows. */
  readonly choices?: readonly ListedTitle[] | undefined
}
