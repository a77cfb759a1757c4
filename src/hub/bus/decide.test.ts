import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { deliveryPolicySchema } from '../../contracts/index.ts'
import { type Decision, decideOutcome } from './decide.ts'
import type { Outcome } from './target.ts'

const policy = deliveryPolicySchema.parse({ attemptsMax: 4, backoffMinMs: 100, backoffMaxMs: 1_000, ageMaxMs: 10_000 })
const failed = (retryAfterMs?: number): Outcome =>
  retryAfterMs === undefined ? { kind: 'failed', reason: 'no' } : { kind: 'failed', reason: 'no', retryAfterMs }

type Case = { name: string; attempts?: number; ageMs?: number; outcome: Outcome; expected: Partial<Decision> }
const NOW = 1_000_000
const cases: Case[] = [
  { name: 'done', outcome: { kind: 'done' }, expected: { kind: 'done' } },
  { name: 'interrupted is no attempt', outcome: { kind: 'interrupted' }, expected: { kind: 'again' } },
  { name: 'gone', outcome: { kind: 'gone', reason: '410' }, expected: { kind: 'disable', reason: '410' } },
  {
    name: 'refused is final',
    outcome: { kind: 'refused', reason: 'bad' },
    expected: { kind: 'dead', code: 'refused', attempts: 1 },
  },
  { name: 'the first failure', outcome: failed(), expected: { kind: 'park', attempts: 1, nextAtMs: NOW + 100 } },
  { name: 'the third', attempts: 2, outcome: failed(), expected: { kind: 'park', attempts: 3, nextAtMs: NOW + 400 } },
  {
    name: 'the last',
    attempts: 3,
    outcome: failed(),
    expected: { kind: 'dead', code: 'attempts-exhausted', attempts: 4 },
  },
  { name: 'too old', ageMs: 10_000, outcome: failed(), expected: { kind: 'dead', code: 'too-old', attempts: 1 } },
  { name: 'it asks for later', outcome: failed(5_000), expected: { kind: 'park', nextAtMs: NOW + 5_000 } },
  { name: 'later than its age allows', ageMs: 9_000, outcome: failed(5_000), expected: { nextAtMs: NOW + 1_000 } },
]

for (const { name, attempts = 0, ageMs = 0, outcome, expected } of cases)
  test(name, () => {
    const state = { attempts, agedFromMs: NOW - ageMs }
    expect(decideOutcome(state, outcome, { policy, nowMs: NOW, random: () => 1 })).toMatchObject(expected)
  })

test('an event that fails for ever is dead after a bounded number of attempts and a bounded time', () => {
  const limits = fc.record({
    attemptsMax: fc.integer({ min: 1, max: 100 }),
    backoffMinMs: fc.integer({ min: 10, max: 10_000 }),
    backoffMaxMs: fc.integer({ min: 10, max: 100_000 }),
    ageMaxMs: fc.integer({ min: 1_000, max: 1_000_000 }),
  })
  const retryAfter = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(
      limits,
      retryAfter,
      fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
      (own, waits, draws) => {
        const ownPolicy = deliveryPolicySchema.parse(own)
        let nowMs = NOW
        for (let attempts = 0; ; attempts += 1) {
          const random = () => draws[attempts % draws.length] ?? 0
          const outcome = failed(waits[attempts % waits.length])
          const decision = decideOutcome({ attempts, agedFromMs: NOW }, outcome, { policy: ownPolicy, nowMs, random })
          if (decision.kind === 'dead') break
          if (decision.kind !== 'park') throw new Error(decision.kind)
          expect(decision.attempts).toBe(attempts + 1)
          expect(decision.nextAtMs).toBeGreaterThanOrEqual(nowMs)
          nowMs = decision.nextAtMs
          expect(nowMs).toBeLessThanOrEqual(NOW + own.ageMaxMs)
          expect(attempts).toBeLessThan(own.attemptsMax)
        }
      },
    ),
  )
})
