import { runCases } from './bed.ts'
import { asks, at, type Case, control, type Lines, lasts } from './case.ts'

const AUTHORIZED = { fields: ['Authorization: Bearer a'] }
const COOKIE = { fields: ['Cookie: session=1'] }
const MODIFIED = `Last-Modified: ${at(-1_000)}`

const forbidden: readonly Case[] = [
  lasts('9111, 5.2.2.5', 'no-store', 0, control('no-store')),
  lasts('9111, 5.2.2.5', 'no-store beside max-age', 0, control('no-store, max-age=60')),
  lasts('9111, 5.2.2.5', 'no-store beside public', 0, control('public, no-store, s-maxage=60')),
  lasts('9111, 5.2.2.7', 'private', 0, control('private, max-age=60')),
  lasts('9111, 5.2.2.7', 'private beside public and s-maxage', 0, control('private, public, s-maxage=60')),
  lasts('9111, 5.2.2.7', 'private naming a vital field', 0, control('private="content-type", max-age=60')),
  lasts('9111, 5.2.2.7', 'private with names that are none', 0, control('private="a b", max-age=60')),
  lasts('9111, 5.2.1.5', 'no-store in the request', 0, control('max-age=60'), { fields: ['Cache-Control: no-store'] }),
  lasts('9111, 4.1', 'Vary: *', 0, control('max-age=60', 'Vary: *')),
  lasts('9111, 4.1', 'Vary: * among others', 0, control('max-age=60', 'Vary: Accept, *')),
  lasts('9111, 4.1', 'Vary: * on a second line', 0, control('max-age=60', 'Vary: Accept', 'Vary: *')),
  lasts('9111, 4.1', 'a Vary that cannot be read', 0, control('max-age=60', 'Vary: Accept Encoding')),
]
// Its second request has none, and would be answered by what the content made.
const withContent: Case = {
  clause: '9110, 9.3.1',
  name: 'what content of a GET made is for nobody else',
  exchanges: [asks(control('max-age=60'), { body: 'poison' }), asks(control('max-age=60'))],
}

const understood: readonly Case[] = [
  lasts('9111, 5.2.2.3', 'must-understand overrules no-store', 60, control('must-understand, no-store, max-age=60')),
  lasts('9111, 5.2.2.3', 'must-understand of a status that is not', 0, {
    status: 299,
    ...control('must-understand, max-age=60'),
  }),
  lasts('9111, 5.2.2.3', 'must-understand and no-store of a status that is not', 0, {
    status: 299,
    ...control('must-understand, no-store, max-age=60'),
  }),
  lasts('9111, 3', 'a status that nobody knows, explicitly fresh', 60, { status: 299, ...control('max-age=60') }),
]

const authorized: readonly Case[] = [
  lasts('9111, 3.5', 'Authorization', 0, control('max-age=60'), AUTHORIZED),
  lasts('9111, 3.5', 'Authorization and Expires', 0, { fields: [`Expires: ${at(60)}`] }, AUTHORIZED),
  lasts('9111, 3.5', 'Authorization and public', 60, control('public, max-age=60'), AUTHORIZED),
  lasts('9111, 3.5', 'Authorization and s-maxage', 60, control('s-maxage=60'), AUTHORIZED),
  lasts('9111, 3.5', 'Authorization and must-revalidate', 60, control('must-revalidate, max-age=60'), AUTHORIZED),
  lasts('9111, 3.5', 'Authorization and proxy-revalidate', 0, control('proxy-revalidate, max-age=60'), AUTHORIZED),
  lasts('9111, 3.5', 'Authorization, public and private', 0, control('public, private, max-age=60'), AUTHORIZED),
  {
    clause: '9111, 3.5',
    name: 'what was stored without Authorization answers with it, too',
    exchanges: [asks(control('max-age=60')), AUTHORIZED],
  },
  {
    clause: '9111, 3.5',
    name: "what answered Authorization is nobody else's",
    exchanges: [asks(control('max-age=60'), AUTHORIZED), asks(control('max-age=60')), {}],
  },
]

const cookies: readonly Case[] = [
  lasts('9111, 7.3', 'Set-Cookie with max-age', 0, control('max-age=60', 'Set-Cookie: s=1')),
  lasts('9111, 7.3', 'Set-Cookie with Expires', 0, { fields: [`Expires: ${at(60)}`, 'Set-Cookie: s=1'] }),
  lasts('9111, 7.3', 'Set-Cookie with public', 60, control('public, max-age=60', 'Set-Cookie: s=1')),
  lasts('9111, 7.3', 'Set-Cookie with s-maxage', 60, control('s-maxage=60', 'Set-Cookie: s=1')),
  lasts('9111, 7.3', 'Cookie and a heuristic', 0, { fields: [MODIFIED] }, COOKIE),
  lasts('9111, 7.3', 'Cookie and explicit freshness', 60, control('max-age=60'), COOKIE),
  lasts('9111, 7.3', 'Cookie and private', 0, control('private, max-age=60'), COOKIE),
  {
    clause: '9110, 5.3',
    name: 'several Set-Cookie stay apart, and in their order',
    exchanges: [
      asks(control('no-store', 'Set-Cookie: a=1, b', 'Set-Cookie: c=2'), { got: { 'set-cookie': 'a=1, b | c=2' } }),
    ],
  },
]

const withheld = (name: string, directive: string, clause: string): Case => ({
  clause,
  name,
  exchanges: [
    asks(control(`max-age=60, ${directive}`, 'Set-Cookie: s=1', 'X-Mine: 1', 'X-All: 1'), { text: null }),
    { from: 0, got: { 'set-cookie': null, 'x-mine': null, 'x-all': '1' } },
  ],
})
const named: readonly Case[] = [
  withheld('no-cache with names keeps them out', 'no-cache="set-cookie, x-mine"', '9111, 5.2.2.4'),
  withheld('private with names keeps them out', 'private="Set-Cookie,X-Mine"', '9111, 5.2.2.7'),
  withheld('both keep out what either names', 'private="set-cookie", no-cache="x-mine"', '9111, 5.2.2.7'),
  withheld('on two lines, too', 'private="set-cookie", private="x-mine"', '9111, 5.2.2.7'),
  lasts(
    '9111, 5.2.2.4',
    'no-cache without names is asked about each time',
    0,
    control('no-cache, max-age=60', 'ETag: "1"'),
  ),
  lasts(
    '9111, 5.2.2.4',
    'no-cache with and without names',
    0,
    control('no-cache="x-mine", no-cache, max-age=60', 'ETag: "1"'),
  ),
  lasts('9111, 5.2.2.4', 'no-cache with an empty name', 0, control('no-cache="", max-age=60', 'ETag: "1"')),
]

const methods: readonly Case[] = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'].map((method) => ({
  clause: '9111, 3',
  name: `an answer to ${method} is not stored`,
  exchanges: [
    asks(control('max-age=60'), { method, sentMethod: method, cacheStatus: 'fwd=method' }),
    asks(control('max-age=60'), { method, sentMethod: method }),
    asks(control('max-age=60'), { sentMethod: 'GET' }),
  ],
}))

const fields = (name: string, clause: string, origin: Lines, got: Record<string, string | null>): Case => ({
  clause,
  name,
  exchanges: [asks(control('max-age=60', ...origin), { got }), { got }],
})
const kept: readonly Case[] = [
  fields('unknown fields are stored, in any number of lines', '9111, 3.1', ['X-A: 1', 'X-A: 2', 'X-B: 3'], {
    'x-a': '1 | 2',
    'x-b': '3',
  }),
  fields('fields that Connection lists are not', '9111, 3.1', ['Connection: x-a', 'X-A: 1'], { 'x-a': null }),
  fields(
    'fields of one hop are not',
    '9111, 3.1',
    ['Keep-Alive: timeout=5', 'Proxy-Authenticate: Basic', 'TE: trailers', 'Trailer: x'],
    {
      'keep-alive': null,
      'proxy-authenticate': null,
      te: null,
      trailer: null,
    },
  ),
  fields(
    'Connection takes nothing away that is for all',
    '9110, 7.6.1',
    ['Connection: cache-control, etag', 'ETag: "1"'],
    {
      etag: '"1"',
      'cache-control': 'max-age=60',
    },
  ),
  fields("Date stays the origin's", '9110, 6.6.1', [`Date: ${at(-10)}`], { date: at(-10) }),
  fields('obs-text passes', '9110, 5.5', ['X-A: caf\u00e9'], { 'x-a': 'caf\u00e9' }),
  fields('Warning is a field as others', '9111, 5.5', ['Warning: 199 - "x"'], { warning: '199 - "x"' }),
  {
    clause: '9110, 6.6.1',
    name: 'a missing Date is the time of receipt',
    exchanges: [
      asks({ dateless: true, ...control('max-age=60') }, { afterS: 5, got: { date: at(5) } }),
      { afterS: 5, got: { date: at(5) } },
    ],
  },
]

runCases([...forbidden, withContent, ...understood, ...authorized, ...cookies, ...named, ...methods, ...kept])
