import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideHealth, HEALTHY, type Health, type HealthEvent, orderOrigins } from './health.ts'

const limits = { edgeOriginFailuresMax: 3, edgeOriginRetryMinMs: 100, edgeOriginRetryMaxMs: 1_000 }
const after = (events: readonly HealthEvent[], chance = 0): Health =>
  events.reduce((health, event) => decideHealth(health, event, { nowMs: 0, chance, limits }), HEALTHY)
const failed: HealthEvent = { kind: 'failed', reachable: false }
const trial: HealthEvent[] = [{ kind: 'asked' }, failed]

const CASES: readonly [name: string, events: readonly HealthEvent[], expected: Partial<Health>][] = [
  ['two failures', [failed, failed], { state: 'up', failures: 2 }],
  ['three failures', [failed, failed, failed], { state: 'down', retryAtMs: 100 }],
  ['an answer in between', [failed, failed, { kind: 'answered' }, failed], { state: 'up', failures: 1 }],
  [
    'a late failure of an earlier request',
    [failed, failed, failed, failed],
    { state: 'down', retryAtMs: 100, downs: 1 },
  ],
  ['a trial that fails', [failed, failed, failed, ...trial], { state: 'down', retryAtMs: 200 }],
  [
    'trial after trial',
    [failed, failed, failed, ...Array.from({ length: 9 }, () => trial).flat()],
    { retryAtMs: 1_000 },
  ],
  ['a trial whose client left', [failed, failed, failed, { kind: 'asked' }, { kind: 'cancelled' }], { state: 'down' }],
  ['a trial that is answered', [failed, failed, failed, { kind: 'asked' }, { kind: 'answered' }], HEALTHY],
]
for (const [name, events, expected] of CASES)
  test(`health after ${name}`, () => {
    expect(after(events)).toMatchObject(expected)
  })

test('chance takes up to half off the backoff', () => {
  expect(after([failed, failed, failed], 0.5).retryAtMs).toBe(75)
})

test('weights are the shares of requests; who is down and not due is not asked', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      let chance = seed >>> 0
      const random = (): number => {
        chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0
        return chance / 2 ** 32
      }
      const down: Health = { ...HEALTHY, state: 'down', retryAtMs: 10, reachable: false }
      const origins = [
        { health: HEALTHY, weight: 3 },
        { health: HEALTHY, weight: 1 },
        { health: down, weight: 9 },
      ]
      const orders = Array.from({ length: 2_000 }, () => orderOrigins(origins, { nowMs: 0, repeatable: true, random }))
      expect(orders.every((order) => order.length === 2 && !order.includes(2))).toBe(true)
      const share = orders.filter(([first]) => first === 0).length / orders.length
      expect(Math.abs(share - 0.75)).toBeLessThan(0.08)
    }),
    { numRuns: 20 },
  )
})
