import { AUDIO_TRACK_ID, type AudioTimeline, type Plan, type Rendition } from '../../contracts/index.ts'
import { timelineOf, videoDurationS } from './timeline.ts'
import type { PlayableTitle, PlayableTrack } from './title.ts'

const AAC_LC = 'mp4a.40.2'

/**
 * The multivariant playlist (RFC 8216): the lowest rendition, and each other that is ahead, so that a player which
 * chooses it does not run into what is still being made. Addresses are relative and so inherit the path's token.
 */
export function renderMainPlaylist(
  title: PlayableTitle & { readonly plan: Plan },
  options: { renditionAheadMs: number },
): string {
  const { plan, captions } = title
  const listed = plan.renditions.filter(
    (rendition, index) => index === 0 || isAhead(title, rendition, options.renditionAheadMs),
  )
  const subtitles = plan.captions.filter((track) => captions.has(track.id))
  const names = uniqueNames(subtitles.map((track) => track.label || track.language))
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(plan.audio ? [renderAudio(plan.audio)] : []),
    ...subtitles.map((track, index) => renderSubtitles(track, names[index] ?? track.id)),
    ...listed.flatMap((rendition) => [renderVariant(title, rendition, subtitles.length > 0), `${rendition.id}.m3u8`]),
    '',
  ].join('\n')
}

/** Heights of the renditions a player is offered now, from lowest to highest. */
export function listedHeights(
  title: PlayableTitle & { readonly plan: Plan },
  options: { renditionAheadMs: number },
): number[] {
  return title.plan.renditions
    .filter((rendition, index) => index === 0 || isAhead(title, rendition, options.renditionAheadMs))
    .map((rendition) => rendition.height)
}

function isAhead(title: PlayableTitle & { readonly plan: Plan }, rendition: Rendition, aheadMs: number): boolean {
  const track = title.readiness.get(rendition.id)
  const timeline = timelineOf(title.plan, rendition.id)
  if (!track || !timeline) return false
  return track.made >= timeline.count || timeline.endS(track.contiguous - 1) * 1000 >= aheadMs
}

function renderAudio(audio: AudioTimeline): string {
  return toTag('EXT-X-MEDIA', [
    ['TYPE', 'AUDIO'],
    ['GROUP-ID', quote('audio')],
    ['NAME', quote(audio.language === 'und' ? 'Sound' : audio.language)],
    ['LANGUAGE', quote(audio.language)],
    ['DEFAULT', 'YES'],
    ['AUTOSELECT', 'YES'],
    ['CHANNELS', quote(String(audio.channels))],
    ['URI', quote(`${AUDIO_TRACK_ID}.m3u8`)],
  ])
}

function renderSubtitles(track: Plan['captions'][number], name: string): string {
  return toTag('EXT-X-MEDIA', [
    ['TYPE', 'SUBTITLES'],
    ['GROUP-ID', quote('captions')],
    ['NAME', quote(name)],
    ['LANGUAGE', quote(track.language)],
    ['DEFAULT', 'NO'],
    ['AUTOSELECT', 'YES'],
    ['FORCED', 'NO'],
    ['URI', quote(`${track.id}.m3u8`)],
  ])
}

function renderVariant(
  title: PlayableTitle & { readonly plan: Plan },
  rendition: Rendition,
  hasSubtitles: boolean,
): string {
  const { plan, readiness } = title
  const video = readiness.get(rendition.id)
  const audio = readiness.get(AUDIO_TRACK_ID)
  const bandwidth =
    Math.max(rendition.bitrateBps, measuredPeakBps(plan, rendition.id, video)) +
    (plan.audio ? Math.max(plan.audio.bitrateBps, measuredPeakBps(plan, AUDIO_TRACK_ID, audio)) : 0)
  const average = averageBps(plan, rendition.id, video, audio)
  const codecs = [video?.codec ?? rendition.codec, ...(plan.audio ? [audio?.codec ?? AAC_LC] : [])]
  return toTag('EXT-X-STREAM-INF', [
    ['BANDWIDTH', String(bandwidth)],
    ...(average === null ? [] : [['AVERAGE-BANDWIDTH', String(Math.min(average, bandwidth))] as const]),
    ['CODECS', quote(codecs.join(','))],
    ['RESOLUTION', `${rendition.width}x${rendition.height}`],
    ['FRAME-RATE', (plan.video.timescale / plan.video.frameTicks).toFixed(3)],
    ...(plan.audio ? [['AUDIO', quote('audio')] as const] : []),
    ...(hasSubtitles ? [['SUBTITLES', quote('captions')] as const] : []),
    ['CLOSED-CAPTIONS', 'NONE'],
  ])
}

/**
 * The largest bit rate of any segment made so far: what an encoder is told is a wish, and a player that believes too
 * small a figure stalls. Segments under half the usual length do not count (RFC 8216, section 4.1): they are mostly headers.
 */
function measuredPeakBps(plan: Plan, track: string, made: PlayableTrack | undefined): number {
  const timeline = timelineOf(plan, track)
  if (!made || !timeline) return 0
  const usualS = timeline.endS(0)
  let peak = 0
  for (const [index, segment] of made.segments.entries()) {
    const durationS = timeline.endS(index) - timeline.endS(index - 1)
    if (segment && durationS * 2 >= usualS) peak = Math.max(peak, (segment.bytes * 8) / durationS)
  }
  return Math.ceil(peak)
}

/** Only of what is complete: an average of the beginning says nothing about the film. */
function averageBps(
  plan: Plan,
  rendition: string,
  video: PlayableTrack | undefined,
  audio: PlayableTrack | undefined,
): number | null {
  const isComplete = (track: string, made: PlayableTrack | undefined): made is PlayableTrack =>
    made !== undefined && made.made >= (timelineOf(plan, track)?.count ?? Number.POSITIVE_INFINITY)
  if (!isComplete(rendition, video)) return null
  if (plan.audio && !isComplete(AUDIO_TRACK_ID, audio)) return null
  return Math.ceil(((video.bytes + (plan.audio ? (audio?.bytes ?? 0) : 0)) * 8) / videoDurationS(plan))
}

function toTag(name: string, attributes: readonly (readonly [string, string])[]): string {
  return `#${name}:${attributes.map(([key, value]) => `${key}=${value}`).join(',')}`
}

/** A quoted string cannot hold a double quote or a line break (RFC 8216, section 4.2); labels come from people. */
function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return `"${text.replaceAll('"', "'").replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')}"`
}

/** Names must differ within a group (RFC 8216, section 4.3.4.1.1). */
function uniqueNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const before = seen.get(name) ?? 0
    seen.set(name, before + 1)
    return before === 0 ? name : `${name} (${before + 1})`
  })
}
