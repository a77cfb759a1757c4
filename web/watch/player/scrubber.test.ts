import { expect, test } from 'bun:test'
import { bufferedAround, seekByKey, shareAt } from './scrubber.ts'

test('a pointer is at its share of the bar, and never off it', () => {
  expect(shareAt(150, { left: 100, width: 200 })).toBe(0.25)
  expect(shareAt(0, { left: 100, width: 200 })).toBe(0)
  expect(shareAt(900, { left: 100, width: 200 })).toBe(1)
  expect(shareAt(5, { left: 0, width: 0 })).toBe(0)
})

test('the buffered part shown is the one being played', () => {
  const ranges = [
    { startMs: 0, endMs: 10_000 },
    { startMs: 50_000, endMs: 75_000 },
  ]
  expect(bufferedAround(ranges, 60_000, 100_000)).toEqual({ from: 0.5, to: 0.75 })
  expect(bufferedAround(ranges, 49_900, 100_000)).toEqual({ from: 0.5, to: 0.75 })
  expect(bufferedAround(ranges, 30_000, 100_000)).toEqual({ from: 0, to: 0 })
  expect(bufferedAround(ranges, 1, 0)).toEqual({ from: 0, to: 0 })
})

test.each([
  ['ArrowRight', 40_000],
  ['ArrowLeft', 20_000],
  ['PageUp', 90_000],
  ['PageDown', 0],
  ['Home', 0],
  ['End', 100_000],
  ['x', null],
  ['constructor', null],
] as const)('%s leads to %p', (key, expected) => {
  expect(seekByKey(key, 30_000, 100_000)).toBe(expected)
})
