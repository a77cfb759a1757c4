import { runCases } from './bed.ts'
import { asks, at, type Case, control, type Expected, type Lines, type OriginAnswer } from './case.ts'

const sent = (clause: string, name: string, fields: Lines, expected: Expected): Case => ({
  clause,
  name: `to the origin: ${name}`,
  exchanges: [asks(control('no-store'), { fields, sent: expected })],
})
const got = (clause: string, name: string, fields: Lines, expected: Expected): Case => ({
  clause,
  name: `to the client: ${name}`,
  exchanges: [
    asks(control('no-store', ...fields), { got: expected }),
    asks(control('max-age=60', ...fields), { got: expected }),
    { got: expected },
  ],
})

const fields: readonly Case[] = [
  sent(
    '9110, 7.6.1',
    'no fields of one hop',
    ['Keep-Alive: 5', 'Proxy-Connection: x', 'TE: gzip', 'Upgrade: h2c', 'Connection: upgrade'],
    {
      'keep-alive': null,
      'proxy-connection': null,
      te: null,
      upgrade: null,
    },
  ),
  sent('9110, 7.6.1', 'nothing that Connection lists', ['Connection: X-A, x-b', 'X-A: 1', 'X-B: 2', 'X-C: 3'], {
    'x-a': null,
    'x-b': null,
    'x-c': '3',
  }),
  sent('9110, 7.6.1', 'nothing that a second Connection lists', ['Connection: close', 'Connection: X-A', 'X-A: 1'], {
    'x-a': null,
  }),
  sent(
    '9110, 7.6.1',
    'what is for all, listed or not',
    ['Connection: authorization, cookie, host', 'Authorization: Bearer a', 'Cookie: a=1'],
    {
      authorization: 'Bearer a',
      cookie: 'a=1',
      host: 'edge.test',
    },
  ),
  sent('9110, 11.7', 'no Proxy-Authorization', ['Proxy-Authorization: Basic x'], { 'proxy-authorization': null }),
  sent('9110, 7.6.3', 'Via', [], { via: '1.1 tentpole' }),
  sent('9110, 7.6.3', 'Via after what it has passed', ['Via: 1.0 one', 'Via: 1.1 two'], {
    via: '1.0 one, 1.1 two, 1.1 tentpole',
  }),
  sent('9110, 5.3', 'several lines of one field, in their order', ['X-A: 1', 'X-B: 2', 'X-A: 3'], { 'x-a': '1 | 3' }),
  sent('9110, 5.5', 'obs-text and tabs', ['X-A: caf\u00e9\tx'], { 'x-a': 'caf\u00e9\tx' }),
  sent('9110, 5.5', 'an empty value', ['X-A:'], { 'x-a': '' }),
  sent('9110, 7.2', 'Host as the client named it', ['Host: Edge.TEST:80'], { host: 'edge.test' }),
  sent('9110, 12.5.3', 'Accept-Encoding as it is', ['Accept-Encoding: gzip, br;q=0.5'], {
    'accept-encoding': 'gzip, br;q=0.5',
  }),
  sent('9111, 5.2.1', 'Cache-Control as it is', ['Cache-Control: foo=1, no-transform'], {
    'cache-control': 'foo=1, no-transform',
  }),
  got('9110, 7.6.1', 'nothing that Connection lists', ['Connection: X-A', 'X-A: 1', 'X-B: 2'], {
    'x-a': null,
    'x-b': '2',
  }),
  got(
    '9110, 7.6.1',
    'no fields of one hop',
    ['Keep-Alive: timeout=5', 'Proxy-Authentication-Info: x', 'Proxy-Connection: x', 'Upgrade: h2c'],
    {
      'keep-alive': null,
      'proxy-authentication-info': null,
      'proxy-connection': null,
      upgrade: null,
    },
  ),
  got('9110, 7.6.3', 'Via', [], { via: '1.1 tentpole' }),
  got('9110, 7.6.3', 'Via after what it has passed', ['Via: 1.1 one', 'Via: 1.1 two'], {
    via: '1.1 one, 1.1 two, 1.1 tentpole',
  }),
  got('9110, 5.3', 'several lines of one field, in their order', ['X-A: 1', 'X-B: 2', 'X-A: 3'], { 'x-a': '1 | 3' }),
  got(
    '9110, 11.6.1',
    'several challenges stay apart',
    ['WWW-Authenticate: Basic realm="a, b"', 'WWW-Authenticate: Digest x=1'],
    {
      'www-authenticate': 'Basic realm="a, b" | Digest x=1',
    },
  ),
  got('9110, 6.6.1', 'the Date of the origin, once', [`Date: ${at(-7)}`], { date: at(-7) }),
  got('9111, 5.2.2', 'Cache-Control in its lines', ['Cache-Control: foo'], {}),
  got('9110, 10.2.4', "Server is the origin's", ['Server: origin/1'], { server: 'origin/1' }),
  got('9110, 5.1', 'fields nobody knows', ["X!#$%&'*+-.^_`|~9: 1"], { "x!#$%&'*+-.^_`|~9": '1' }),
  {
    clause: '9211, 2',
    name: 'Cache-Status of caches before stays, ours comes last',
    exchanges: [
      asks(control('max-age=60', 'Cache-Status: origin-cache; hit; ttl=5'), {
        got: { 'cache-status': 'origin-cache; hit; ttl=5, tentpole; fwd=uri-miss; stored' },
      }),
      { got: { 'cache-status': 'origin-cache; hit; ttl=5, tentpole; hit; ttl=60' } },
    ],
  },
  {
    clause: '9211, 2',
    name: 'Cache-Status that cannot be read is left out',
    exchanges: [
      asks(control('no-store', 'Cache-Status: "open'), { got: { 'cache-status': 'tentpole; fwd=uri-miss' } }),
    ],
  },
  {
    clause: '9111, 5.1',
    name: 'an Age that is not ours to make passes with what is not stored',
    exchanges: [asks(control('no-store', 'Age: 7'), { got: { age: '7' } })],
  },
  {
    clause: '9110, 7.6.3',
    name: 'a request that went round in circles ends',
    exchanges: [
      { fields: ['Via: 1.1 tentpole, 1.1 tentpole', 'Via: 1.1 tentpole, 1.1 tentpole'], status: 508, text: null },
    ],
  },
]

const passing = (method: string, more: { readonly body?: string } = {}): Case => ({
  clause: '9110, 9',
  name: `${method}${more.body ? ' with content' : ''} passes`,
  exchanges: [
    asks(
      { ...control('max-age=60', 'Allow: GET'), status: 202 },
      {
        method,
        ...more,
        status: 202,
        sentMethod: method,
        sent: more.body ? { 'content-length': String(more.body.length) } : {},
        cacheStatus: 'fwd=method',
        got: { allow: 'GET' },
      },
    ),
  ],
})
const methods: readonly Case[] = [
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH'].map((method) => passing(method)),
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'REPORT'].map((method) => passing(method, { body: 'content' })),
  ...['get', 'Post', 'x-own'].map(
    (method): Case => ({
      clause: '9110, 9.1',
      name: `methods have case: ${method} is none of those that are known, and reaches the origin as it is`,
      exchanges: [
        asks(control('max-age=60')),
        asks(control('max-age=60'), { method, sentMethod: method, cacheStatus: 'fwd=method' }),
        asks(control('max-age=60'), { sentMethod: 'GET' }),
      ],
    }),
  ),
  ...['OPTIONS', 'TRACE'].flatMap((method): Case[] => [
    {
      clause: '9110, 7.6.2',
      name: `${method} counts how often it is sent on`,
      exchanges: [asks({}, { method, fields: ['Max-Forwards: 3'], sent: { 'max-forwards': '2' } })],
    },
    {
      clause: '9110, 7.6.2',
      name: `${method} ends here when it may go no further`,
      exchanges: [{ method, fields: ['Max-Forwards: 0'], status: method === 'TRACE' ? 405 : 204, text: null }],
    },
    {
      clause: '9110, 7.6.2',
      name: `${method} with a Max-Forwards that is no number goes on with it`,
      exchanges: [asks({}, { method, fields: ['Max-Forwards: few'], sent: { 'max-forwards': 'few' } })],
    },
  ]),
  {
    clause: '9110, 7.6.2',
    name: 'Max-Forwards of other methods means nothing',
    exchanges: [
      asks({}, { method: 'POST', fields: ['Max-Forwards: 0'], sent: { 'max-forwards': '0' } }),
      asks({}, { fields: ['Max-Forwards: 0'], sent: { 'max-forwards': '0' } }),
    ],
  },
  {
    clause: '9110, 9.3.7',
    name: 'OPTIONS of the server as a whole',
    exchanges: [asks({ status: 204, body: '' }, { method: 'OPTIONS', path: '*', status: 204, text: '' })],
  },
]

const EARLY = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const interim: readonly Case[] = [
  ...(
    [
      ['100', CONTINUE],
      ['103', EARLY],
      ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
      ['several', CONTINUE + EARLY + EARLY],
    ] as const
  ).map(
    ([name, text]): Case => ({
      clause: '9110, 15.2',
      name: `interim of the origin, ${name}: the final answer is the one`,
      exchanges: [asks({ ...control('max-age=60'), interim: text }, { got: { link: null } }), { got: { link: null } }],
    }),
  ),
  {
    clause: '9110, 15.2.2',
    name: 'a switch of protocols nobody asked for is no answer',
    exchanges: [
      { origin: { interim: 'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n' }, status: 502, text: null },
    ],
  },
]

const shaped = (
  clause: string,
  name: string,
  origin: OriginAnswer,
  expected: Expected,
  more: { readonly status?: number; readonly text?: string } = {},
): Case => ({
  clause,
  name: `content: ${name}`,
  exchanges: [
    asks(
      { ...control('no-store'), ...origin },
      { ...more, text: more.text ?? origin.body ?? 'answer 0', got: expected },
    ),
    asks({ ...control('max-age=60'), ...origin }, { ...more, text: more.text ?? origin.body ?? 'answer 1' }),
    { ...more, ...(more.text === undefined ? {} : { text: more.text }), got: expected },
  ],
})
const LARGE = 'abcdefghij'.repeat(30_000)
const contents: readonly Case[] = [
  shaped('9112, 6.2', 'by its length', {}, { 'content-length': '8', 'transfer-encoding': null }),
  shaped('9112, 6.3', 'nothing', { body: '' }, { 'content-length': '0' }),
  shaped('9112, 6.2', 'a large one', { body: LARGE }, { 'content-length': '300000' }),
  shaped(
    '9112, 6.3',
    'none with 204',
    { status: 204, body: '' },
    { 'content-length': null, 'transfer-encoding': null },
    { status: 204, text: '' },
  ),
  shaped(
    '9110, 15.3.6',
    'none with 205',
    { status: 205, body: '' },
    { 'content-length': '0' },
    { status: 205, text: '' },
  ),
  {
    clause: '9112, 7.1',
    name: 'content: in chunks, then stored and known by its length',
    exchanges: [
      asks({ ...control('max-age=60'), framing: 'chunked' }),
      { got: { 'content-length': '8', 'transfer-encoding': null } },
    ],
  },
  {
    clause: '9112, 7.1',
    name: 'content: in no chunk',
    exchanges: [asks({ ...control('max-age=60'), framing: 'chunked', body: '' }), { got: { 'content-length': '0' } }],
  },
  {
    clause: '9112, 6.3',
    name: 'content: until the connection closes',
    exchanges: [asks({ ...control('max-age=60'), framing: 'close' }), { got: { 'content-length': '8' } }],
  },
  {
    clause: '9112, 6.3',
    name: 'content: none of a HEAD in chunks',
    exchanges: [
      asks(
        { ...control('max-age=60', 'Transfer-Encoding: chunked', 'Content-Length: '), body: '' },
        { method: 'HEAD', text: null, status: 502 },
      ),
    ],
  },
  {
    clause: '9110, 8.6',
    name: 'content: its length by a HEAD and by a GET',
    exchanges: [
      asks({ ...control('max-age=60'), framing: 'chunked' }),
      { method: 'HEAD', got: { 'content-length': '8' } },
    ],
  },
  {
    clause: '9110, 8.4',
    name: 'content: coded content passes byte for byte',
    exchanges: [
      asks(
        { ...control('max-age=60', 'Content-Encoding: gzip'), body: '\x1f\u008b\x08\x00' },
        { got: { 'content-encoding': 'gzip' } },
      ),
      { got: { 'content-encoding': 'gzip' } },
    ],
  },
]

runCases([...fields, ...methods, ...interim, ...contents])
