import { expect, test } from 'bun:test'
import { parseRetryAfterMs } from './retry-after.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0)

test.each([
  ['2', 2_000],
  ['0', 0],
  ['Sat, 21 Nov 2026 12:00:05 GMT', 5_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['', null],
  ['-1', null],
  ['1.5', null],
  ['2027', 2_027_000],
  ['soon', null],
  ['Sat, no date', null],
])('%j is %p ms', (value, expected) => {
  expect(parseRetryAfterMs(value, NOW_MS)).toBe(expected)
})
