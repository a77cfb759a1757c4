import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  type AudioTimeline,
  audioSegmentCount,
  audioSegmentSpan,
  planSchema,
  type VideoTimeline,
  videoSegmentCount,
  videoSegmentSpan,
} from './plan.ts'

const video: fc.Arbitrary<VideoTimeline> = fc.record({
  timescale: fc.constantFrom(24_000, 25_000, 30_000, 60_000),
  frameTicks: fc.constantFrom(1_000, 1_001),
  frames: fc.integer({ min: 1, max: 20_000 }),
  framesPerSegment: fc.integer({ min: 1, max: 240 }),
  segmentsPerChunk: fc.integer({ min: 1, max: 10 }),
})
const audio: fc.Arbitrary<AudioTimeline> = fc.record({
  sampleRate: fc.constantFrom(44_100, 48_000),
  channels: fc.constant(2),
  samples: fc.integer({ min: 1, max: 20_000_000 }),
  samplesPerFrame: fc.constant(1_024),
  framesPerSegment: fc.integer({ min: 1, max: 400 }),
  bitrateBps: fc.constant(128_000),
  language: fc.constant('und'),
})

test('video segments follow each other without a gap and end with the last frame', () => {
  fc.assert(
    fc.property(video, (timeline) => {
      let end = 0
      const count = videoSegmentCount(timeline)
      for (let index = 0; index < count; index++) {
        const span = videoSegmentSpan(timeline, index)
        expect(span.startTicks).toBe(end)
        expect(span.durationTicks).toBeGreaterThan(0)
        end += span.durationTicks
      }
      expect(end).toBe(timeline.frames * timeline.frameTicks)
    }),
  )
})

test('audio segments are whole frames without a gap, and cover every sample by less than a frame more', () => {
  fc.assert(
    fc.property(audio, (timeline) => {
      let end = 0
      const count = audioSegmentCount(timeline)
      for (let index = 0; index < count; index++) {
        const span = audioSegmentSpan(timeline, index)
        expect(span.startSamples).toBe(end)
        expect(span.durationSamples).toBeGreaterThan(0)
        expect(span.durationSamples % timeline.samplesPerFrame).toBe(0)
        end += span.durationSamples
      }
      expect(end - timeline.samples).toBeGreaterThanOrEqual(0)
      expect(end - timeline.samples).toBeLessThan(timeline.samplesPerFrame)
    }),
  )
})

test('a plan needs a rendition, and ids that name their track', () => {
  const plan = {
    durationMs: 1_000,
    video: { timescale: 24_000, frameTicks: 1_000, frames: 24, framesPerSegment: 48, segmentsPerChunk: 2 },
    renditions: [{ id: 'v240', width: 426, height: 240, bitrateBps: 400_000, codec: 'avc1.64000d' }],
    audio: null,
    captions: [{ id: 'c0', language: 'en', label: 'English' }],
  }
  expect(planSchema.safeParse(plan).success).toBe(true)
  const faults: readonly (readonly [object, string])[] = [
    [{ renditions: [] }, 'renditions'],
    [{ renditions: [{ ...plan.renditions[0], id: '240' }] }, 'renditions.0.id'],
    [{ captions: [{ id: 'x', language: 'en', label: '' }] }, 'captions.0.id'],
    [{ video: { ...plan.video, frames: 0 } }, 'video.frames'],
    [{ durationMs: 1.5 }, 'durationMs'],
  ]
  for (const [change, path] of faults) {
    const parsed = planSchema.safeParse({ ...plan, ...change })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  }
})
