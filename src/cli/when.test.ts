import { expect, test } from 'bun:test'
import { UsageError } from './usage.ts'
import { toTimeMs } from './when.ts'

const NOW = Date.parse('2026-11-21T20:00:00Z')

test.each([
  ['now', '2026-11-21T20:00:00Z'],
  ['2h ago', '2026-11-21T18:00:00Z'],
  ['15m', '2026-11-21T19:45:00Z'],
  ['1 d ago', '2026-11-20T20:00:00Z'],
  ['2026-11-20', '2026-11-20T00:00:00Z'],
  ['2026-11-20T08:30', '2026-11-20T08:30:00Z'],
  ['2026-11-20 08:30:15', '2026-11-20T08:30:15Z'],
  ['2026-11-20T08:30:00+02:00', '2026-11-20T06:30:00Z'],
])('%p is %p', (text, expected) =>
  expect(new Date(toTimeMs('--from', text, NOW)).toISOString()).toBe(expected.replace('Z', '.000Z')),
)

test.each(['', 'yesterday', '0h ago', '2026-13-01', '2026-11-20T25:00', '1763755200000', '2w ago', '1960-01-01'])(
  '%p is refused',
  (text) => expect(() => toTimeMs('--from', text, NOW)).toThrow(UsageError),
)
