import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  audioSegmentCount,
  audioSegmentSpan,
  DEFAULT_LADDER,
  planSchema,
  videoSegmentCount,
  videoSegmentSpan,
} from '../../contracts/index.ts'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { type Planned, plan } from './plan.ts'
import type { Probe, ProbedVideo } from './probe.ts'
import { chunkCount, chunkOf } from './recipes.ts'

const VIDEO: ProbedVideo = {
  index: 0,
  codec: 'h264',
  width: 854,
  height: 480,
  sampleAspect: 1,
  rotation: 0,
  interlaced: false,
  highDynamicRange: false,
  average: { numerator: 24, denominator: 1 },
  nominal: { numerator: 24, denominator: 1 },
  startSeconds: 0,
}
const PROBE: Probe = {
  container: 'mov',
  startSeconds: 0,
  streamCount: 2,
  video: VIDEO,
  audio: [{ index: 1, codec: 'aac', channels: 6, language: 'en', isDefault: true, startSeconds: 0 }],
  captions: [],
  videoEndSeconds: 30,
  declaredEndSeconds: 30,
  endSeconds: 30,
}
const POLICY = { ladder: DEFAULT_LADDER, limits: DEFAULT_LIMITS }

const planOf = (probe: Partial<Probe>): Planned => {
  const planned = plan({ ...PROBE, ...probe }, [], POLICY)
  if (!planned.ok) throw new Error(planned.reason)
  return planned
}

test('a plain film', () => {
  const { plan: made, recipe } = planOf({})
  expect(planSchema.parse(made)).toEqual(made)
  expect(made.video).toEqual({
    timescale: 24_000,
    frameTicks: 1000,
    frames: 720,
    framesPerSegment: 48,
    segmentsPerChunk: 4,
  })
  expect(made.audio?.samples).toBe(1_440_000)
  expect(made.durationMs).toBe(30_000)
  expect(recipe.audioIndex).toBe(1)
})

test.each<[string, Partial<Probe>]>([
  ['source-no-video', { video: null }],
  ['source-no-video', { videoEndSeconds: null, endSeconds: null }],
  ['source-streams', { streamCount: 65 }],
  ['source-unreadable', { streamCount: 0, video: null }],
  ['source-codec', { video: { ...VIDEO, codec: 'gif' } }],
  [
    'source-codec',
    { audio: [{ index: 1, codec: 'wmav2', channels: 2, language: 'en', isDefault: true, startSeconds: 0 }] },
  ],
  ['source-dimensions', { video: { ...VIDEO, width: 16_384, height: 8192 } }],
  ['source-dimensions', { video: { ...VIDEO, width: 8, height: 8 } }],
  ['source-truncated', { endSeconds: 14, videoEndSeconds: 14 }],
  ['source-duration', { endSeconds: 50_000, videoEndSeconds: 50_000, declaredEndSeconds: null }],
])('refused: %s', (code, probe) => {
  const refused = plan({ ...PROBE, ...probe }, [], POLICY)
  if (refused.ok) throw new Error(`expected ${code}, got a plan`)
  expect(refused.code).toBe(code)
  expect(refused.reason).toMatch(/expected|says/)
})

test('captions: sidecars first, then text streams, pictures left out', () => {
  const embedded = (index: number, codec: string): Probe['captions'][number] => ({
    index,
    codec,
    language: 'de',
    title: '',
  })
  const planned = plan(
    { ...PROBE, captions: [embedded(2, 'dvd_subtitle'), embedded(3, 'mov_text')] },
    [{ objectKey: 'titles/x/source/0', language: 'en', label: 'English' }],
    POLICY,
  )
  if (!planned.ok) throw new Error(planned.reason)
  expect(planned.plan.captions).toEqual([
    { id: 'c0', language: 'en', label: 'English' },
    { id: 'c1', language: 'de', label: 'de' },
  ])
  expect(planned.recipe.captions[1]).toEqual({ track: 'c1', kind: 'embedded', streamIndex: 3 })
})

test('segments and chunks tile the timeline, whatever the rate and length; sound ends with the picture', () => {
  const rates = [
    [24_000, 1001],
    [25, 1],
    [30_000, 1001],
    [60, 1],
    [17_311, 1000],
  ] as const
  fc.assert(
    fc.property(fc.constantFrom(...rates), fc.double({ min: 0.02, max: 9_000, noNaN: true }), (rate, seconds) => {
      const average = { numerator: rate[0], denominator: rate[1] }
      const ends = { videoEndSeconds: seconds, endSeconds: seconds, declaredEndSeconds: seconds }
      const { plan: made } = planOf({ ...ends, video: { ...VIDEO, average, nominal: average } })
      const { video, audio } = made
      let clock = 0
      for (let index = 0; index < videoSegmentCount(video); index++) {
        const span = videoSegmentSpan(video, index)
        expect(span.startTicks).toBe(clock)
        expect(span.durationTicks).toBeGreaterThan(0)
        clock += span.durationTicks
      }
      expect(clock).toBe(video.frames * video.frameTicks)
      let frames = 0
      let segments = 0
      for (let index = 0; index < chunkCount(made); index++) {
        const chunk = chunkOf(made, index)
        expect([chunk.firstFrame, chunk.firstSegment]).toEqual([frames, segments])
        frames += chunk.frames
        segments += chunk.segments
      }
      expect([frames, segments]).toEqual([video.frames, videoSegmentCount(video)])
      if (!audio) throw new Error('expected audio')
      const last = audioSegmentSpan(audio, audioSegmentCount(audio) - 1)
      const audioEnd = (last.startSamples + last.durationSamples) / audio.sampleRate
      expect(Math.abs(audioEnd - clock / video.timescale)).toBeLessThan(audio.samplesPerFrame / audio.sampleRate + 1e-3)
    }),
    { numRuns: 60 },
  )
})
