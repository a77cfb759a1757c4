import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { AUDIO_SEGMENTS, FILM_PLAN, VIDEO_SEGMENTS } from '../../../test/fixtures/film.ts'
import type { Plan } from '../../contracts/index.ts'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { listedHeights, renderCaptionsPlaylist, renderMainPlaylist, renderMediaPlaylist } from './index.ts'
import type { PlayableTitle, PlayableTrack } from './title.ts'

const AHEAD = { renditionAheadMs: DEFAULT_LIMITS.renditionAheadMs }
/** Segments of the sample whose end lies at or beyond the time a rendition must be ahead. */
const SEGMENTS_AHEAD = Math.ceil(DEFAULT_LIMITS.renditionAheadMs / ((47 * 1001) / 24))

function track(made: number, options: { from?: number; codec?: string; bytes?: number } = {}): PlayableTrack {
  const { from = 0, codec = 'avc1.64001f', bytes = 50_000 } = options
  const segments = Array.from({ length: from + made }, (_, index) =>
    index < from ? undefined : { objectKey: `k/${index}`, bytes },
  )
  return { codec, initKey: 'k/init', segments, made, contiguous: from === 0 ? made : 0, bytes: made * bytes }
}
function title(
  readiness: Readonly<Record<string, PlayableTrack>>,
  change: { plan?: Plan; captions?: readonly string[] } = {},
): PlayableTitle & { plan: Plan } {
  return {
    id: '0123456789abcdef',
    plan: change.plan ?? FILM_PLAN,
    readiness: new Map(Object.entries(readiness)),
    captions: new Map((change.captions ?? []).map((id) => [id, `k/${id}.vtt`])),
    poster: null,
  }
}

/** Reads HLS back, by the book: an attribute list is `NAME=value` with quoted or bare values (RFC 8216, section 4.2). */
function parseHls(text: string) {
  const lines = text.split('\n')
  expect(lines[0]).toBe('#EXTM3U')
  expect(lines.at(-1)).toBe('')
  const tags: { name: string; value: string; attributes: Record<string, string>; uri: string | undefined }[] = []
  for (const [at, line] of lines.entries()) {
    const [, name, value = ''] = /^#([A-Z0-9-]+)(?::(.*))?$/.exec(line) ?? []
    if (!name) continue
    const pairs = [...value.matchAll(/([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s]+))(?:,|$)/g)]
    const next = lines[at + 1]
    tags.push({
      name,
      value,
      attributes: Object.fromEntries(pairs.map(([, key, quoted, bare]) => [key, quoted ?? bare])),
      uri: next && !next.startsWith('#') ? next : undefined,
    })
  }
  const named = (name: string) => tags.filter((tag) => tag.name === name)
  return { named, first: (name: string) => named(name)[0] }
}
/** Exact: in whole microseconds. */
const durations = (text: string): number[] =>
  parseHls(text)
    .named('EXTINF')
    .map((tag) => Math.round(Number(tag.value.replace(/,$/, '')) * 1_000_000))
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

test('a media playlist is full-length VOD, with the addresses of the edge', () => {
  const text = renderMediaPlaylist(FILM_PLAN, 'v480') ?? ''
  const hls = parseHls(text)
  expect(hls.first('EXT-X-VERSION')?.value).toBe('7')
  expect(hls.first('EXT-X-PLAYLIST-TYPE')?.value).toBe('VOD')
  expect(hls.first('EXT-X-MAP')?.attributes).toEqual({ URI: 'v480/init.mp4' })
  expect(hls.named('EXT-X-ENDLIST')).toHaveLength(1)
  expect(hls.named('EXTINF').map((tag) => tag.uri)).toEqual(
    Array.from({ length: VIDEO_SEGMENTS }, (_, index) => `v480/${index}.m4s`),
  )
  const frame = 1_001 / 24_000
  expect(hls.first('EXTINF')?.value).toBe(`${(47 * frame).toFixed(6)},`)
  expect(sum(durations(text))).toBe(Math.round(1_440 * frame * 1_000_000))
})

test('sound has its own grid of whole frames', () => {
  const text = renderMediaPlaylist(FILM_PLAN, 'a0') ?? ''
  expect(durations(text)).toHaveLength(AUDIO_SEGMENTS)
  const frames = Math.ceil(2_882_880 / 1_024)
  expect(sum(durations(text))).toBe(Math.round((frames * 1_024 * 1_000_000) / 48_000))
})

test('whatever the frame rate and length, durations add up to the microsecond and none exceeds the target', () => {
  const video = fc.record({
    timescale: fc.constantFrom(24_000, 25_000, 30_000, 60_000),
    frameTicks: fc.constantFrom(1_000, 1_001),
    frames: fc.integer({ min: 1, max: 50_000 }),
    framesPerSegment: fc.integer({ min: 12, max: 120 }),
    segmentsPerChunk: fc.constant(2),
  })
  fc.assert(
    fc.property(video, (timeline) => {
      const text = renderMediaPlaylist({ ...FILM_PLAN, video: timeline }, 'v240') ?? ''
      const each = durations(text)
      expect(sum(each)).toBe(Math.round(((timeline.frames * timeline.frameTicks) / timeline.timescale) * 1_000_000))
      const target = Number(parseHls(text).first('EXT-X-TARGETDURATION')?.value)
      expect(each.every((duration) => duration > 0 && duration <= target * 1_000_000)).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test('there are no playlists of tracks that the plan has not', () => {
  expect(renderMediaPlaylist(FILM_PLAN, 'v1080')).toBeNull()
  expect(renderMediaPlaylist({ ...FILM_PLAN, audio: null }, 'a0')).toBeNull()
  expect(renderCaptionsPlaylist(FILM_PLAN, 'c7')).toBeNull()
})

test('captions are one segment as long as the picture', () => {
  const text = renderCaptionsPlaylist(FILM_PLAN, 'c1') ?? ''
  const [segment, ...more] = parseHls(text).named('EXTINF')
  expect([segment?.uri, more]).toEqual(['c1.vtt', []])
  expect(sum(durations(text))).toBe(sum(durations(renderMediaPlaylist(FILM_PLAN, 'v240') ?? '')))
})

test('a title that is just playable has its lowest rendition and its sound', () => {
  const hls = parseHls(renderMainPlaylist(title({ v240: track(2), a0: track(2, { codec: 'mp4a.40.2' }) }), AHEAD))
  expect(hls.first('EXT-X-VERSION')?.value).toBe('7')
  expect(hls.named('EXT-X-INDEPENDENT-SEGMENTS')).toHaveLength(1)
  expect(hls.named('EXT-X-STREAM-INF').map((tag) => tag.uri)).toEqual(['v240.m3u8'])
  expect(hls.first('EXT-X-STREAM-INF')?.attributes).toEqual({
    BANDWIDTH: String(400_000 + Math.ceil((50_000 * 8) / ((94 * 1024) / 48_000))),
    CODECS: 'avc1.64001f,mp4a.40.2',
    RESOLUTION: '426x240',
    'FRAME-RATE': '23.976',
    AUDIO: 'audio',
    'CLOSED-CAPTIONS': 'NONE',
  })
  expect(hls.named('EXT-X-MEDIA').map((tag) => tag.attributes)).toEqual([
    {
      TYPE: 'AUDIO',
      'GROUP-ID': 'audio',
      NAME: 'en',
      LANGUAGE: 'en',
      DEFAULT: 'YES',
      AUTOSELECT: 'YES',
      CHANNELS: '2',
      URI: 'a0.m3u8',
    },
  ])
})

test('a rendition is listed once it is ahead from the start, or complete; the lowest always', () => {
  const heights = (readiness: Readonly<Record<string, PlayableTrack>>) => listedHeights(title(readiness), AHEAD)
  expect(heights({})).toEqual([240])
  expect(heights({ v240: track(1), v480: track(SEGMENTS_AHEAD - 1) })).toEqual([240])
  expect(heights({ v240: track(1), v480: track(SEGMENTS_AHEAD) })).toEqual([240, 480])
  expect(heights({ v240: track(1), v480: track(SEGMENTS_AHEAD, { from: 5 }) })).toEqual([240])
  const short: Plan = { ...FILM_PLAN, video: { ...FILM_PLAN.video, frames: 94 } }
  expect(listedHeights(title({ v480: track(1) }, { plan: short }), AHEAD)).toEqual([240])
  expect(listedHeights(title({ v480: track(2) }, { plan: short }), AHEAD)).toEqual([240, 480])
})

test('bandwidth is the larger of what was planned and what was measured; the average only of what is complete', () => {
  const variant = (readiness: Readonly<Record<string, PlayableTrack>>, plan: Plan = { ...FILM_PLAN, audio: null }) =>
    parseHls(renderMainPlaylist(title(readiness, { plan }), AHEAD)).first('EXT-X-STREAM-INF')?.attributes
  const segmentS = (47 * 1001) / 24_000
  expect(variant({ v240: track(2, { bytes: 1_000 }) })?.['BANDWIDTH']).toBe('400000')
  expect(variant({ v240: track(2, { bytes: 200_000 }) })?.['BANDWIDTH']).toBe(String(Math.ceil(1_600_000 / segmentS)))
  expect(variant({ v240: track(VIDEO_SEGMENTS - 1) })?.['AVERAGE-BANDWIDTH']).toBeUndefined()
  const complete = track(VIDEO_SEGMENTS)
  expect(variant({ v240: complete })?.['AVERAGE-BANDWIDTH']).toBe(String(Math.ceil((complete.bytes * 8) / 60.06)))
  expect(variant({ v240: complete })?.['CODECS']).toBe('avc1.64001f')
  expect(variant({ v240: complete, a0: track(3) }, FILM_PLAN)?.['AVERAGE-BANDWIDTH']).toBeUndefined()
  expect(variant({ v240: complete, a0: track(AUDIO_SEGMENTS) }, FILM_PLAN)?.['AVERAGE-BANDWIDTH']).toBeDefined()
})

test('captions are listed once they are ready, under names that differ and cannot break the playlist', () => {
  const plan: Plan = {
    ...FILM_PLAN,
    captions: [
      { id: 'c0', language: 'en', label: 'English "SDH"\n#EXT-X-ENDLIST' },
      { id: 'c1', language: 'de', label: 'Deutsch' },
      { id: 'c2', language: 'de', label: 'Deutsch' },
    ],
  }
  const subtitles = (captions: readonly string[]) =>
    parseHls(renderMainPlaylist(title({}, { plan, captions }), AHEAD))
      .named('EXT-X-MEDIA')
      .filter((tag) => tag.attributes['TYPE'] === 'SUBTITLES')
      .map((tag) => [tag.attributes['NAME'], tag.attributes['LANGUAGE'], tag.attributes['URI']])
  expect(subtitles([])).toEqual([])
  expect(subtitles(['c0', 'c1', 'c2'])).toEqual([
    ["English 'SDH' #EXT-X-ENDLIST", 'en', 'c0.m3u8'],
    ['Deutsch', 'de', 'c1.m3u8'],
    ['Deutsch (2)', 'de', 'c2.m3u8'],
  ])
  const text = renderMainPlaylist(title({}, { plan, captions: ['c0'] }), AHEAD)
  expect(parseHls(text).named('EXT-X-ENDLIST')).toEqual([])
  expect(parseHls(text).first('EXT-X-STREAM-INF')?.attributes['SUBTITLES']).toBe('captions')
})
