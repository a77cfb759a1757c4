import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { arrivalsExpected, peakPerSecond, planArrivals } from './arrivals.ts'
import type { Phase } from './scenario.ts'

const LOAD = {
  baselinePerSecond: 2,
  phases: [
    { name: 'flat', durationMs: 10_000, arrivals: 1 },
    { name: 'up', durationMs: 10_000, arrivals: { from: 1, to: 50 } },
    { name: 'nobody', durationMs: 5_000, arrivals: 0 },
    { name: 'down', durationMs: 10_000, arrivals: { from: 20, to: 0 } },
  ],
}
/** Expected per phase: 2/s for 10 s, 51/s in the mean, none, 20/s in the mean. */
const EXPECTED = [20, 510, 0, 200]
const EDGES = [0, 10_000, 20_000, 25_000, 35_000]

const countBetween = (times: Float64Array, from: number, to: number): number =>
  times.filter((ms) => ms >= from && ms < to).length

test('what is expected is the area under the phases', () => {
  expect(arrivalsExpected(LOAD)).toBeCloseTo(730, 9)
  expect(peakPerSecond(LOAD)).toBe(100)
})

test('the mean over many seeds is that of each phase, and the counts scatter as a Poisson process does', () => {
  const seeds = 400
  const runs = Array.from({ length: seeds }, (_, seed) => planArrivals(LOAD, seed))
  for (const [at, expected] of EXPECTED.entries()) {
    const counts = runs.map((times) => countBetween(times, EDGES[at] ?? 0, EDGES[at + 1] ?? 0))
    const mean = counts.reduce((sum, count) => sum + count, 0) / seeds
    // Four standard errors: these seeds are fixed, so the test is too.
    expect(Math.abs(mean - expected)).toBeLessThanOrEqual(4 * Math.sqrt(expected / seeds))
    if (expected === 0) continue
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (seeds - 1)
    expect(variance / expected).toBeGreaterThan(0.75)
    expect(variance / expected).toBeLessThan(1.3)
  }
})

test('a ramp fills as the square of time', () => {
  const times = planArrivals(
    { baselinePerSecond: 1, phases: [{ name: 'up', durationMs: 10_000, arrivals: { from: 0, to: 1_000 } }] },
    7,
  )
  for (const part of [0.25, 0.5, 0.75]) {
    const expected = 5_000 * part ** 2
    const found = countBetween(times, 0, 10_000 * part)
    expect(Math.abs(found - expected)).toBeLessThan(5 * Math.sqrt(expected))
  }
})

test('the same seed repeats, another does not', () => {
  expect(planArrivals(LOAD, 42)).toEqual(planArrivals(LOAD, 42))
  expect(planArrivals(LOAD, 42)).not.toEqual(planArrivals(LOAD, 43))
})

test('even spacing has no chance in it', () => {
  const phases = [{ name: 'flat', durationMs: 5_000, arrivals: 1 }]
  const times = planArrivals({ baselinePerSecond: 2, phases }, 1, { even: true })
  expect([...times]).toEqual([250, 750, 1_250, 1_750, 2_250, 2_750, 3_250, 3_750, 4_250, 4_750])
  expect(planArrivals(LOAD, 1, { even: true })).toEqual(planArrivals(LOAD, 2, { even: true }))
  expect(planArrivals(LOAD, 1, { even: true })).toHaveLength(730)
})

test('whatever the phases, arrivals rise and lie within the storm', () => {
  const level = fc.double({ min: 0, max: 50, noNaN: true })
  const phase: fc.Arbitrary<Phase> = fc.record({
    name: fc.constant('x'),
    durationMs: fc.double({ min: 0.001, max: 20_000, noNaN: true }),
    arrivals: fc.oneof(level, fc.record({ from: level, to: level })),
  })
  fc.assert(
    fc.property(fc.array(phase, { minLength: 1, maxLength: 6 }), fc.integer(), fc.boolean(), (phases, seed, even) => {
      const load = { baselinePerSecond: 3, phases }
      const lengthMs = phases.reduce((sum, { durationMs }) => sum + durationMs, 0)
      const times = planArrivals(load, seed, { even })
      times.forEach((ms, at) => {
        if (!(ms >= (times[at - 1] ?? 0) && ms <= lengthMs + 1e-6))
          throw new Error(`arrival ${at} at ${ms} of ${lengthMs}`)
      })
      const mean = arrivalsExpected(load)
      return Math.abs(times.length - mean) <= (even ? 1 : 7 * Math.sqrt(mean) + 10)
    }),
  )
})
