import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LADDER } from '../../contracts/index.ts'
import { chooseLevel, levelOf, toAvcCodec } from './avc.ts'
import { chooseRenditions, toDisplaySize } from './ladder.ts'

const rungs = (width: number, height: number): string =>
  chooseRenditions(DEFAULT_LADDER, { width, height }, 25)
    .map((rendition) => `${rendition.width}x${rendition.height}`)
    .join(' ')

test.each([
  [1920, 1080, '426x240 640x360 854x480 1280x720 1920x1080'],
  [3840, 2160, '426x240 640x360 854x480 1280x720 1920x1080'],
  [854, 480, '426x240 640x360 854x480'],
  [853, 479, '428x240 642x360'],
  [320, 180, '320x180'],
  [321, 181, '320x180'],
  [1080, 1920, '134x240 202x360 270x480 404x720 608x1080'],
  [1920, 800, '576x240 864x360 1152x480 1728x720'],
])('a source of %p x %p gets %s', (width, height, expected) => expect(rungs(width, height)).toBe(expected))

test('no rung is above the source, odd, or out of order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 8192 }), fc.integer({ min: 16, max: 4320 }), (width, height) => {
      const found = chooseRenditions(DEFAULT_LADDER, { width, height }, 30)
      expect(found.length).toBeGreaterThan(0)
      for (const [at, rung] of found.entries()) {
        expect(rung.height).toBeLessThanOrEqual(Math.min(1080, height))
        expect((rung.width % 2) + (rung.height % 2)).toBe(0)
        expect(rung.width).toBeLessThanOrEqual(3840)
        expect(rung.height).toBeGreaterThan(found[at - 1]?.height ?? 0)
      }
    }),
  )
})

test.each([
  [
    { width: 1920, height: 1080, sampleAspect: 1, rotation: -90 },
    { width: 1080, height: 1920 },
  ],
  [
    { width: 1920, height: 1080, sampleAspect: 1, rotation: 180 },
    { width: 1920, height: 1080 },
  ],
  [
    { width: 720, height: 576, sampleAspect: 64 / 45, rotation: 0 },
    { width: 1024, height: 576 },
  ],
])('the picture %p is shown as %p', (coded, shown) => expect(toDisplaySize(coded)).toEqual(shown))

test('levels are those of table A-1', () => {
  const level = (width: number, height: number, framesPerSecond: number): number =>
    chooseLevel({ width, height, framesPerSecond, bitrateBps: 1_000_000 })
  expect([level(426, 240, 24), level(854, 480, 24), level(1280, 720, 30), level(1920, 1080, 30)]).toEqual([
    21, 30, 31, 40,
  ])
  expect(level(1920, 1080, 60)).toBe(42)
  expect(toAvcCodec(31)).toBe('avc1.64001f')
  expect(levelOf('avc1.64001f')).toBe('3.1')
})
