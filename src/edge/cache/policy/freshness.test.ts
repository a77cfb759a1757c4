import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Freshness, toFreshness } from './freshness.ts'
import { dateAt, type Fields, NOW_MS, OPTIONS, response, TIMES } from './testing.ts'

const freshness = (fields: Fields, status = 200, options = OPTIONS): Freshness =>
  toFreshness(response(fields, status), TIMES, options)

type Case = readonly [what: string, fields: Fields, lifetimeMs: number, source: Freshness['source'], status?: number]

const CASES: readonly Case[] = [
  ['max-age', { 'cache-control': 'max-age=60' }, 60_000, 'max-age'],
  ['s-maxage before max-age', { 'cache-control': 'max-age=60, s-maxage=5' }, 5_000, 's-maxage'],
  ['s-maxage=0 before max-age', { 'cache-control': 'max-age=60, s-maxage=0' }, 0, 's-maxage'],
  ['max-age before Expires', { 'cache-control': 'max-age=60', expires: dateAt(5) }, 60_000, 'max-age'],
  ['Expires less Date', { date: dateAt(-10), expires: dateAt(20) }, 30_000, 'expires'],
  ['Expires without Date', { date: '', expires: dateAt(20) }, 20_000, 'expires'],
  ['Expires in the past', { expires: dateAt(-20) }, 0, 'expires'],
  ['Expires: 0', { expires: '0', 'last-modified': dateAt(-1_000) }, 0, 'expires'],
  ['two Expires', { expires: [dateAt(5), dateAt(50)] }, 0, 'expires'],
  ['Expires in RFC 850 form', { expires: 'Saturday, 21-Nov-26 12:00:30 GMT' }, 30_000, 'expires'],
  ['max-age twice, the same', { 'cache-control': ['max-age=60', 'max-age=60'] }, 60_000, 'max-age'],
  ['max-age twice, unlike', { 'cache-control': ['max-age=60', 'max-age=6'] }, 0, 'max-age'],
  ['max-age=x', { 'cache-control': 'max-age=x', expires: dateAt(20) }, 0, 'max-age'],
  ['max-age=-1', { 'cache-control': 'max-age=-1' }, 0, 'max-age'],
  ['max-age without a value', { 'cache-control': 'max-age' }, 0, 'max-age'],
  ['max-age that overflows', { 'cache-control': 'max-age=99999999999' }, 2 ** 31 * 1_000, 'max-age'],
  ['a tenth since Last-Modified', { 'last-modified': dateAt(-1_000) }, 100_000, 'heuristic'],
  ['at most a day of it', { 'last-modified': dateAt(-1e8) }, 86_400_000, 'heuristic'],
  ['a Last-Modified in the future', { 'last-modified': dateAt(10) }, 0, 'heuristic'],
  ['no heuristics for a 302', { 'last-modified': dateAt(-1_000) }, 0, 'none', 302],
  ['unless it is public', { 'cache-control': 'public', 'last-modified': dateAt(-1_000) }, 100_000, 'heuristic', 302],
  ['nothing at all', {}, 0, 'none'],
  ['a 404 and nothing', {}, 1_000, 'heuristic', 404],
  ['a 410 and nothing', {}, 1_000, 'heuristic', 410],
  ['a 501 and nothing', {}, 1_000, 'heuristic', 501],
  ['a 404 with a tag', { etag: '"a"' }, 0, 'none', 404],
  ['a 404 with max-age', { 'cache-control': 'max-age=9' }, 9_000, 'max-age', 404],
  ['a 500 and nothing', {}, 0, 'none', 500],
  ['CDN-Cache-Control', { 'cdn-cache-control': 'max-age=7', 'cache-control': 's-maxage=60' }, 7_000, 'cdn'],
  ['CDN-Cache-Control hides Expires', { 'cdn-cache-control': 'public', expires: dateAt(60) }, 0, 'none'],
  [
    'unreadable, it is not there',
    { 'cdn-cache-control': 'max-age=7,', 'cache-control': 'max-age=60' },
    60_000,
    'max-age',
  ],
  ['empty, it is not there', { 'cdn-cache-control': '', 'cache-control': 'max-age=60' }, 60_000, 'max-age'],
]

test.each(CASES.map((one) => [one[0], one] as const))('%s', (_what, [, fields, lifetimeMs, source, status]) => {
  expect(freshness(fields, status)).toMatchObject({ lifetimeMs, source })
})

const REST: readonly (readonly [string, Partial<Freshness>])[] = [
  [
    'max-age=1',
    { mustRevalidate: false, noCache: false, immutable: false, staleWhileRevalidateMs: 0, staleIfErrorMs: null },
  ],
  ['max-age=1, must-revalidate', { mustRevalidate: true }],
  ['max-age=1, proxy-revalidate', { mustRevalidate: true }],
  ['s-maxage=1', { mustRevalidate: true }],
  ['no-cache', { noCache: true }],
  ['no-cache="x-a"', { noCache: false }],
  ['no-cache="content-type"', { noCache: true }],
  ['no-cache=""', { noCache: true }],
  ['max-age=1, immutable', { immutable: true }],
  ['max-age=1, stale-while-revalidate=5, stale-if-error=6', { staleWhileRevalidateMs: 5_000, staleIfErrorMs: 6_000 }],
  ['max-age=1, stale-while-revalidate=x, stale-if-error=x', { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }],
  [
    'max-age=1, stale-while-revalidate=5, stale-if-error=6, must-revalidate',
    { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 },
  ],
  ['s-maxage=1, stale-while-revalidate=5', { staleWhileRevalidateMs: 0 }],
  ['no-cache, stale-while-revalidate=5', { staleWhileRevalidateMs: 0 }],
]

test.each(REST)('%s', (cacheControl, expected) => {
  expect(freshness({ 'cache-control': cacheControl })).toMatchObject(expected)
})

test('jitter only ever shortens, by its share at most, and is the same for one key', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(10 ** 7),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (key, seconds, jitterShare) => {
        const options = { ...OPTIONS, key, jitterShare }
        const fields = { 'cache-control': `max-age=${seconds}` }
        const { lifetimeMs } = freshness(fields, 200, options)
        expect(lifetimeMs).toBeLessThanOrEqual(seconds * 1_000)
        expect(lifetimeMs).toBeGreaterThanOrEqual(Math.floor(seconds * 1_000 * (1 - jitterShare)))
        if (seconds <= 10) expect(lifetimeMs).toBe(seconds * 1_000)
        expect(freshness(fields, 200, options).lifetimeMs).toBe(lifetimeMs)
      },
    ),
  )
})

test('jitter spreads keys that came together', () => {
  const lifetimes = Array.from({ length: 100 }, (_, at) =>
    Math.floor(
      freshness({ 'cache-control': 'max-age=1000' }, 200, { ...OPTIONS, key: `/s/${at}`, jitterShare: 0.05 })
        .lifetimeMs / 5_000,
    ),
  )
  expect(new Set(lifetimes).size).toBe(10)
})

test('whatever the fields say, lifetimes are numbers from 0 to 2^31 s', () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('max-age=1e9', dateAt(9), 's-maxage="3"', '0'))
  const name = fc.constantFrom('cache-control', 'cdn-cache-control', 'expires', 'date', 'last-modified', 'age')
  fc.assert(
    fc.property(fc.dictionary(name, text), (fields) => {
      const { lifetimeMs } = toFreshness(response(fields), { requestMs: NOW_MS, responseMs: NOW_MS }, OPTIONS)
      expect(lifetimeMs >= 0 && lifetimeMs <= 2 ** 38 * 1_000).toBe(true)
    }),
  )
})
