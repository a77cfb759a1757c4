import { runCases } from './bed.ts'
import { asks, at, type Case, control, notModified } from './case.ts'

const MODIFIED = `Last-Modified: ${at(-1_000)}`
const TAGGED = control('max-age=10', 'ETag: "1"', 'X-A: old')
const LATER = { afterS: 11 }

const questions: readonly Case[] = [
  {
    clause: '9111, 4.3.1',
    name: 'by the entity tag',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"'), {
        ...LATER,
        from: 0,
        sent: { 'if-none-match': '"1"', 'if-modified-since': null },
      }),
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: 'by a weak entity tag',
    exchanges: [
      asks(control('max-age=10', 'ETag: W/"1"')),
      asks(notModified('ETag: W/"1"'), { ...LATER, from: 0, sent: { 'if-none-match': 'W/"1"' } }),
      { from: 0 },
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: 'by Last-Modified',
    exchanges: [
      asks(control('max-age=10', MODIFIED)),
      asks(notModified(MODIFIED), {
        ...LATER,
        from: 0,
        sent: { 'if-none-match': null, 'if-modified-since': at(-1_000) },
      }),
      { from: 0 },
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: 'by both',
    exchanges: [
      asks(control('max-age=10', 'ETag: "1"', MODIFIED)),
      asks(notModified('ETag: "1"'), {
        ...LATER,
        from: 0,
        sent: { 'if-none-match': '"1"', 'if-modified-since': at(-1_000) },
      }),
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: 'without validators whole',
    exchanges: [
      asks(control('max-age=10')),
      asks(control('max-age=10'), { ...LATER, sent: { 'if-none-match': null, 'if-modified-since': null } }),
      {},
    ],
  },
  {
    clause: '9110, 8.8.3',
    name: 'an entity tag without quotes is none',
    exchanges: [
      asks(control('max-age=10', 'ETag: 1')),
      asks(control('max-age=10'), { ...LATER, sent: { 'if-none-match': null } }),
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: "the client's own conditions give way to those of what is stored",
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"'), {
        ...LATER,
        fields: ['If-None-Match: "7"', `If-Modified-Since: ${at(0)}`],
        from: 0,
        sent: { 'if-none-match': '"1"', 'if-modified-since': null },
      }),
    ],
  },
  {
    clause: '9111, 4.3.1',
    name: "a client's conditions on what is not stored do not keep the whole from being stored",
    exchanges: [asks(TAGGED, { fields: ['If-None-Match: "7"'], sent: { 'if-none-match': null } }), {}],
  },
]

const updates: readonly Case[] = [
  {
    clause: '9111, 3.2',
    name: 'a 304 brings new fields, which stay',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"', 'X-A: new', 'X-B: added', 'Cache-Control: max-age=20'), {
        ...LATER,
        from: 0,
        got: { 'x-a': 'new', 'x-b': 'added', 'cache-control': 'max-age=20' },
      }),
      { afterS: 19, from: 0, got: { 'x-a': 'new', 'x-b': 'added' } },
    ],
  },
  {
    clause: '9111, 3.2',
    name: 'fields that the 304 leaves out stay',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"'), { ...LATER, from: 0, got: { 'x-a': 'old', 'cache-control': 'max-age=10' } }),
      { afterS: 9, from: 0 },
    ],
  },
  {
    clause: '9111, 3.2',
    name: 'all lines of a name are replaced',
    exchanges: [
      asks(control('max-age=10', 'ETag: "1"', 'X-A: 1', 'X-A: 2')),
      asks(notModified('ETag: "1"', 'X-A: 3'), { ...LATER, from: 0, got: { 'x-a': '3' } }),
    ],
  },
  ...['Content-Length: 3', 'Content-Encoding: gzip', 'Content-Range: bytes 0-1/9', 'Content-Type: text/evil'].map(
    (line): Case => ({
      clause: '9111, 3.2',
      name: `a 304 does not change what the bytes are: ${line}`,
      exchanges: [
        asks(control('max-age=10', 'ETag: "1"', 'Content-Type: text/plain')),
        asks(notModified('ETag: "1"', line), {
          ...LATER,
          from: 0,
          got: { 'content-length': '8', 'content-encoding': null, 'content-range': null, 'content-type': 'text/plain' },
        }),
        {
          from: 0,
          got: { 'content-length': '8', 'content-encoding': null, 'content-range': null, 'content-type': 'text/plain' },
        },
      ],
    }),
  ),
  {
    clause: '9111, 3.2; 7.3',
    name: "a Set-Cookie with a 304 is in nobody else's answer",
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"', 'Set-Cookie: s=1'), { ...LATER, from: 0 }),
      { from: 0, got: { 'set-cookie': null } },
    ],
  },
  {
    clause: '9111, 3.1',
    name: 'fields of the connection of a 304 are not stored',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"', 'Connection: x-hop', 'X-Hop: 1'), { ...LATER, from: 0, got: { 'x-hop': null } }),
    ],
  },
  {
    clause: '9111, 4.3.4',
    name: 'a 304 with another strong tag freshens nothing: asked for again, without conditions',
    exchanges: [
      asks(TAGGED),
      {
        ...LATER,
        origin: [notModified('ETag: "2"'), control('max-age=10', 'ETag: "2"')],
        sent: { 'if-none-match': null },
      },
      {},
    ],
  },
  {
    clause: '9111, 4.3.4',
    name: "a weak tag that is the same but for the weakness is the newest one's",
    exchanges: [asks(TAGGED), asks(notModified('ETag: W/"1"'), { ...LATER, from: 0 })],
  },
  {
    clause: '9111, 4.3.3',
    name: 'a 304 without validators is of what was asked about',
    exchanges: [asks(TAGGED), asks(notModified(), { ...LATER, from: 0 }), { from: 0 }],
  },
  {
    clause: '9111, 4.3.4; 5.2.2.5',
    name: 'a 304 with no-store ends the keeping',
    exchanges: [
      asks(TAGGED),
      { ...LATER, origin: [notModified('ETag: "1"', 'Cache-Control: no-store'), control('no-store')] },
      asks(control('no-store')),
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'a 200 takes the place of what is stored',
    exchanges: [
      asks(TAGGED),
      asks(control('max-age=10', 'ETag: "2"'), {
        ...LATER,
        cacheStatus: 'fwd=stale; fwd-status=200; stored',
        got: { 'x-a': null },
      }),
      { got: { etag: '"2"' } },
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'a 404 takes the place of what is stored',
    exchanges: [
      asks(TAGGED),
      asks({ status: 404, ...control('max-age=10') }, { ...LATER, status: 404 }),
      { status: 404 },
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'what a whole answer that may not be kept replaced never comes back, whatever fails later',
    exchanges: [
      asks(TAGGED),
      asks({ status: 410, ...control('no-store') }, { ...LATER, status: 410 }),
      { origin: 'down', status: 502, text: null },
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'nor what a private answer replaced',
    exchanges: [asks(TAGGED), asks(control('private'), LATER), { origin: 'down', status: 502, text: null }],
  },
  {
    clause: '9111, 4.3.3',
    name: 'a refusal of one client leaves what is stored',
    exchanges: [
      asks(TAGGED),
      asks({ status: 429, ...control('no-store') }, { ...LATER, status: 429 }),
      asks(notModified('ETag: "1"'), { from: 0 }),
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'stale and validated: Cache-Status says with what result',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"'), { ...LATER, from: 0, cacheStatus: 'fwd=stale; fwd-status=304; stored' }),
    ],
  },
]

const heads: readonly Case[] = [
  {
    clause: '9110, 9.3.2',
    name: 'a HEAD is answered from a stored GET',
    exchanges: [
      asks(control('max-age=10', 'X-A: 1')),
      { method: 'HEAD', got: { 'x-a': '1', 'content-length': '8', age: '0' } },
    ],
  },
  {
    clause: '9111, 4',
    name: 'a GET is not answered from a HEAD',
    exchanges: [
      asks(control('max-age=10'), { method: 'HEAD', sentMethod: 'HEAD' }),
      asks(control('max-age=10'), { sentMethod: 'GET' }),
      {},
    ],
  },
  {
    clause: '9110, 9.3.2',
    name: 'a HEAD of what is not here says what the origin says',
    exchanges: [
      asks(
        { fields: ['Content-Length: 5000', 'X-A: 1'], body: '' },
        { method: 'HEAD', got: { 'content-length': '5000', 'x-a': '1' } },
      ),
    ],
  },
  {
    clause: '9111, 4.3.5',
    name: 'a stale GET cannot be freshened by a HEAD of other bytes',
    exchanges: [
      asks(control('max-age=10')),
      asks(control('max-age=10', 'Content-Length: 9'), { ...LATER, method: 'HEAD', text: '', sentMethod: 'HEAD' }),
      asks(control('max-age=10')),
    ],
  },
  {
    clause: '9111, 4.3.5',
    name: 'a HEAD of the same bytes freshens a stale GET',
    exchanges: [
      asks(control('max-age=10', 'X-A: old')),
      asks(control('max-age=10', 'X-A: new', 'Content-Length: 8'), {
        ...LATER,
        method: 'HEAD',
        sentMethod: 'HEAD',
        got: { 'x-a': 'new' },
      }),
      { from: 0, got: { 'x-a': 'new' } },
    ],
  },
  {
    clause: '9111, 4.3.5',
    name: 'a HEAD that failed changes nothing',
    exchanges: [asks(control('max-age=100')), { method: 'HEAD' }, { from: 0 }],
  },
]

const condition = (name: string, fields: readonly string[], status: number, clause: string): Case => ({
  clause,
  name: `${name}: ${status}`,
  exchanges: [
    asks(
      control(
        'max-age=60',
        'ETag: "1"',
        MODIFIED,
        'Content-Type: text/plain',
        'Vary: X',
        'X-A: 1',
        'Content-Location: /c',
      ),
    ),
    {
      fields,
      status,
      got:
        status === 304
          ? {
              etag: '"1"',
              'content-type': null,
              'content-length': null,
              'x-a': null,
              vary: 'X',
              'content-location': '/c',
              'cache-control': 'max-age=60',
              date: at(0),
              age: '0',
            }
          : {},
    },
  ],
})
const NONE = '9111, 4.3.2; 9110, 13.1.2'
const SINCE = '9111, 4.3.2; 9110, 13.1.3'
const conditions: readonly Case[] = [
  condition('the tag', ['If-None-Match: "1"'], 304, NONE),
  condition('the tag, weak', ['If-None-Match: W/"1"'], 304, NONE),
  condition('the tag among others', ['If-None-Match: "0", "1"'], 304, NONE),
  condition('the tag on a second line', ['If-None-Match: "0"', 'If-None-Match: "1"'], 304, NONE),
  condition('any tag', ['If-None-Match: *'], 304, NONE),
  condition('another tag', ['If-None-Match: "2"'], 200, NONE),
  condition('no tag', ['If-None-Match: 1'], 200, NONE),
  condition('as modified', [`If-Modified-Since: ${at(-1_000)}`], 304, SINCE),
  condition('later', [`If-Modified-Since: ${at(-900)}`], 304, SINCE),
  condition('earlier', [`If-Modified-Since: ${at(-1_100)}`], 200, SINCE),
  condition('no date', ['If-Modified-Since: yesterday'], 200, SINCE),
  condition('the tag beats the date', ['If-None-Match: "2"', `If-Modified-Since: ${at(-900)}`], 200, '9110, 13.2.2'),
  condition(
    'the tag beats the date, the other way',
    ['If-None-Match: "1"', `If-Modified-Since: ${at(-1_100)}`],
    304,
    '9110, 13.2.2',
  ),
  condition("If-Match is the origin's business", ['If-Match: "2"'], 200, '9111, 4.3.2'),
  condition("If-Unmodified-Since is the origin's business", [`If-Unmodified-Since: ${at(-2_000)}`], 200, '9111, 4.3.2'),
  {
    clause: '9111, 4.3.2',
    name: 'without Last-Modified the Date counts',
    exchanges: [
      asks(control('max-age=60')),
      { fields: [`If-Modified-Since: ${at(0)}`], status: 304 },
      { fields: [`If-Modified-Since: ${at(-1)}`] },
    ],
  },
  {
    clause: '9110, 13.2.1',
    name: 'conditions count only for what would be a 200',
    exchanges: [
      asks({ status: 404, ...control('max-age=60', 'ETag: "1"') }, { status: 404 }),
      { status: 404, fields: ['If-None-Match: "1"'] },
    ],
  },
  {
    clause: '9110, 13.1.2',
    name: 'HEAD has conditions, too',
    exchanges: [asks(TAGGED), { method: 'HEAD', fields: ['If-None-Match: "1"'], status: 304 }],
  },
  {
    clause: '9111, 4.3.2',
    name: 'on what is missing: fetched whole and stored, answered as asked',
    exchanges: [
      asks(TAGGED, { fields: ['If-None-Match: "1"'], status: 304, sent: { 'if-none-match': null } }),
      { from: 0 },
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'on what is stale: validated, answered as asked',
    exchanges: [
      asks(TAGGED),
      asks(notModified('ETag: "1"'), { ...LATER, fields: ['If-None-Match: "1"'], status: 304 }),
      { from: 0 },
    ],
  },
  {
    clause: '9111, 4.3.3',
    name: 'on what is stale and has changed to what the client has',
    exchanges: [
      asks(TAGGED),
      asks(control('max-age=10', 'ETag: "2"'), { ...LATER, fields: ['If-None-Match: "2"'], status: 304 }),
      { from: 1 },
    ],
  },
  {
    clause: '9110, 13.1.2',
    name: 'on what may not be stored: answered as asked, too',
    exchanges: [asks(control('no-store', 'ETag: "1"'), { fields: ['If-None-Match: "1"'], status: 304 })],
  },
  {
    clause: '9110, 13.1.1',
    name: 'conditions of a method that changes go to the origin',
    exchanges: [
      asks(
        { status: 412 },
        {
          method: 'PUT',
          body: 'x',
          fields: ['If-Match: "1"', `If-Unmodified-Since: ${at(0)}`],
          status: 412,
          sent: { 'if-match': '"1"', 'if-unmodified-since': at(0) },
        },
      ),
      asks(
        { status: 412 },
        { method: 'PUT', body: 'x', fields: ['If-None-Match: *'], status: 412, sent: { 'if-none-match': '*' } },
      ),
    ],
  },
]

runCases([...questions, ...updates, ...heads, ...conditions])
