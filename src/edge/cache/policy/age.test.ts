import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { correctedInitialAgeMs, currentAgeMs, parseAgeSeconds, toAgeSeconds } from './age.ts'

const MAX = 2_147_483_648

test.each([
  [null, 0],
  ['0', 0],
  ['7', 7],
  [' 7 ', 7],
  ['7, 100', 7],
  ['99999999999999999999', MAX],
  ['-1', 0],
  ['1.5', 0],
  ['x, 7', 0],
  ['', 0],
  ['"7"', 0],
])('Age %p is %p s', (value, seconds) => expect(parseAgeSeconds(value)).toBe(seconds))

test.each([
  ['apparent age', { dateMs: 4_000, ageValue: null, requestMs: 9_000, responseMs: 10_000 }, 6_000],
  ['Age plus the delay', { dateMs: 10_000, ageValue: '5', requestMs: 9_000, responseMs: 10_000 }, 6_000],
  ['a Date in the future', { dateMs: 50_000, ageValue: null, requestMs: 10_000, responseMs: 10_000 }, 0],
  ['no Date', { dateMs: null, ageValue: null, requestMs: 9_000, responseMs: 10_000 }, 1_000],
  ['a clock set back while waiting', { dateMs: 10_000, ageValue: '1', requestMs: 20_000, responseMs: 10_000 }, 1_000],
  ['no more than 2^31 s', { dateMs: 0, ageValue: String(MAX), requestMs: 0, responseMs: 9_000 }, MAX * 1_000],
])('initial age: %s', (_what, received, expected) => expect(correctedInitialAgeMs(received)).toBe(expected))

test('the Age field is whole seconds, at most 2^31', () => {
  expect(toAgeSeconds(1_999)).toBe(1)
  expect(toAgeSeconds(Number.MAX_SAFE_INTEGER)).toBe(MAX)
})

test('age never falls while the clock goes on, and is never below the initial age', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer(), fc.integer(), fc.nat(), (initialAgeMs, responseMs, nowMs, laterMs) => {
      const stored = { initialAgeMs, times: { requestMs: responseMs, responseMs } }
      const ageMs = currentAgeMs(stored, nowMs)
      expect(ageMs).toBeGreaterThanOrEqual(initialAgeMs)
      expect(currentAgeMs(stored, nowMs + laterMs)).toBeGreaterThanOrEqual(ageMs)
    }),
  )
})
