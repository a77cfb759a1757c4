import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideWebhookOutcome, parseRetryAfter } from './webhook-answer.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 12)

test.each([
  ['0', 0],
  ['120', 120_000],
  ['Sat, 21 Nov 2026 12:01:00 GMT', 60_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['-1', null],
  ['1.5', null],
  ['', null],
  ['tomorrow', null],
  ['2026-11-21T12:01:00Z', null],
  ['12345678901', null],
])('Retry-After %p', (text, expected) => {
  expect(parseRetryAfter(text, NOW_MS)).toBe(expected)
})

test('whatever a receiver answers, what is kept of it is short, one line, and no command to a terminal', () => {
  const answer = fc.record({
    status: fc.integer({ min: 100, max: 999 }),
    retryAfter: fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined }),
    text: fc.string({ unit: 'binary', maxLength: 600 }),
  })
  fc.assert(
    fc.property(answer, (each) => {
      const outcome = decideWebhookOutcome(each, NOW_MS, 1_000)
      const isSuccess = each.status >= 200 && each.status <= 299
      expect(outcome.kind).toBe(isSuccess ? 'done' : each.status === 410 ? 'gone' : 'failed')
      if (outcome.kind !== 'failed') return
      expect(outcome.retryAfterMs ?? 0).toBeWithin(0, 1_001)
      expect(outcome.reason).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      expect(outcome.reason.length).toBeLessThan(650)
    }),
  )
})
