import type { Plan } from '../../contracts/index.ts'
import { timelineOf, videoDurationS } from './timeline.ts'

const MICROS = 1_000_000

/** Playlists follow from the plan alone, which never changes; forgotten together with it. */
const rendered = new WeakMap<Plan, Map<string, string>>()

/**
 * The media playlist (RFC 8216) of a rendition or of `a0`: VOD, of full length from the title's first second. Null when
 * the plan has no such track.
 */
export function renderMediaPlaylist(plan: Plan, track: string): string | null {
  const ofPlan = rendered.get(plan) ?? new Map<string, string>()
  rendered.set(plan, ofPlan)
  const known = ofPlan.get(track)
  if (known !== undefined) return known
  const timeline = timelineOf(plan, track)
  if (!timeline) return null
  const lines: string[] = []
  let endedAt = 0
  let longest = 0
  for (let index = 0; index < timeline.count; index++) {
    // Rounded ends, not rounded durations: the sum is then exact to the microsecond however long the film is.
    const endsAt = Math.round(timeline.endS(index) * MICROS)
    longest = Math.max(longest, endsAt - endedAt)
    lines.push(`#EXTINF:${toSeconds(endsAt - endedAt)},`, `${track}/${index}.m4s`)
    endedAt = endsAt
  }
  const text = toVod(longest, ['#EXT-X-INDEPENDENT-SEGMENTS', `#EXT-X-MAP:URI="${track}/init.mp4"`, ...lines])
  ofPlan.set(track, text)
  return text
}

/** The playlist of a captions track: the whole file as one segment, on the timeline of the picture. */
export function renderCaptionsPlaylist(plan: Plan, track: string): string | null {
  if (!plan.captions.some((captions) => captions.id === track)) return null
  const duration = Math.round(videoDurationS(plan) * MICROS)
  return toVod(duration, [`#EXTINF:${toSeconds(duration)},`, `${track}.vtt`])
}

function toVod(longestMicros: number, lines: readonly string[]): string {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.ceil(longestMicros / MICROS)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...lines,
    '#EXT-X-ENDLIST',
    '',
  ].join('\n')
}

function toSeconds(micros: number): string {
  return (micros / MICROS).toFixed(6)
}
