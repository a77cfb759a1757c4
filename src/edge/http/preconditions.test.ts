import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideCachePreconditions, type PreconditionQuestion } from './preconditions.ts'

const NOW = Date.UTC(2026, 0, 1)
const BEFORE = 'Sat, 01 Mar 2025 00:00:00 GMT'
const SAME = 'Sun, 02 Mar 2025 00:00:00 GMT'
const AFTER = 'Mon, 03 Mar 2025 00:00:00 GMT'
const LAST_MODIFIED = Date.UTC(2025, 2, 2)
const THERE = { etag: '"a"', lastModifiedMs: LAST_MODIFIED }
const WEAK = { etag: 'W/"a"', lastModifiedMs: null }

type Case = [title: string, fields: Record<string, string>, expected: string, changes?: Partial<PreconditionQuestion>]

const question = (
  fields: Record<string, string>,
  changes: Partial<PreconditionQuestion> = {},
): PreconditionQuestion => ({
  method: 'GET',
  fields: { get: (name) => fields[name] ?? null },
  representation: THERE,
  nowMs: NOW,
  ...changes,
})
const PUT = { method: 'PUT' }
const GONE = { representation: null }

test.each<Case>([
  ['nothing asked', {}, 'proceed'],
  ['If-None-Match, GET', { 'if-none-match': '"a"' }, 'not-modified'],
  ['If-None-Match, HEAD', { 'if-none-match': '"a"' }, 'not-modified', { method: 'HEAD' }],
  ['If-None-Match, PUT', { 'if-none-match': '"a"' }, 'precondition-failed', PUT],
  ['If-None-Match compares weakly', { 'if-none-match': '"b,c", W/"a"' }, 'not-modified'],
  ['If-None-Match: another', { 'if-none-match': '"x"' }, 'proceed'],
  ['If-None-Match: * of what is there', { 'if-none-match': '*' }, 'precondition-failed', PUT],
  ['If-None-Match: * of nothing', { 'if-none-match': '*' }, 'proceed', { ...PUT, ...GONE }],
  ['If-None-Match goes before If-Modified-Since', { 'if-none-match': '"x"', 'if-modified-since': AFTER }, 'proceed'],
  ['If-Modified-Since, not', { 'if-modified-since': SAME }, 'not-modified'],
  ['If-Modified-Since, long not', { 'if-modified-since': AFTER }, 'not-modified'],
  ['If-Modified-Since, changed', { 'if-modified-since': BEFORE }, 'proceed'],
  ['If-Modified-Since, two digits', { 'if-modified-since': 'Sunday, 02-Mar-25 00:00:00 GMT' }, 'not-modified'],
  ['If-Modified-Since, another method', { 'if-modified-since': AFTER }, 'proceed', { method: 'POST' }],
  ['If-Modified-Since, no date', { 'if-modified-since': '0' }, 'proceed'],
  ['If-Modified-Since, no modification time', { 'if-modified-since': AFTER }, 'proceed', { representation: WEAK }],
  ['If-Modified-Since of nothing', { 'if-modified-since': AFTER }, 'proceed', GONE],
  ['a cache leaves If-Match to the origin', { 'if-match': '"x"' }, 'proceed'],
  ['and If-Unmodified-Since', { 'if-unmodified-since': BEFORE }, 'proceed'],
  ['and answers If-None-Match', { 'if-match': '"x"', 'if-none-match': '"a"' }, 'not-modified'],
  ['and If-Modified-Since', { 'if-modified-since': SAME }, 'not-modified'],
  ['OPTIONS has no conditions', { 'if-none-match': '*' }, 'proceed', { method: 'OPTIONS' }],
  ['nor has TRACE', { 'if-none-match': '"a"' }, 'proceed', { method: 'TRACE' }],
])('%s', (_title, fields, expected, changes = {}) => {
  expect(decideCachePreconditions(question(fields, changes)) as string).toBe(expected)
})

test('any fields: 304 is for GET and HEAD alone, and 412 only for who asked for one', () => {
  const value = fc.option(fc.oneof(fc.constantFrom('*', '"a"', 'W/"a"', BEFORE, SAME, AFTER), fc.string()), {
    nil: null,
  })
  const fields = fc.record({
    'if-match': value,
    'if-none-match': value,
    'if-modified-since': value,
    'if-unmodified-since': value,
  })
  fc.assert(
    fc.property(
      fields,
      fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE'),
      fc.constantFrom(THERE, WEAK, null),
      (given, method, representation) => {
        const present = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== null)) as Record<
          string,
          string
        >
        const outcome = decideCachePreconditions(question(present, { method, representation }))
        if (outcome === 'not-modified') expect(['GET', 'HEAD']).toContain(method)
        if (outcome === 'precondition-failed') expect(present['if-none-match']).toBeDefined()
        if (representation === null) expect(outcome).not.toBe('not-modified')
      },
    ),
  )
})
