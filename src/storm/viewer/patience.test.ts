import { expect, test } from 'bun:test'
import { createRandom } from '../random.ts'
import { DEFAULT_HABITS } from './habits.ts'
import { patienceMs } from './patience.ts'

const { patience } = DEFAULT_HABITS

test('the curve is read backwards, on straight lines between its points', () => {
  const cases: readonly [share: number, waitedMs: number][] = [
    [0, 0],
    [0.01, 1_000],
    [0.07, 2_000],
    [0.13, 3_000],
    [0.5, 10_000],
    [0.725, 20_000],
  ]
  for (const [share, waitedMs] of cases) expect(patienceMs(patience, share)).toBeCloseTo(waitedMs, 6)
})

test('nobody is lost after the last point, and a flat piece loses nobody', () => {
  const curve = [
    [0, 0],
    [1_000, 0.2],
    [5_000, 0.2],
    [6_000, 0.3],
  ] as const
  expect(patienceMs(curve, 0.3)).toBe(Number.POSITIVE_INFINITY)
  expect(patienceMs(curve, 0.2)).toBe(5_000)
  expect(patienceMs([], 0.5)).toBe(Number.POSITIVE_INFINITY)
  expect(patienceMs([[2_000, 0.4]], 0.3)).toBe(2_000)
})

test('3 s of waiting lose 13% of viewers', () => {
  const seed = 20_260_101
  const random = createRandom(seed)
  const draws = Array.from({ length: 100_000 }, () => patienceMs(patience, random()))
  const lostBy = (waitedMs: number): number => draws.filter((ms) => ms <= waitedMs).length / draws.length
  expect({ seed, lost: Math.abs(lostBy(3_000) - 0.13) < 0.004 }).toEqual({ seed, lost: true })
  expect({ seed, lost: Math.abs(lostBy(10_000) - 0.5) < 0.006 }).toEqual({ seed, lost: true })
})
