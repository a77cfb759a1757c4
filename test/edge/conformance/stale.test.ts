import { expect, test } from 'bun:test'
import { openBed, runCases, toSteps } from './bed.ts'
import { asks, type Case, control, type Exchange, notModified, type OriginAnswer } from './case.ts'

const LATER = { afterS: 15 }
const FAILED: OriginAnswer = { status: 503, ...control('no-store') }

/** What a stale answer of this Cache-Control is worth when the origin errs, and when it is gone. */
const failing = (
  clause: string,
  directives: string,
  worth: { readonly onError: boolean; readonly onGone: boolean },
  also: Pick<Exchange, 'fields'> = {},
): readonly Case[] => {
  const asked = also.fields ? ` and a request with ${also.fields.join(' and ')}` : ''
  const stored = asks(control(directives, 'ETag: "1"'))
  const stale: Exchange = { ...also, ...LATER, from: 0, cacheStatus: 'hit; detail=stale-on-error', got: { age: '15' } }
  const error: Exchange = worth.onError
    ? { ...stale, origin: FAILED }
    : { ...also, ...LATER, origin: FAILED, status: 503 }
  const gone: Exchange = worth.onGone
    ? { ...stale, origin: 'down' }
    : { ...also, ...LATER, origin: 'down', status: 502, text: null }
  return [
    {
      clause,
      name: `${directives}${asked}: a 503 is ${worth.onError ? 'hidden' : 'told'}`,
      exchanges: [stored, error],
    },
    {
      clause,
      name: `${directives}${asked}: an origin that is gone is ${worth.onGone ? 'hidden' : 'told'}`,
      exchanges: [stored, gone],
    },
  ]
}
const both = { onError: true, onGone: true }
const neither = { onError: false, onGone: false }

const errors: readonly Case[] = [
  ...failing('5861, 4', 'max-age=10, stale-if-error=60', both),
  ...failing('5861, 4', 'max-age=10, stale-if-error=4', neither),
  ...failing('5861, 4', 'max-age=10, stale-if-error=0', neither),
  ...failing('5861, 4', 'max-age=10, stale-if-error=soon', neither),
  ...failing('5861, 4', 'max-age=10, stale-if-error="60"', both),
  ...failing('9111, 4.2.4', 'max-age=10', { onError: false, onGone: true }),
  ...failing('9111, 5.2.2.2', 'max-age=10, must-revalidate, stale-if-error=60', neither),
  ...failing('9111, 5.2.2.8', 'max-age=10, proxy-revalidate, stale-if-error=60', neither),
  ...failing('9111, 5.2.2.10', 's-maxage=10, stale-if-error=60', neither),
  ...failing('9111, 5.2.2.4', 'no-cache, max-age=10, stale-if-error=60', neither),
  ...failing('9111, 5.2.1.4', 'max-age=10, stale-if-error=60', neither, { fields: ['Cache-Control: no-cache'] }),
  ...failing('9111, 5.2.1.1', 'max-age=10, stale-if-error=60', neither, { fields: ['Cache-Control: max-age=60'] }),
  ...failing('9111, 5.2.1.3', 'max-age=10, stale-if-error=60', neither, { fields: ['Cache-Control: min-fresh=1'] }),
  ...failing('5861, 4', 'max-age=10', both, { fields: ['Cache-Control: stale-if-error=60'] }),
  ...failing('5861, 4', 'max-age=10, must-revalidate', neither, { fields: ['Cache-Control: stale-if-error=60'] }),
  ...[500, 502, 503, 504].map(
    (status): Case => ({
      clause: '5861, 4',
      name: `${status} is an error`,
      exchanges: [
        asks(control('max-age=10, stale-if-error=60', 'ETag: "1"')),
        { ...LATER, origin: { status }, from: 0 },
      ],
    }),
  ),
  ...[400, 403, 404, 429, 501].map(
    (status): Case => ({
      clause: '5861, 4',
      name: `${status} is an answer`,
      exchanges: [
        asks(control('max-age=10, stale-if-error=60', 'ETag: "1"')),
        { ...LATER, origin: { status }, status },
      ],
    }),
  ),
  {
    clause: '9111, 4.2.4',
    name: 'an origin that is gone is hidden for a day, and no longer',
    exchanges: [
      asks(control('max-age=10')),
      { afterS: 86_410, origin: 'down', from: 0 },
      { afterS: 1, origin: 'down', status: 502, text: null },
    ],
  },
  {
    clause: '5861, 4',
    name: 'what has no validator may be served stale as well',
    exchanges: [
      asks(control('max-age=10, stale-if-error=60')),
      { ...LATER, origin: FAILED, from: 0, cacheStatus: 'hit; detail=stale-on-error' },
      { origin: 'down', from: 0 },
      asks(control('max-age=10'), { cacheStatus: 'fwd=stale; fwd-status=200; stored' }),
    ],
  },
  {
    clause: '9111, 4.2.4',
    name: 'a HEAD of what has no validator, too',
    exchanges: [asks(control('max-age=10')), { ...LATER, method: 'HEAD', origin: 'down' }],
  },
  {
    clause: '9111, 4.3.4',
    name: 'a 304 to a request without conditions freshens nothing',
    exchanges: [
      asks(control('max-age=10')),
      { ...LATER, origin: [notModified(), notModified()], status: 502, text: null },
    ],
  },
  {
    clause: '9111, 4.2',
    name: 'what is fresh needs no origin',
    exchanges: [asks(control('max-age=60')), { ...LATER }],
  },
]

const meanwhile: readonly Case[] = [
  {
    clause: '5861, 3',
    name: 'stale-while-revalidate: the stale one at once, then the new one',
    exchanges: [
      asks(control('max-age=10, stale-while-revalidate=30', 'ETag: "1"')),
      {
        ...asks(control('max-age=10', 'ETag: "2"'), LATER),
        text: 'answer 0',
        cacheStatus: 'hit; ttl=-5',
        sent: { 'if-none-match': '"1"' },
        got: { age: '15' },
      },
      { from: 1 },
    ],
  },
  {
    clause: '5861, 3',
    name: 'behind it a 304 freshens',
    exchanges: [
      asks(control('max-age=10, stale-while-revalidate=30', 'ETag: "1"')),
      { ...asks(notModified('ETag: "1"'), LATER), text: 'answer 0', cacheStatus: 'hit; ttl=-5' },
      { afterS: 9, from: 0, cacheStatus: 'hit; ttl=1' },
    ],
  },
  {
    clause: '5861, 3',
    name: 'without a validator it is fetched whole behind',
    exchanges: [
      asks(control('max-age=10, stale-while-revalidate=30')),
      { ...asks(control('max-age=10'), LATER), text: 'answer 0' },
      { from: 1 },
    ],
  },
  {
    clause: '5861, 3',
    name: 'beyond its seconds it waits',
    exchanges: [
      asks(control('max-age=10, stale-while-revalidate=5', 'ETag: "1"')),
      asks(notModified('ETag: "1"'), { ...LATER, from: 0, cacheStatus: 'fwd=stale; fwd-status=304; stored' }),
    ],
  },
  ...['must-revalidate', 'proxy-revalidate', 's-maxage=10', 'no-cache'].map(
    (directive): Case => ({
      clause: '9111, 4.2.4',
      name: `${directive} forbids stale-while-revalidate`,
      exchanges: [
        asks(control(`max-age=10, ${directive}, stale-while-revalidate=30`, 'ETag: "1"')),
        asks(control('max-age=10', 'ETag: "2"'), LATER),
      ],
    }),
  ),
  ...['no-cache', 'max-age=60', 'min-fresh=1'].map(
    (wish): Case => ({
      clause: '9111, 5.2.1',
      name: `a client with ${wish} is given nothing stale`,
      exchanges: [
        asks(control('max-age=10, stale-while-revalidate=30', 'ETag: "1"')),
        asks(control('max-age=10', 'ETag: "2"'), { ...LATER, fields: [`Cache-Control: ${wish}`] }),
      ],
    }),
  ),
  {
    clause: '5861, 3',
    name: 'an origin that errs behind leaves the stale one',
    exchanges: [
      asks(control('max-age=10, stale-while-revalidate=30', 'ETag: "1"')),
      { ...asks(FAILED, LATER), text: 'answer 0' },
      { ...asks(notModified('ETag: "1"')), text: 'answer 0' },
    ],
  },
]

runCases([...errors, ...meanwhile])

test('many who are given the stale one cause one validation (RFC 5861, 3; RFC 9111, 4)', async () => {
  const bed = await openBed()
  const answerWith = (origin: OriginAnswer): void =>
    bed.answerWith(({ line }) => toSteps(origin, bed.nowMs(), line.split(' ', 1)[0]))
  answerWith({ ...control('max-age=10, stale-while-revalidate=30', 'ETag: "1"'), body: 'old' })
  await bed.ask({})
  await bed.settle()
  bed.passSeconds(15)
  bed.answerWith(() => [])
  const answers = await Promise.all(Array.from({ length: 20 }, () => bed.ask({})))
  expect([...new Set(answers.map(({ body }) => body))]).toEqual(['old'])
  expect(bed.origin.seen.length).toBe(2)
})
