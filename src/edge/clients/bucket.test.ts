import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { FULL, isFull, takeFrom, toRate, waitMsOf } from './bucket.ts'

const rates = fc.record({
  burstMax: fc.integer({ min: 1, max: 5_000 }),
  perSecondMax: fc.integer({ min: 1, max: 5_000 }),
})
/** Steps of time, most of them short, of a clock that may begin anywhere. */
const steps = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 400 })
const begins = fc.double({ min: 0, max: 1e9, noNaN: true })

test('never more than the burst and what the rate gives since', () => {
  fc.assert(
    fc.property(rates, begins, steps, (options, beganMs, waits) => {
      const rate = toRate(options)
      let fullAtMs = FULL
      let nowMs = beganMs
      const takenAtMs: number[] = []
      for (const waitMs of waits) {
        nowMs += waitMs
        if (waitMsOf(fullAtMs, nowMs, rate) > 0) continue
        fullAtMs = takeFrom(fullAtMs, nowMs, rate)
        takenAtMs.push(nowMs)
      }
      for (const [first, fromMs] of takenAtMs.entries()) {
        const taken = takenAtMs.length - first
        const seconds = ((takenAtMs.at(-1) ?? fromMs) - fromMs) / 1_000
        expect(taken).toBeLessThanOrEqual(options.burstMax + options.perSecondMax * seconds + 0.01)
      }
    }),
  )
})

test('a full bucket gives the whole burst at once, and then one for each wait it names', () => {
  fc.assert(
    fc.property(rates, begins, (options, beganMs) => {
      const rate = toRate(options)
      let fullAtMs = FULL
      for (let taken = 0; taken < options.burstMax; taken++) {
        expect(waitMsOf(fullAtMs, beganMs, rate)).toBe(0)
        fullAtMs = takeFrom(fullAtMs, beganMs, rate)
      }
      const waitMs = waitMsOf(fullAtMs, beganMs, rate)
      expect(waitMs).toBeGreaterThan(0)
      expect(waitMs).toBeLessThanOrEqual(rate.costMs * 1.001)
      expect(waitMsOf(fullAtMs, beganMs + waitMs, rate)).toBe(0)
      expect(isFull(fullAtMs, beganMs)).toBe(false)
      expect(isFull(fullAtMs, beganMs + rate.burstMs * 1.001)).toBe(true)
    }),
    { numRuns: 30 },
  )
})

test('a clock that is set back shuts nobody out for longer than one request takes', () => {
  const rate = toRate({ burstMax: 3, perSecondMax: 1 })
  const fullAtMs = takeFrom(FULL, 3_600_000, rate)
  expect(waitMsOf(fullAtMs, 0, rate)).toBeLessThanOrEqual(rate.costMs)
})
