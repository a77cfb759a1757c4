import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseHttpDate, toHttpDate } from './dates.ts'

const NOW = Date.UTC(2026, 5, 15, 12)
const RFC_EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37)

test.each<[string, number | null]>([
  ['Sun, 06 Nov 1994 08:49:37 GMT', RFC_EXAMPLE],
  ['Sunday, 06-Nov-94 08:49:37 GMT', RFC_EXAMPLE],
  ['Sun Nov  6 08:49:37 1994', RFC_EXAMPLE],
  ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
  ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
  ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
  ['Sat, 01 Jan 0000 00:00:00 GMT', -62_167_219_200_000],
  ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
  // Two digits: not more than 50 years ahead, to the second.
  ['Monday, 15-Jun-76 12:00:00 GMT', Date.UTC(2076, 5, 15, 12)],
  ['Monday, 15-Jun-76 12:00:01 GMT', Date.UTC(1976, 5, 15, 12, 0, 1)],
  ['Monday, 15-Jun-26 00:00:00 GMT', Date.UTC(2026, 5, 15)],
  ['Monday, 01-Jan-00 00:00:00 GMT', Date.UTC(2000, 0, 1)],
  ['Monday, 01-Jan-99 00:00:00 GMT', Date.UTC(1999, 0, 1)],
])('%s', (text, expected) => expect(parseHttpDate(text, NOW)).toBe(expected))

test('late in a century, a small number of the year is the next one', () => {
  expect(parseHttpDate('Monday, 01-Jan-05 00:00:00 GMT', Date.UTC(2099, 0, 1))).toBe(Date.UTC(2105, 0, 1))
})

test.each([
  '',
  '0',
  '-1',
  'now',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 06 Nov 1994 08:49:37 gmt',
  'sun, 06 Nov 1994 08:49:37 GMT',
  'Sun, 06 nov 1994 08:49:37 GMT',
  'Xxx, 06 Nov 1994 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 94 08:49:37 GMT',
  'Sun,06 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994  08:49:37 GMT',
  'Sun, 06 Nov 1994 8:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:00 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 31 Nov 1994 08:49:37 GMT',
  'Sun, 29 Feb 2023 08:49:37 GMT',
  'Sun, 06-Nov-94 08:49:37 GMT',
  'Sunday, 06-Nov-1994 08:49:37 GMT',
  'Sunday, 31-Feb-94 08:49:37 GMT',
  'Sun Nov 06 08:49:37 1994 GMT',
  'Sun Nov 6 08:49:37 1994',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT\n',
])('%p is no date', (text) => expect(parseHttpDate(text, NOW)).toBeNull())

test('what is written is read as it was, to the second, and times without four-digit years are cut', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), fc.nat(999), (seconds, fraction) => {
      expect(parseHttpDate(toHttpDate(seconds * 1000 + fraction), NOW)).toBe(seconds * 1000)
    }),
  )
  expect(toHttpDate(RFC_EXAMPLE)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  expect(toHttpDate(Number.POSITIVE_INFINITY)).toBe('Fri, 31 Dec 9999 23:59:59 GMT')
  expect(toHttpDate(-1e15)).toBe('Sat, 01 Jan 0000 00:00:00 GMT')
  expect(() => toHttpDate(Number.NaN)).toThrow('got NaN')
})

test('any text is a date or none', () => {
  fc.assert(fc.property(fc.string(), (text) => Number.isFinite(parseHttpDate(text, NOW) ?? 0)))
})
