import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideStore, type StoreDecision } from './store.ts'
import { dateAt, type Fields, OPTIONS, request, response } from './testing.ts'

type Case = readonly [
  what: string,
  expected: boolean,
  response: Fields,
  request?: Fields,
  status?: number,
  method?: string,
]

const decide = (answer: Fields, asked: Fields = {}, status = 200, method = 'GET'): StoreDecision =>
  decideStore({ request: request(asked, method), response: response(answer, status), options: OPTIONS })

const MAX_AGE = { 'cache-control': 'max-age=60' }
const PART = { 'cache-control': 'max-age=60', etag: '"a"', 'content-range': 'bytes 0-9/100' }
const RANGE = { range: 'bytes=0-9' }

const CASES: readonly Case[] = [
  ['max-age', true, MAX_AGE],
  ['s-maxage', true, { 'cache-control': 's-maxage=60' }],
  ['Expires', true, { expires: dateAt(60) }],
  ['public', true, { 'cache-control': 'public' }, {}, 302],
  ['a heuristic status with a validator', true, { etag: '"a"' }],
  ['a heuristic status with nothing', false, {}],
  ['a heuristic status with a Last-Modified that is no date', false, { 'last-modified': 'yesterday' }],
  ['302 with nothing', false, { etag: '"a"' }, {}, 302],
  ['302 with max-age', true, MAX_AGE, {}, 302],
  ['an unknown status with max-age', true, MAX_AGE, {}, 299],
  ['500 with max-age', true, MAX_AGE, {}, 500],
  ['404 with nothing', true, {}, {}, 404],
  ['451 with a validator', true, { etag: '"a"' }, {}, 451],
  ['100', false, MAX_AGE, {}, 100],
  ['103', false, MAX_AGE, {}, 103],
  ['304', false, MAX_AGE, {}, 304],
  ['412', false, MAX_AGE, {}, 412],
  ['416', false, MAX_AGE, RANGE, 416],
  ['429', false, MAX_AGE, {}, 429],
  ['600', false, MAX_AGE, {}, 600],
  ['HEAD', true, MAX_AGE, {}, 200, 'HEAD'],
  ['POST', false, { ...MAX_AGE, 'content-location': '/x' }, {}, 200, 'POST'],
  ['PUT', false, MAX_AGE, {}, 200, 'PUT'],
  ['a method in lower case is another', false, MAX_AGE, {}, 200, 'get'],
  ['no-store', false, { 'cache-control': 'max-age=60, no-store' }],
  ['no-store in capitals on a line of its own', false, { 'cache-control': ['max-age=60', 'NO-STORE'] }],
  ['no-store in the request', false, MAX_AGE, { 'cache-control': 'no-store' }],
  ['must-understand over no-store', true, { 'cache-control': 'must-understand, no-store, max-age=60' }],
  ['must-understand, not understood', false, { 'cache-control': 'must-understand, max-age=60' }, {}, 299],
  [
    'must-understand, no-store, not understood',
    false,
    { 'cache-control': 'must-understand, no-store, max-age=60' },
    {},
    299,
  ],
  [
    'must-understand does not overrule the request',
    false,
    { 'cache-control': 'must-understand, max-age=60' },
    { 'cache-control': 'no-store' },
  ],
  ['private', false, { 'cache-control': 'private, max-age=60' }],
  ['private with an empty argument', false, { 'cache-control': 'private="", max-age=60' }],
  ['private with names', true, { 'cache-control': 'private="x-user", max-age=60' }],
  ['private with a vital name', false, { 'cache-control': 'private="vary", max-age=60' }],
  ['private beside public', false, { 'cache-control': 'private, public, max-age=60' }],
  ['Authorization', false, MAX_AGE, { authorization: 'Basic eA==' }],
  ['Authorization, public', true, { 'cache-control': 'public, max-age=60' }, { authorization: 'x' }],
  ['Authorization, s-maxage', true, { 'cache-control': 's-maxage=60' }, { authorization: 'x' }],
  ['Authorization, must-revalidate', true, { 'cache-control': 'max-age=60, must-revalidate' }, { authorization: 'x' }],
  [
    'Authorization, proxy-revalidate',
    false,
    { 'cache-control': 'max-age=60, proxy-revalidate' },
    { authorization: 'x' },
  ],
  ['no-cache with a validator', true, { 'cache-control': 'no-cache', etag: '"a"' }],
  ['no-cache without one', false, { 'cache-control': 'no-cache, max-age=60' }],
  ['Vary: *', false, { ...MAX_AGE, vary: '*' }],
  ['Vary: * among others', false, { ...MAX_AGE, vary: ['accept', 'x, *'] }],
  ['Vary that is no list of names', false, { ...MAX_AGE, vary: 'a b' }],
  ['Vary with 17 names', false, { ...MAX_AGE, vary: Array.from({ length: 17 }, (_, at) => `x-${at}`).join() }],
  ['Set-Cookie', false, { ...MAX_AGE, 'set-cookie': 'a=b' }],
  ['Set-Cookie, public', true, { 'cache-control': 'public, max-age=60', 'set-cookie': 'a=b' }],
  ['Set-Cookie, s-maxage', true, { 'cache-control': 's-maxage=60', 'set-cookie': 'a=b' }],
  [
    'Set-Cookie that is not stored',
    true,
    { 'cache-control': 'no-cache="set-cookie", max-age=60', 'set-cookie': 'a=b' },
  ],
  ['Cookie and nothing explicit', false, { etag: '"a"', 'last-modified': dateAt(-100) }, { cookie: 'a=b' }],
  ['Cookie and max-age', true, MAX_AGE, { cookie: 'a=b' }],
  ['206', true, PART, RANGE, 206],
  ['206 unasked', false, PART, {}, 206],
  ['206 to a HEAD', false, PART, RANGE, 206, 'HEAD'],
  ['206 with a weak tag', false, { ...PART, etag: 'W/"a"' }, RANGE, 206],
  ['206 of unknown size', false, { ...PART, 'content-range': 'bytes 0-9/*' }, RANGE, 206],
  [
    '206 in several parts',
    false,
    { ...MAX_AGE, etag: '"a"', 'content-type': 'multipart/byteranges; boundary=x' },
    RANGE,
    206,
  ],
  ['200 to a range', true, MAX_AGE, RANGE],
  ['a GET with content', false, MAX_AGE, { 'content-length': '3' }],
  ['a GET with chunks', false, MAX_AGE, { 'transfer-encoding': 'chunked' }],
  ['a GET with no content', true, MAX_AGE, { 'content-length': '0' }],
  ['CDN-Cache-Control: no-store', false, { ...MAX_AGE, 'cdn-cache-control': 'no-store' }],
  ['CDN-Cache-Control over no-store', true, { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=60' }],
  [
    'an unreadable CDN-Cache-Control does not count',
    false,
    { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=60,,' },
  ],
  [
    'CDN-Cache-Control: public for Authorization',
    true,
    { 'cdn-cache-control': 'max-age=60, public' },
    { authorization: 'x' },
  ],
  [
    'Cache-Control: public beside CDN-Cache-Control',
    false,
    { 'cache-control': 'public', 'cdn-cache-control': 'max-age=60' },
    { authorization: 'x' },
  ],
]

test.each(CASES.map((one) => [one[0], one[1], one] as const))(
  '%s: %p',
  (_what, expected, [, , answer, asked, status, method]) => {
    expect(decide(answer, asked, status, method).store).toBe(expected)
  },
)

test.each([
  ['private="X-User, Set-Cookie", max-age=1', ['x-user', 'set-cookie']],
  ['no-cache="x-a", private="x-b", max-age=1', ['x-a', 'x-b']],
  ['max-age=1', []],
])('%s keeps out %p', (cacheControl, without) => {
  expect(decide({ 'cache-control': cacheControl })).toEqual({ store: true, without })
})

test.each([304, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511])('%p is never stored', (status) => {
  expect(decide({ 'cache-control': 'public, max-age=60', etag: '"a"' }, {}, status).store).toBe(false)
})

const DIRECTIVE = fc.constantFrom(
  'public',
  'max-age=60',
  's-maxage=9',
  'must-revalidate',
  'no-cache',
  'immutable',
  'x="y, z"',
  '"',
  ',',
)
const STATUS = fc.constantFrom(200, 203, 204, 206, 301, 302, 404, 410, 500, 503)

test('no-store is never stored, whatever stands around it', () => {
  fc.assert(
    fc.property(fc.array(DIRECTIVE), fc.array(DIRECTIVE), STATUS, (before, after, status) => {
      const cacheControl = [...before, 'no-store', ...after].join(', ')
      expect(decide({ 'cache-control': cacheControl, etag: '"a"' }, {}, status).store).toBe(false)
    }),
  )
})

test('what answered Authorization is stored only with public, s-maxage or must-revalidate', () => {
  fc.assert(
    fc.property(fc.array(DIRECTIVE), STATUS, (directives, status) => {
      const { store } = decide({ 'cache-control': directives.join(', '), etag: '"a"' }, { authorization: 'x' }, status)
      if (store) expect(directives.some((one) => /^(public|s-maxage|must-revalidate)/.test(one))).toBe(true)
    }),
  )
})

test('never throws', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  const fields = fc.dictionary(
    fc.constantFrom(
      'cache-control',
      'cdn-cache-control',
      'vary',
      'etag',
      'expires',
      'date',
      'content-range',
      'range',
      'last-modified',
      'age',
    ),
    text,
  )
  fc.assert(
    fc.property(
      fields,
      fields,
      fc.integer(),
      text,
      (answer, asked, status, method) => void decide(answer, asked, status, method),
    ),
  )
})
