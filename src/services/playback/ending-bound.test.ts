import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createEndingBound } from './ending-bound.ts'

const KEPT_MS = 100_000

const open = (limits = { sessionEndsPerSecondMax: 10, viewerSessionEndsMax: 3 }) => {
  let nowMs = 5_000
  const bound = createEndingBound({ limits, keptMs: KEPT_MS, clock: { elapsedMs: () => nowMs } })
  return {
    take: bound.take,
    advance: (ms: number) => {
      nowMs += ms
    },
  }
}

test('a viewer has a number of his own, and is told when he may end another', () => {
  const { take, advance } = open()
  expect([take('a'), take('a'), take('a')]).toEqual([0, 0, 0])
  const waitS = take('a')
  expect(waitS).toBeGreaterThan(0)
  expect(take('b')).toBe(0)
  advance(waitS * 1_000)
  expect(take('a')).toBe(0)
})

test('all viewers together have so many a second', () => {
  const { take, advance } = open()
  for (let at = 0; at < 10; at++) expect(take(`viewer-${at}`)).toBe(0)
  expect(take('one more')).toBe(1)
  advance(100)
  expect([take('one more'), take('and another')]).toEqual([0, 1])
})

test('whoever asks whenever, neither bound is exceeded', () => {
  const step = fc.record({ viewer: fc.nat(5), afterMs: fc.oneof(fc.nat(300), fc.nat(60_000)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const { take, advance } = open()
      const taken: { viewer: number; atMs: number }[] = []
      let nowMs = 0
      for (const { viewer, afterMs } of steps) {
        nowMs += afterMs
        advance(afterMs)
        if (take(`viewer-${viewer}`) === 0) taken.push({ viewer, atMs: nowMs })
        const own = taken.filter((each) => each.viewer === viewer && nowMs - each.atMs < KEPT_MS)
        expect(own.length).toBeLessThanOrEqual(3)
        // A second's worth at once, and what has come since.
        expect(taken.filter(({ atMs }) => nowMs - atMs < 1_000).length).toBeLessThanOrEqual(20)
      }
    }),
  )
})
