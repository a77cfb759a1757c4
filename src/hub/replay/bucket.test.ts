import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Bucket, burstOf, decideTake } from './bucket.ts'

test('however often it is asked, no more go than the rate and one burst allow, and waiting as told is enough', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 50_000, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (perSecond, pauses) => {
        let bucket: Bucket = { tokens: burstOf(perSecond), atMs: 0 }
        let nowMs = 0
        let taken = 0
        for (const pauseMs of pauses) {
          nowMs += pauseMs
          const decided = decideTake(bucket, nowMs, perSecond)
          bucket = decided.bucket
          if (decided.waitMs === 0) taken += 1
          else expect(decideTake(bucket, nowMs + decided.waitMs + 0.001, perSecond).waitMs).toBe(0)
        }
        expect(taken).toBeLessThanOrEqual(burstOf(perSecond) + (nowMs * perSecond) / 1_000 + 1e-6)
      },
    ),
  )
})
