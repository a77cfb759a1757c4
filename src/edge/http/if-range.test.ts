import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideIfRange, type RangeValidators } from './if-range.ts'

const DATE = 'Sun, 02 Mar 2025 00:00:00 GMT'
const MODIFIED = Date.UTC(2025, 2, 2)
const STORED: RangeValidators = { etag: '"a"', lastModifiedMs: MODIFIED, dateMs: MODIFIED + 60_000 }

test.each<[string | null, boolean, Partial<RangeValidators>?]>([
  [null, true],
  ['"a"', true],
  ['"b"', false],
  ['W/"a"', false],
  ['W/"a"', false, { etag: 'W/"a"' }],
  ['"a"', false, { etag: 'W/"a"' }],
  ['"a"', false, { etag: null }],
  ['"a", "b"', false],
  ['*', false],
  ['a', false],
  ['', false],
  [DATE, true],
  ['Sunday, 02-Mar-25 00:00:00 GMT', true],
  // Exactly the same, not only not older.
  ['Mon, 03 Mar 2025 00:00:00 GMT', false],
  ['Sat, 01 Mar 2025 00:00:00 GMT', false],
  // A date is weak within its second, or when nobody knows when the answer was made.
  [DATE, true, { dateMs: MODIFIED + 1000 }],
  [DATE, false, { dateMs: MODIFIED + 999 }],
  [DATE, false, { dateMs: MODIFIED - 1 }],
  [DATE, false, { dateMs: null }],
  [DATE, false, { lastModifiedMs: null }],
])('%p: %p', (value, expected, changes = {}) => expect(decideIfRange(value, { ...STORED, ...changes })).toBe(expected))

test('no other text makes a range count', () => {
  fc.assert(fc.property(fc.string(), (text) => expect(decideIfRange(text, STORED)).toBe(text.trim() === '"a"')))
})
