import { expect, test } from 'bun:test'
import type { Seen } from '../raw-origin.ts'
import { type Bed, openBed, runCases, toSteps } from './bed.ts'
import { asks, at, type Case, control, type OriginAnswer } from './case.ts'
import { toFields } from './wire.ts'

const TEXT = '0123456789'.repeat(5)
const STORED: OriginAnswer = {
  ...control('max-age=60', 'ETag: "1"', `Last-Modified: ${at(-1_000)}`, 'Content-Type: text/plain'),
  body: TEXT,
}
const MODIFIED = `If-Range: ${at(-1_000)}`

/** Of what is stored whole: fifty bytes. */
const cut = (
  clause: string,
  fields: readonly string[],
  status: number,
  text: string | null,
  contentRange: string | null = null,
): Case => ({
  clause,
  name: `${fields.join(' and ')}: ${status}`,
  exchanges: [asks(STORED), { fields, status, text, got: { 'content-range': contentRange } }],
})
const ONE = '9110, 14.1.2; 15.3.7.1'
const whole = (clause: string, ...fields: readonly string[]): Case => cut(clause, fields, 200, TEXT)

const cuts: readonly Case[] = [
  cut(ONE, ['Range: bytes=0-0'], 206, '0', 'bytes 0-0/50'),
  cut(ONE, ['Range: bytes=2-4'], 206, '234', 'bytes 2-4/50'),
  cut(ONE, ['Range: bytes=45-'], 206, '56789', 'bytes 45-49/50'),
  cut(ONE, ['Range: bytes=45-1000'], 206, '56789', 'bytes 45-49/50'),
  cut(ONE, ['Range: bytes=45-99999999999999999999999'], 206, '56789', 'bytes 45-49/50'),
  cut(ONE, ['Range: bytes=-5'], 206, '56789', 'bytes 45-49/50'),
  cut(ONE, ['Range: bytes=-1000'], 206, TEXT, 'bytes 0-49/50'),
  cut(ONE, ['Range: bytes=0-'], 206, TEXT, 'bytes 0-49/50'),
  cut('9110, 14.1', ['Range: BYTES=2-4'], 206, '234', 'bytes 2-4/50'),
  cut('9110, 14.1.1', ['Range: bytes= 2-4 '], 206, '234', 'bytes 2-4/50'),
  cut('9110, 15.5.17', ['Range: bytes=50-'], 416, '', 'bytes */50'),
  cut('9110, 15.5.17', ['Range: bytes=-0'], 416, '', 'bytes */50'),
  cut('9110, 15.5.17', ['Range: bytes=99999999999999999999999-'], 416, '', 'bytes */50'),
  cut('9110, 15.3.7.2', ['Range: bytes=0-2,2-4'], 206, '01234', 'bytes 0-4/50'),
  cut('9110, 15.3.7.2', ['Range: bytes=0-2,3-4'], 206, '01234', 'bytes 0-4/50'),
  cut('9110, 15.3.7.2', ['Range: bytes=2-4,100-'], 206, '234', 'bytes 2-4/50'),
  whole('9110, 14.2', 'Range: lines=1-2'),
  whole('9110, 14.1.1', 'Range: bytes=4-2'),
  whole('9110, 14.1.1', 'Range: bytes=a-b'),
  whole('9110, 14.1.1', 'Range: bytes=-'),
  whole('9110, 14.1.1', 'Range: bytes='),
  whole('9110, 14.1.1', 'Range: bytes 2-4'),
  whole('9110, 14.1.1', 'Range: bytes=2-4,x'),
  whole('9110, 17.15', `Range: bytes=${Array.from({ length: 20 }, (_, place) => `${2 * place}-${2 * place}`).join()}`),
  cut('9110, 13.1.5', ['Range: bytes=2-4', 'If-Range: "1"'], 206, '234', 'bytes 2-4/50'),
  whole('9110, 13.1.5', 'Range: bytes=2-4', 'If-Range: "2"'),
  whole('9110, 13.1.5', 'Range: bytes=2-4', 'If-Range: W/"1"'),
  whole('9110, 13.1.5', 'Range: bytes=100-', 'If-Range: "2"'),
  cut('9110, 13.1.5', ['Range: bytes=2-4', MODIFIED], 206, '234', 'bytes 2-4/50'),
  whole('9110, 13.1.5', 'Range: bytes=2-4', `If-Range: ${at(-900)}`),
  whole('9110, 13.1.5', 'Range: bytes=2-4', 'If-Range: yesterday'),
  cut('9110, 13.2.2', ['Range: bytes=2-4', 'If-None-Match: "1"'], 304, ''),
  cut('9110, 13.2.2', ['Range: bytes=100-', 'If-None-Match: "1"'], 304, ''),
  cut('9110, 13.2.2', ['Range: bytes=2-4', 'If-None-Match: "2"'], 206, '234', 'bytes 2-4/50'),
  {
    clause: '9110, 14.2',
    name: 'a HEAD has no ranges',
    exchanges: [asks(STORED), { method: 'HEAD', fields: ['Range: bytes=2-4'], got: { 'content-length': '50' } }],
  },
  {
    clause: '9110, 14.2',
    name: 'nor has what is no 200',
    exchanges: [asks({ status: 404, ...STORED }, { status: 404 }), { fields: ['Range: bytes=2-4'], status: 404 }],
  },
  {
    clause: '9110, 15.3.7',
    name: 'a part says what the whole would',
    exchanges: [
      asks(STORED),
      {
        fields: ['Range: bytes=2-4'],
        status: 206,
        text: '234',
        afterS: 5,
        got: {
          etag: '"1"',
          'content-length': '3',
          'cache-control': 'max-age=60',
          age: '5',
          'content-type': 'text/plain',
          date: at(0),
        },
      },
    ],
  },
  {
    clause: '9110, 14.1.2',
    name: 'the end of nothing is all of it',
    exchanges: [
      asks({ ...control('max-age=60'), body: '' }),
      { fields: ['Range: bytes=-5'] },
      { fields: ['Range: bytes=0-'], status: 416, text: '', got: { 'content-range': 'bytes */0' } },
    ],
  },
]

/** Of what is not here; slices are ten bytes. */
const part = (
  start: number,
  end: number,
  more: Partial<OriginAnswer> & { readonly tag?: string; readonly of?: string; readonly directives?: string } = {},
): OriginAnswer => {
  const { tag = '"1"', of = '50', directives = 'max-age=60', fields = [], ...rest } = more
  const head = [
    `Cache-Control: ${directives}`,
    `ETag: ${tag}`,
    `Content-Range: bytes ${start}-${end - 1}/${of}`,
    ...fields,
  ]
  return { status: 206, body: TEXT.slice(start, end), ...rest, fields: head }
}
const TWO_TO_FOUR = { fields: ['Range: bytes=2-4'], status: 206, text: '234' }
const SLICED = { edgeSliceBytes: 10 }
const missing = (clause: string, name: string, ...exchanges: Case['exchanges']): Case => ({
  clause,
  name,
  exchanges,
  limits: SLICED,
})

const parts: readonly Case[] = [
  missing(
    '9111, 3.3; 3.4',
    'a part is stored and combined with others',
    asks(part(0, 10), { ...TWO_TO_FOUR, sent: { range: 'bytes=0-9', 'if-range': null } }),
    { ...TWO_TO_FOUR, got: { 'content-range': 'bytes 2-4/50', age: '0' } },
    asks(part(10, 20), {
      fields: ['Range: bytes=8-11'],
      status: 206,
      text: '8901',
      sent: { range: 'bytes=10-19' },
      cacheStatus: 'fwd=partial',
    }),
    { fields: ['Range: bytes=5-15'], status: 206, text: '56789012345' },
    {
      origin: [part(20, 30), part(30, 40), part(40, 50)],
      text: TEXT,
      got: { 'content-length': '50', 'content-range': null },
    },
    { text: TEXT },
  ),
  missing(
    '9111, 3.4',
    'the newest part brings the fields',
    asks(part(0, 10, { fields: ['X-A: 1'] }), { ...TWO_TO_FOUR, got: { 'x-a': '1' } }),
    asks(part(10, 20, { fields: ['X-A: 2'] }), { fields: ['Range: bytes=10-11'], status: 206, text: '01' }),
    { ...TWO_TO_FOUR, got: { 'x-a': '2' } },
  ),
  missing(
    '9111, 3.4',
    'parts expire as others do',
    asks(part(0, 10), TWO_TO_FOUR),
    asks(
      { status: 304, body: '', fields: ['ETag: "1"'] },
      { ...TWO_TO_FOUR, afterS: 60, sent: { 'if-none-match': '"1"' } },
    ),
    TWO_TO_FOUR,
  ),
  missing(
    '9111, 3.4',
    'when it has changed the old parts are gone',
    asks(part(0, 10), TWO_TO_FOUR),
    asks(part(0, 10, { tag: '"2"' }), { ...TWO_TO_FOUR, afterS: 60 }),
    asks(part(10, 20, { tag: '"2"' }), {
      fields: ['Range: bytes=10-11'],
      status: 206,
      text: '01',
      got: { etag: '"2"' },
    }),
  ),
  missing(
    '9110, 15.3.7.3',
    'parts by weak tags are never combined: asked for as the client asked',
    {
      ...TWO_TO_FOUR,
      origin: [part(0, 10, { tag: 'W/"1"' }), part(2, 5, { tag: 'W/"1"' })],
      sent: { range: 'bytes=2-4' },
    },
    asks(part(2, 5, { tag: 'W/"1"' }), { ...TWO_TO_FOUR, sent: { range: 'bytes=2-4' } }),
  ),
  missing(
    '9111, 3',
    'a part that is private is for one client',
    { ...TWO_TO_FOUR, origin: [part(0, 10, { directives: 'private' }), part(2, 5, { directives: 'private' })] },
    asks(part(2, 5, { directives: 'private' }), TWO_TO_FOUR),
  ),
  missing('9110, 14.4', 'a part of unknown size is passed on', {
    ...TWO_TO_FOUR,
    origin: [part(0, 10, { of: '*' }), part(2, 5, { of: '*' })],
    got: { 'content-range': 'bytes 2-4/*' },
  }),
  missing(
    '9110, 14.4',
    'a part from elsewhere is not stored as what was asked for',
    { ...TWO_TO_FOUR, origin: [part(10, 20), part(2, 5)] },
    asks(part(2, 5), TWO_TO_FOUR),
  ),
  missing(
    '9110, 14.4',
    'a part that says less than it brings is not stored',
    { ...TWO_TO_FOUR, origin: [part(0, 5), part(2, 5)] },
    asks(part(2, 5), TWO_TO_FOUR),
  ),
  missing(
    '9110, 14.2',
    'an origin without ranges: the whole is stored',
    asks(STORED, { fields: ['Range: bytes=2-4'], text: TEXT, got: { 'content-range': null } }),
    TWO_TO_FOUR,
  ),
  missing('9110, 15.5.17', "a range beyond the end is the origin's to refuse", {
    fields: ['Range: bytes=100-'],
    status: 416,
    text: '',
    origin: [
      { status: 416, fields: ['Content-Range: bytes */50'], body: '' },
      { status: 416, fields: ['Content-Range: bytes */50'], body: '' },
    ],
    got: { 'content-range': 'bytes */50' },
  }),
  missing(
    '9110, 15.5.17',
    'a range beyond the end of what is partly here is refused here',
    asks(part(0, 10), TWO_TO_FOUR),
    { fields: ['Range: bytes=100-'], status: 416, text: '', got: { 'content-range': 'bytes */50' } },
  ),
  missing(
    '9110, 13.1.5',
    'If-Range of another version, of what is partly here: the whole',
    asks(part(0, 10), TWO_TO_FOUR),
    {
      fields: ['Range: bytes=2-4', 'If-Range: "0"'],
      origin: [part(10, 20), part(20, 30), part(30, 40), part(40, 50)],
      text: TEXT,
    },
  ),
  missing(
    '9110, 13.1.5',
    "If-Range is not sent on with a slice; the client's is judged by what comes",
    asks(part(0, 10), { ...TWO_TO_FOUR, fields: ['Range: bytes=2-4', 'If-Range: "1"'], sent: { 'if-range': null } }),
  ),
  missing(
    '9110, 15.3.7.2',
    'several ranges of which one is not here',
    asks(part(0, 10), TWO_TO_FOUR),
    asks(part(30, 40), {
      fields: ['Range: bytes=0-1,30-31'],
      status: 206,
      text: null,
      sent: { range: 'bytes=30-39' },
      got: { 'content-range': null },
    }),
    { fields: ['Range: bytes=32-33'], status: 206, text: '23' },
  ),
  missing('9110, 14.2', 'a HEAD of what is partly here tells the whole length', asks(part(0, 10), TWO_TO_FOUR), {
    method: 'HEAD',
    got: { 'content-length': '50', 'content-range': null },
  }),
  missing('9111, 4.3.2', 'conditions of what is partly here need no more of it', asks(part(0, 10), TWO_TO_FOUR), {
    fields: ['If-None-Match: "1"'],
    status: 304,
  }),
  missing(
    '9111, 4.4',
    'parts are forgotten by a change, too',
    asks(part(0, 10), TWO_TO_FOUR),
    asks({}, { method: 'DELETE' }),
    asks(part(0, 10), TWO_TO_FOUR),
  ),
  missing(
    '9111, 4.1',
    'parts of two variants are apart',
    asks(part(0, 10, { fields: ['Vary: Foo'] }), { ...TWO_TO_FOUR, fields: ['Range: bytes=2-4', 'Foo: 1'] }),
    asks(part(0, 10, { fields: ['Vary: Foo'], tag: '"x"' }), {
      ...TWO_TO_FOUR,
      fields: ['Range: bytes=2-4', 'Foo: 2'],
      got: { etag: '"x"' },
    }),
    { ...TWO_TO_FOUR, fields: ['Range: bytes=2-4', 'Foo: 1'], got: { etag: '"1"' } },
  ),
  missing(
    '9110, 15.3.7',
    'a 206 that nobody asked for is asked for once, and not stored',
    asks(part(0, 10), { status: 206 }),
    asks(part(0, 10), { status: 206 }),
  ),
  missing(
    '9111, 3.5',
    "a part that answered Authorization is nobody else's",
    { ...TWO_TO_FOUR, fields: ['Range: bytes=2-4', 'Authorization: Bearer a'], origin: [part(0, 10), part(2, 5)] },
    asks(part(2, 5), TWO_TO_FOUR),
  ),
  missing(
    '9110, 14.2',
    'a range of another method goes to the origin',
    asks({ status: 200, body: 'x' }, { method: 'POST', fields: ['Range: bytes=2-4'], sent: { range: 'bytes=2-4' } }),
  ),
]

const STALE_SOON = { directives: 'max-age=10, stale-while-revalidate=60' }
const sparing: readonly Case[] = [
  missing(
    '9111, 5.2.1.7',
    'only-if-cached of what is partly here: what is, and nothing else',
    asks(part(0, 10), TWO_TO_FOUR),
    { ...TWO_TO_FOUR, fields: ['Range: bytes=2-4', 'Cache-Control: only-if-cached'] },
    { fields: ['Range: bytes=2-14', 'Cache-Control: only-if-cached'], status: 504, text: null },
    { fields: ['Cache-Control: only-if-cached'], status: 504, text: null },
  ),
  missing(
    '5861, 3',
    'behind a stale part only a part is asked for',
    asks(part(0, 10, STALE_SOON), TWO_TO_FOUR),
    asks(part(0, 10, { tag: '"2"' }), {
      ...TWO_TO_FOUR,
      afterS: 15,
      sent: { range: 'bytes=0-9', 'if-none-match': '"1"' },
    }),
    { ...TWO_TO_FOUR, got: { etag: '"2"' } },
  ),
  missing(
    '9110, 9.3.2',
    'a HEAD of a stale whole whose parts may not be kept is asked as one',
    asks(STORED, { text: TEXT }),
    {
      method: 'HEAD',
      afterS: 60,
      origin: [part(0, 10, { tag: 'W/"2"' }), { ...control('no-store', 'Content-Length: 50'), body: '' }],
      sent: { range: null },
      sentMethod: 'HEAD',
      got: { 'content-length': '50', 'content-range': null },
    },
  ),
  missing(
    '9110, 9.3.2',
    'a HEAD of a stale whole asks for a part, and no more when it has changed',
    asks(STORED, { text: TEXT }),
    asks(part(0, 10, { tag: '"2"' }), {
      method: 'HEAD',
      afterS: 60,
      sent: { range: 'bytes=0-9' },
      got: { 'content-length': '50', etag: '"2"' },
    }),
    { ...TWO_TO_FOUR, got: { etag: '"2"' } },
  ),
]

runCases([...cuts, ...parts, ...sparing])

/** A resource that knows ranges; its version can change. */
const serve = (bed: Bed, resource: () => { readonly tag: string; readonly text: string }): void =>
  bed.answerWith((seen: Seen) => {
    const { tag, text } = resource()
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(toFields(seen).get('range')?.[0] ?? '') ?? []
    const fields = ['Cache-Control: max-age=60', `ETag: ${tag}`]
    if (first === undefined) return toSteps({ fields, body: text }, bed.nowMs())
    const end = Math.min(Number(last) + 1, text.length)
    const placed = `Content-Range: bytes ${first}-${end - 1}/${text.length}`
    return toSteps({ status: 206, fields: [...fields, placed], body: text.slice(Number(first), end) }, bed.nowMs())
  })

test('several ranges, each with its place, framed by what Content-Type says (RFC 9110, 14.6)', async () => {
  const bed = await openBed()
  bed.answerWith(() => toSteps(STORED, bed.nowMs()))
  await bed.ask({})
  const { status, fields, body } = await bed.ask({ fields: ['Range: bytes=0-1,10-12,-1'] })
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(fields.get('content-type')?.[0] ?? '')?.[1] ?? '-'
  const pieces = body.split(`--${boundary}`).map((piece) => piece.trim())
  expect([status, fields.get('content-length')?.[0], pieces.length, pieces[4]]).toEqual([
    206,
    String(body.length),
    5,
    '--',
  ])
  for (const [place, [range, text]] of (
    [
      ['0-1', '01'],
      ['10-12', '012'],
      ['49-49', '9'],
    ] as const
  ).entries()) {
    const piece = pieces[place + 1] ?? ''
    expect(piece).toContain(`Content-Range: bytes ${range}/50`)
    expect(piece.endsWith(`\r\n\r\n${text}`)).toBe(true)
    expect(piece).toMatch(/content-type: text\/plain/i)
  }
})

test.each([
  ['another tag', { tag: '"2"', text: TEXT }],
  ['another size', { tag: '"1"', text: TEXT.slice(0, 30) }],
] as const)(
  'what changed between two slices, to %s, is cut off and never mixed (RFC 9110, 15.3.7.3)',
  async (_, changed) => {
    const bed = await openBed(SLICED)
    let resource: { tag: string; text: string } = { tag: '"1"', text: TEXT }
    serve(bed, () => resource)
    expect((await bed.ask({ fields: ['Range: bytes=0-4'] })).body).toBe('01234')
    resource = changed
    const whole = bed.ask({ fields: ['Range: bytes=0-29'] })
    expect(whole).rejects.toThrow()
    await whole.catch(() => {})
    await bed.settle()
    const again = await bed.ask({ fields: ['Range: bytes=0-29'] })
    expect([again.status, again.fields.get('etag'), again.fields.get('content-range'), again.body]).toEqual([
      206,
      [changed.tag],
      [`bytes 0-29/${changed.text.length}`],
      TEXT.slice(0, 30),
    ])
  },
)
