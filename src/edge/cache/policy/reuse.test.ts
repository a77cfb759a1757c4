import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideReuse, mayServeStaleOnError, onlyIfCached, type Reuse } from './reuse.ts'
import { toInvalidated } from './stored.ts'
import { dateAt, type Fields, NOW_MS, OPTIONS, request, stored } from './testing.ts'

const TAG = { etag: '"a"' }

const reuse = (kept: Fields, asked: Fields, ageSeconds: number, options = OPTIONS): Reuse =>
  decideReuse({
    stored: stored({ ...TAG, ...kept }),
    request: request(asked),
    nowMs: NOW_MS + ageSeconds * 1_000,
    options,
  })

type Case = readonly [response: string, request: string, ageSeconds: number, expected: Reuse['kind']]

const CASES: readonly Case[] = [
  ['max-age=60', '', 59, 'fresh'],
  ['max-age=60', '', 60, 'validate'],
  ['max-age=60, no-cache', '', 1, 'validate'],
  ['max-age=60, no-cache="x-a"', '', 1, 'fresh'],
  ['max-age=60', 'no-cache', 1, 'validate'],
  ['max-age=60', 'max-age=10', 10, 'fresh'],
  ['max-age=60', 'max-age=10', 11, 'validate'],
  ['max-age=60', 'max-age=0', 1, 'validate'],
  ['max-age=60', 'max-age=x', 1, 'validate'],
  ['max-age=60', 'max-age=100', 61, 'validate'],
  ['max-age=60', 'min-fresh=10', 50, 'fresh'],
  ['max-age=60', 'min-fresh=10', 51, 'validate'],
  ['max-age=60', 'min-fresh=x', 1, 'validate'],
  ['max-age=60', 'max-stale', 9_999, 'stale'],
  ['max-age=60', 'max-stale=5', 65, 'stale'],
  ['max-age=60', 'max-stale=5', 66, 'validate'],
  ['max-age=60', 'max-stale=x', 61, 'validate'],
  ['max-age=60', 'max-stale=50, max-age=70', 70, 'stale'],
  ['max-age=60', 'max-stale=50, max-age=70', 71, 'validate'],
  ['max-age=60, must-revalidate', 'max-stale', 61, 'validate'],
  ['max-age=60, proxy-revalidate', 'max-stale', 61, 'validate'],
  ['s-maxage=60', 'max-stale', 61, 'validate'],
  ['s-maxage=60', '', 59, 'fresh'],
  ['max-age=60, stale-while-revalidate=10', '', 69, 'stale-while-revalidate'],
  ['max-age=60, stale-while-revalidate=10', '', 70, 'validate'],
  ['max-age=60, stale-while-revalidate=10', 'max-age=100', 65, 'validate'],
  ['max-age=60, stale-while-revalidate=10', 'min-fresh=1', 65, 'validate'],
  ['max-age=60, stale-while-revalidate=10', 'no-cache', 65, 'validate'],
  ['max-age=60, stale-while-revalidate=10', 'max-stale=2', 65, 'validate'],
  ['max-age=60, stale-while-revalidate=10', 'max-stale=9', 65, 'stale-while-revalidate'],
  ['max-age=60, stale-while-revalidate=10, must-revalidate', '', 65, 'validate'],
  ['max-age=60, immutable', 'max-age=0', 30, 'fresh'],
  ['max-age=60, immutable', 'no-cache', 30, 'validate'],
  ['max-age=60, immutable', 'max-age=0', 60, 'validate'],
  ['max-age=60', 'no-store', 1, 'fresh'],
  ['max-age=60', 'no-transform, x=y', 1, 'fresh'],
]

test.each(CASES)('%s, asked "%s", %p s old: %s', (kept, asked, ageSeconds, expected) => {
  expect(reuse({ 'cache-control': kept }, asked === '' ? {} : { 'cache-control': asked }, ageSeconds).kind).toBe(
    expected,
  )
})

test('Pragma: no-cache counts only without Cache-Control', () => {
  const kept = { 'cache-control': 'max-age=60' }
  expect(reuse(kept, { pragma: 'no-cache' }, 1).kind).toBe('validate')
  expect(reuse(kept, { pragma: 'no-cache', 'cache-control': 'max-age=9' }, 1).kind).toBe('fresh')
  expect(reuse(kept, { pragma: 'other' }, 1).kind).toBe('fresh')
})

test.each(['no-cache', 'max-age=0', 'min-fresh=99'])('ignoreRequestNoCache: %s forces nothing', (asked) => {
  const options = { ...OPTIONS, ignoreRequestNoCache: true }
  expect(reuse({ 'cache-control': 'max-age=60' }, { 'cache-control': asked }, 1, options).kind).toBe('fresh')
  expect(reuse({ 'cache-control': 'max-age=60' }, { pragma: asked }, 1, options).kind).toBe('fresh')
})

test.each([
  [{ etag: '"a"' }, [['if-none-match', '"a"']]],
  [{ etag: 'W/"a"' }, [['if-none-match', 'W/"a"']]],
  [{ 'last-modified': dateAt(-9) }, [['if-modified-since', dateAt(-9)]]],
  [
    { etag: '"a"', 'last-modified': dateAt(-9) },
    [
      ['if-none-match', '"a"'],
      ['if-modified-since', dateAt(-9)],
    ],
  ],
] as const)('%p is validated by %p', (fields, add) => {
  const kept = stored({ 'cache-control': 'no-cache', ...fields })
  const answer = decideReuse({ stored: kept, request: request(), nowMs: NOW_MS, options: OPTIONS })
  expect(answer as unknown).toEqual({ kind: 'validate', add })
})

test.each([{}, { etag: 'a' }, { etag: ['"a"', '"b"'] }, { 'last-modified': 'x' }])(
  '%p cannot be validated',
  (fields: Fields) => {
    const kept = stored({ 'cache-control': 'max-age=0', ...fields })
    expect(decideReuse({ stored: kept, request: request(), nowMs: NOW_MS, options: OPTIONS })).toEqual({
      kind: 'unusable',
    })
  },
)

test.each([
  ['GET', 'GET', 'fresh'],
  ['GET', 'HEAD', 'fresh'],
  ['HEAD', 'HEAD', 'fresh'],
  ['HEAD', 'GET', 'unusable'],
  ['GET', 'POST', 'unusable'],
  ['GET', 'OPTIONS', 'unusable'],
] as const)('what answered a %s serves a %s: %s', (first, then, expected) => {
  const kept = stored({ 'cache-control': 'max-age=60' }, 200, first)
  expect(decideReuse({ stored: kept, request: request({}, then), nowMs: NOW_MS, options: OPTIONS }).kind).toBe(expected)
})

type ErrorCase = readonly [
  response: string,
  request: string,
  ageSeconds: number,
  onStatus: boolean,
  disconnected: boolean,
]

const ERRORS: readonly ErrorCase[] = [
  ['max-age=60', '', 61, false, true],
  ['max-age=60', '', 60 + 86_400, false, true],
  ['max-age=60', '', 60 + 86_401, false, false],
  ['max-age=60, stale-if-error=10', '', 70, true, true],
  ['max-age=60, stale-if-error=10', '', 71, false, false],
  ['max-age=60, stale-if-error=0', '', 61, false, false],
  ['max-age=60', 'stale-if-error=10', 70, true, true],
  ['max-age=60', 'max-stale=10', 70, true, true],
  ['max-age=60, stale-if-error=50', 'max-stale=10', 71, false, false],
  ['max-age=60, stale-if-error=10, must-revalidate', '', 61, false, false],
  ['max-age=60, proxy-revalidate', '', 61, false, false],
  ['s-maxage=60, stale-if-error=10', '', 61, false, false],
  ['no-cache, stale-if-error=10', '', 1, false, false],
  ['max-age=60, stale-if-error=10', 'no-cache', 61, false, false],
  ['max-age=60, stale-if-error=10', 'max-age=100', 61, false, false],
  ['max-age=60, stale-if-error=10', 'min-fresh=1', 61, false, false],
  ['max-age=60', '', 30, true, true],
]

test.each(ERRORS)(
  '%s, asked "%s", %p s old, after an error: %p, without an origin: %p',
  (kept, asked, ageSeconds, onStatus, disconnected) => {
    const question = {
      stored: stored({ 'cache-control': kept }),
      request: request(asked === '' ? {} : { 'cache-control': asked }),
      nowMs: NOW_MS + ageSeconds * 1_000,
      options: OPTIONS,
    }
    expect(mayServeStaleOnError({ ...question, cause: 'status' })).toBe(onStatus)
    expect(mayServeStaleOnError({ ...question, cause: 'disconnected' })).toBe(disconnected)
  },
)

test('only-if-cached is heard', () => {
  expect(onlyIfCached(request({ 'cache-control': 'max-age=1, Only-If-Cached' }))).toBe(true)
  expect(onlyIfCached(request())).toBe(false)
})

test('what is invalidated is used by nobody before it is validated', () => {
  const kept = toInvalidated(stored({ ...TAG, 'cache-control': 'max-age=60, immutable, stale-while-revalidate=60' }))
  const question = { stored: kept, request: request({ 'cache-control': 'max-stale' }), nowMs: NOW_MS, options: OPTIONS }
  expect(decideReuse(question).kind).toBe('validate')
  expect(mayServeStaleOnError({ ...question, cause: 'disconnected' })).toBe(false)
})

const seconds = fc.nat(120)
const kept = fc
  .tuple(
    seconds,
    fc.subarray([
      'must-revalidate',
      'immutable',
      'no-cache',
      'stale-while-revalidate=30',
      'stale-if-error=40',
      'public',
    ]),
  )
  .map(([maxAge, rest]) => [`max-age=${maxAge}`, ...rest].join(', '))
const RESTRICTIONS = fc.oneof(
  fc.constant('no-cache'),
  seconds.map((n) => `max-age=${n}`),
  seconds.map((n) => `min-fresh=${n}`),
)
const asLong = (kind: Reuse['kind']): boolean =>
  kind === 'fresh' || kind === 'stale' || kind === 'stale-while-revalidate'

test('a request that restricts more is never served where one that restricts less is not', () => {
  fc.assert(
    fc.property(
      kept,
      fc.array(RESTRICTIONS, { maxLength: 2 }),
      RESTRICTIONS,
      seconds,
      (cacheControl, asked, more, age) => {
        const name = (text: string): string => text.split('=')[0] ?? ''
        const less = asked.filter((one) => name(one) !== name(more))
        const served = (directives: readonly string[]): boolean =>
          asLong(
            reuse(
              { 'cache-control': cacheControl },
              directives.length ? { 'cache-control': directives.join() } : {},
              age,
            ).kind,
          )
        if (served([...less, more])) expect(served(less)).toBe(true)
      },
    ),
  )
})

test('nothing that must be revalidated is ever served stale', () => {
  fc.assert(
    fc.property(
      seconds,
      seconds,
      fc.constantFrom('max-stale', 'max-stale=99', 'stale-if-error=99'),
      (maxAge, late, asked) => {
        const cacheControl = `max-age=${maxAge}, must-revalidate, stale-while-revalidate=99, stale-if-error=99`
        const nowMs = NOW_MS + (maxAge + late) * 1_000
        const question = {
          stored: stored({ ...TAG, 'cache-control': cacheControl }),
          request: request({ 'cache-control': asked }),
          nowMs,
          options: OPTIONS,
        }
        expect(decideReuse(question).kind).toBe('validate')
        expect(mayServeStaleOnError({ ...question, cause: 'disconnected' })).toBe(false)
      },
    ),
  )
})
