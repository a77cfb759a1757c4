import { runCases } from './bed.ts'
import { asks, at, type Case, control, lasts, notModified } from './case.ts'

const MODIFIED = `Last-Modified: ${at(-1_000)}`

const lifetimes: readonly Case[] = [
  lasts('9111, 5.2.2.1', 'max-age', 60, control('max-age=60')),
  lasts('9111, 5.2.2.1', 'max-age of 0', 0, control('max-age=0')),
  lasts('9111, 5.2.2.10', 's-maxage beats max-age', 90, control('max-age=30, s-maxage=90')),
  lasts('9111, 5.2.2.10', 's-maxage beats max-age, whichever comes first', 30, control('s-maxage=30, max-age=90')),
  lasts('9111, 5.2.2.10', 's-maxage of 0 beats max-age', 0, control('s-maxage=0, max-age=90')),
  lasts('9111, 5.3', 'Expires less Date', 60, { fields: [`Expires: ${at(60)}`] }),
  lasts('9111, 5.3', 'Expires in the past', 0, { fields: [`Expires: ${at(-1)}`] }),
  lasts('9111, 5.3', 'Expires as it is now', 0, { fields: [`Expires: ${at(0)}`] }),
  lasts('9111, 5.3', 'Expires: 0', 0, { fields: ['Expires: 0', MODIFIED] }),
  lasts('9111, 5.3', 'Expires: -1', 0, { fields: ['Expires: -1', MODIFIED] }),
  lasts('9111, 5.3', 'an Expires that is no date is no leave for a heuristic', 0, {
    fields: ['Expires: soon', MODIFIED],
  }),
  lasts('9111, 5.3', 'max-age beats Expires', 60, control('max-age=60', `Expires: ${at(600)}`)),
  lasts('9111, 5.3', 'max-age beats Expires in the past', 60, control('max-age=60', `Expires: ${at(-600)}`)),
  lasts('9111, 5.3', 's-maxage beats Expires', 60, control('s-maxage=60', `Expires: ${at(-600)}`)),
  lasts('9111, 5.3', 'max-age of 0 beats Expires', 0, control('max-age=0', `Expires: ${at(600)}`)),
  lasts('9110, 5.6.7', 'Expires by RFC 850', 60, { fields: ['Expires: Monday, 01-Jun-26 12:01:00 GMT'] }),
  lasts('9110, 5.6.7', 'Expires by asctime', 60, { fields: ['Expires: Mon Jun  1 12:01:00 2026'] }),
  lasts('9111, 4.2.1', 'Expires on two lines is no date', 0, { fields: [`Expires: ${at(60)}`, `Expires: ${at(90)}`] }),
  lasts('9111, 4.2.3', 'Expires counts from a Date in the past', 30, {
    fields: [`Date: ${at(-30)}`, `Expires: ${at(30)}`],
  }),
  lasts('9110, 6.6.1', 'Expires without Date counts from the receipt', 60, {
    dateless: true,
    fields: [`Expires: ${at(60)}`],
  }),
  lasts('9110, 6.6.1', 'Expires beside a Date that is none', 60, { fields: ['Date: yesterday', `Expires: ${at(60)}`] }),
  lasts('9111, 4.2.2', 'a tenth of the time since Last-Modified', 100, { fields: [MODIFIED] }),
  lasts('9111, 4.2.2', 'at most a day', 86_400, { fields: [`Last-Modified: ${at(-86_400 * 365)}`] }),
  lasts('9111, 4.2.2', 'Last-Modified in the future', 0, { fields: [`Last-Modified: ${at(600)}`] }),
  lasts('9111, 4.2.2', 'a Last-Modified that is no date', 0, { fields: ['Last-Modified: long ago'] }),
  lasts('9111, 4.2.2', 'nothing at all', 0, {}),
  lasts('9111, 4.2.2', 'an entity tag alone', 0, { fields: ['ETag: "1"'] }),
  lasts('9111, 4.2.2', 'public lets a heuristic be used', 100, control('public', MODIFIED)),
]

const HEURISTIC = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 451, 501]
const SILENT = [201, 202, 302, 303, 307, 400, 401, 402, 403, 406, 409, 411, 413, 415, 422, 500, 505, 510, 599]
const EXPLICIT = [200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 451, 500, 501, 503, 599]

const statuses: readonly Case[] = [
  ...HEURISTIC.map((status) => lasts('9110, 15.1', `${status} by Last-Modified`, 100, { status, fields: [MODIFIED] })),
  ...SILENT.map((status) =>
    lasts('9111, 4.2.2', `${status} without explicit freshness`, 0, { status, fields: [MODIFIED] }),
  ),
  ...EXPLICIT.map((status) => lasts('9111, 3', `${status} with max-age`, 60, { status, ...control('max-age=60') })),
  lasts('9111, 3', '302 with Expires', 60, { status: 302, fields: [`Expires: ${at(60)}`, 'Location: /b'] }),
  ...[404, 405, 410, 414, 501].map((status) =>
    lasts('9111, 4.2.2', `${status} about which nothing is said lasts a second`, 1, { status }),
  ),
  lasts('9111, 4.2.2', '404 that forbids it', 0, { status: 404, ...control('no-store') }),
  ...[407, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511].map((status) =>
    lasts('9110, 15; 6585; 8470', `${status} is never stored`, 0, { status, ...control('max-age=60') }),
  ),
]

const aged = (name: string, fields: readonly string[], age: string, clause = '9111, 4.2.3'): Case => ({
  clause,
  name,
  exchanges: [asks(control('max-age=1000', ...fields)), { got: { age } }],
})
const ages: readonly Case[] = [
  {
    clause: '9111, 5.1',
    name: 'an answer from the cache says its age, the one it was made from 0',
    exchanges: [
      asks(control('max-age=60'), { got: { age: '0' } }),
      { afterS: 7, got: { age: '7' }, cacheStatus: 'hit; ttl=53' },
    ],
  },
  aged('Age of the origin counts', ['Age: 30'], '30'),
  aged('a Date in the past counts', [`Date: ${at(-40)}`], '40'),
  aged('the larger of both counts', [`Date: ${at(-40)}`, 'Age: 30'], '40'),
  aged('the larger of both counts, the other way', [`Date: ${at(-30)}`, 'Age: 40'], '40'),
  aged('a Date in the future makes nothing younger', [`Date: ${at(600)}`], '0'),
  aged('Age of 0', ['Age: 0'], '0'),
  aged('a negative Age is none', ['Age: -30'], '0', '9111, 5.1'),
  aged('an Age with a fraction is none', ['Age: 30.5'], '0', '9111, 5.1'),
  aged('an Age in words is none', ['Age: old'], '0', '9111, 5.1'),
  aged('of a list the first member', ['Age: 30, 50'], '30', '9111, 5.1'),
  aged('of several lines the first', ['Age: 30', 'Age: 50'], '30', '9111, 5.1'),
  lasts('9111, 4.2', 'what came with an age is fresh for the rest', 30, control('max-age=60', 'Age: 30')),
  lasts('9111, 4.2', 'what came older than its lifetime is stale', 0, control('max-age=60', 'Age: 60')),
  lasts('9111, 4.2.3', 'max-age counts from Date', 20, control('max-age=60', `Date: ${at(-40)}`)),
  lasts('9111, 1.2.2', 'an Age that overflows is stale', 0, control('max-age=60', 'Age: 99999999999999999999')),
  lasts('9111, 4.2.3', 'a Date in the future does not prolong', 60, control('max-age=60', `Date: ${at(600)}`)),
  {
    clause: '9111, 4.2.3',
    name: 'after validation the age begins anew',
    exchanges: [
      asks(control('max-age=60', 'ETag: "1"')),
      asks(notModified('ETag: "1"'), { afterS: 100, from: 0, got: { age: '0' } }),
      { afterS: 10, got: { age: '10' } },
    ],
  },
  {
    clause: '9111, 4.2.3; 4.3.4',
    name: 'a 304 that is old itself makes what it freshens as old',
    exchanges: [
      asks(control('max-age=60', 'ETag: "1"')),
      asks(notModified('ETag: "1"', 'Age: 50'), { afterS: 100, from: 0, got: { age: '50' } }),
      { afterS: 9, got: { age: '59' } },
      asks(notModified('ETag: "1"'), { afterS: 1, from: 0 }),
    ],
  },
]

const targeted: readonly Case[] = [
  lasts('9213, 2.1', 'CDN-Cache-Control beats Cache-Control', 60, control('no-store', 'CDN-Cache-Control: max-age=60')),
  lasts('9213, 2.1', 'also where it forbids', 0, control('max-age=60', 'CDN-Cache-Control: no-store')),
  lasts('9213, 2.1', 'private for us alone', 0, control('max-age=60', 'CDN-Cache-Control: private')),
  lasts('9213, 2.1', 'shorter for us', 10, control('max-age=60', 'CDN-Cache-Control: max-age=10')),
  lasts('9213, 2.1', 'Expires is not looked at', 0, {
    fields: [`Expires: ${at(60)}`, 'CDN-Cache-Control: must-revalidate'],
  }),
  lasts('9213, 2.1', 'an empty one is not there', 60, control('max-age=60', 'CDN-Cache-Control:')),
  lasts(
    '9213, 2.1',
    'one that is no Dictionary is not there',
    60,
    control('max-age=60', 'CDN-Cache-Control: max-age=10, &'),
  ),
  lasts(
    '9213, 2.1',
    'a number as a string is none, so stale',
    0,
    control('max-age=60', 'CDN-Cache-Control: max-age="10"'),
  ),
  lasts('9213, 2.1', 'a fraction is no number of seconds', 0, control('max-age=60', 'CDN-Cache-Control: max-age=10.5')),
  lasts('9213, 2.1', 'parameters are ignored', 10, control('max-age=60', 'CDN-Cache-Control: max-age=10;a=b')),
  lasts(
    '9651, 4.2.2',
    'the last of one name counts',
    20,
    control('max-age=60', 'CDN-Cache-Control: max-age=10, max-age=20'),
  ),
  lasts(
    '9651, 4.2',
    'two lines are one Dictionary',
    10,
    control('no-store', 'CDN-Cache-Control: max-age=10', 'CDN-Cache-Control: immutable'),
  ),
  lasts('9651, 3.1.2', 'upper case is no key: not there', 60, control('max-age=60', 'CDN-Cache-Control: Max-Age=10')),
  lasts(
    '9213, 2.2',
    'our own field before that of all',
    20,
    control('no-store', 'CDN-Cache-Control: max-age=10', 'Tentpole-Cache-Control: max-age=20'),
  ),
  lasts(
    '9213, 3',
    'fields for other caches mean nothing here',
    60,
    control('max-age=60', 'Surrogate-Control: max-age=10', 'Example-Cache-Control: no-store'),
  ),
  {
    clause: '9213, 2.2',
    name: 'CDN-Cache-Control goes on to the client, our own field does not',
    exchanges: [
      asks(control('max-age=1', 'CDN-Cache-Control: max-age=60', 'Tentpole-Cache-Control: max-age=60'), {
        got: { 'cdn-cache-control': 'max-age=60', 'tentpole-cache-control': null, 'cache-control': 'max-age=1' },
      }),
      { afterS: 30, got: { 'cdn-cache-control': 'max-age=60', 'tentpole-cache-control': null } },
    ],
  },
]

runCases([...lifetimes, ...statuses, ...ages, ...targeted])
