import { AUDIO_TRACK_ID, type Plan } from '../../contracts/index.ts'
import { renderMainPlaylist } from './main-playlist.ts'
import { renderCaptionsPlaylist, renderMediaPlaylist } from './media-playlist.ts'
import { timelineOf } from './timeline.ts'
import type { PlayableTitle } from './title.ts'

/** What a media address of a listed title stands for right now. */
export type MediaFile =
  /** `isFinal`: it will never read otherwise. */
  | { readonly kind: 'playlist'; readonly text: string; readonly isFinal: boolean }
  | { readonly kind: 'object'; readonly objectKey: string; readonly contentType: string }
  /** Belongs to the plan, but this segment (or, for a track's header, any) has to be made first. */
  | { readonly kind: 'unmade'; readonly track: string; readonly index: number | 'any' }
  | { readonly kind: 'unknown' }

type PlannedTitle = PlayableTitle & { readonly plan: Plan }
type Find = (title: PlannedTitle, match: readonly string[], options: { renditionAheadMs: number }) => MediaFile

const UNKNOWN: MediaFile = { kind: 'unknown' }

/** `file` is what follows the title in the path: `main.m3u8`, `v360/12.m4s`. */
export function findMediaFile(title: PlayableTitle, file: string, options: { renditionAheadMs: number }): MediaFile {
  if (!title.plan) return UNKNOWN
  for (const [pattern, find] of FILES) {
    const match = pattern.exec(file)
    if (match) return find(title as PlannedTitle, match, options)
  }
  return UNKNOWN
}

const FILES: readonly (readonly [RegExp, Find])[] = [
  [
    /^(v\d{1,5}|a0)\/(0|[1-9]\d{0,6})\.m4s$/,
    (title, [, track = '', index]) => findSegment(title, track, Number(index)),
  ],
  [/^(v\d{1,5}|a0)\/init\.mp4$/, (title, [, track = '']) => findInit(title, track)],
  [/^(v\d{1,5}|a0)\.m3u8$/, (title, [, track = '']) => toFixedPlaylist(renderMediaPlaylist(title.plan, track))],
  [
    /^main\.m3u8$/,
    (title, _, options) => ({ kind: 'playlist', text: mainPlaylistOf(title, options), isFinal: isMade(title) }),
  ],
  [
    /^(c\d{1,3})\.m3u8$/,
    (title, [, track = '']) =>
      toFixedPlaylist(title.captions.has(track) ? renderCaptionsPlaylist(title.plan, track) : null),
  ],
  [/^(c\d{1,3})\.vtt$/, (title, [, track = '']) => toObject(title.captions.get(track), 'text/vtt; charset=utf-8')],
  [/^poster\.jpg$/, (title) => toObject(title.poster, 'image/jpeg')],
]

/** A title is a new object after every change, so its rendering can be kept by identity; a crowd asks for the same one. */
const mainPlaylists = new WeakMap<PlayableTitle, string>()

function mainPlaylistOf(title: PlannedTitle, options: { renditionAheadMs: number }): string {
  const text = mainPlaylists.get(title) ?? renderMainPlaylist(title, options)
  mainPlaylists.set(title, text)
  return text
}

function findSegment(title: PlannedTitle, track: string, index: number): MediaFile {
  const timeline = timelineOf(title.plan, track)
  if (!timeline || index >= timeline.count) return UNKNOWN
  const segment = title.readiness.get(track)?.segments[index]
  return segment ? toObject(segment.objectKey, mimeOf(track)) : { kind: 'unmade', track, index }
}

/** A track's header comes with whichever of its segments is made first. */
function findInit(title: PlannedTitle, track: string): MediaFile {
  if (!timelineOf(title.plan, track)) return UNKNOWN
  const made = title.readiness.get(track)
  return made ? toObject(made.initKey, mimeOf(track)) : { kind: 'unmade', track, index: 'any' }
}

function mimeOf(track: string): string {
  return track === AUDIO_TRACK_ID ? 'audio/mp4' : 'video/mp4'
}

/** It follows from the plan alone, which is made once. */
function toFixedPlaylist(text: string | null): MediaFile {
  return text === null ? UNKNOWN : { kind: 'playlist', text, isFinal: true }
}

/** Everything that is planned is there: nothing will join what is listed. */
function isMade({ plan, readiness, captions }: PlannedTitle): boolean {
  const tracks = [...plan.renditions.map(({ id }) => id), ...(plan.audio ? [AUDIO_TRACK_ID] : [])]
  return (
    tracks.every((track) => readiness.get(track)?.made === timelineOf(plan, track)?.count) &&
    plan.captions.every(({ id }) => captions.has(id))
  )
}

function toObject(objectKey: string | null | undefined, contentType: string): MediaFile {
  return objectKey ? { kind: 'object', objectKey, contentType } : UNKNOWN
}
