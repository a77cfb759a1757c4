import { expect, test } from 'bun:test'
import { formatAgo, formatBytes, formatClock, formatLength, formatSpoken, plural } from './format.ts'

const cases: readonly (readonly [string, string])[] = [
  [formatClock(0), '0:00'],
  [formatClock(64_999), '1:04'],
  [formatClock(3_723_000), '1:02:03'],
  [formatClock(-5), '0:00'],
  [formatLength(30_016), '30 s'],
  [formatLength(59_700), '1 min'],
  [formatLength(6_120_000), '1 h 42 min'],
  [formatLength(7_200_000), '2 h'],
  [formatSpoken(0), '0 seconds'],
  [formatSpoken(61_000), '1 minute 1 second'],
  [formatSpoken(3_600_000), '1 hour'],
  [formatBytes(0), '0 B'],
  [formatBytes(999), '999 B'],
  [formatBytes(1_234), '1.2 kB'],
  [formatBytes(99_960), '100 kB'],
  [formatBytes(999_600), '1.0 MB'],
  [formatBytes(3.2e9), '3.2 GB'],
  [plural(1, 'title'), '1 title'],
  [plural(12_345, 'event'), '12,345 events'],
  [formatAgo(1_000, 2_500), 'just now'],
  [formatAgo(0, 59_999), '59 s ago'],
  [formatAgo(0, 7_199_999), '1 h ago'],
  [formatAgo(0, 3 * 86_400_000), '3 d ago'],
]

test.each(cases)('formats as %p', (got, expected) => {
  expect(got).toBe(expected)
})
