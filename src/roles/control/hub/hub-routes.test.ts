import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { NewDeadLetter } from '../../../hub/index.ts'
import { problemOf, until } from '../testing.ts'
import { OPERATOR, startTestHub, type TestHub, titleAdded, toJson } from './testing.ts'

const ONE = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

let hub: TestHub
let token: string
let other: string
beforeAll(async () => {
  hub = await startTestHub()
  token = await hub.createSpoke({ topics: ['orders'] })
  other = await hub.createSpoke({ name: 'others' })
})
afterAll(() => hub.close())

const endOf = async (topic: string): Promise<number> => (await hub.log.bounds(topic))[0]?.end ?? 0

test('a batch is on the log when it is answered, from the spoke that sent it', async () => {
  const before = await endOf('com-example')
  const events = [titleAdded(1), titleAdded(2, { source: 'the-operator' })]
  const answer = await hub.call('/events', toJson('POST', events, BATCH), token)
  expect(await answer.json()).toEqual({
    events: [
      { id: 'e1', position: `com-example:0:${before}` },
      { id: 'e2', position: `com-example:0:${before + 1}` },
    ],
  })
  const [, second] = await hub.log.read({ topic: 'com-example', from: before, max: 2 })
  expect(JSON.parse(Buffer.from(second?.value ?? []).toString())).toMatchObject({ id: 'e2', source: 'spokes/them' })
  // A repeat is taken: subscribers tell by the id.
  expect((await hub.call('/events', toJson('POST', titleAdded(1), ONE), token)).status).toBe(200)
})

const bad = { titleId: 't', day: 'd', price: -1 }
const refused: readonly (readonly [string, unknown, string, number, string, string | null])[] = [
  ['a field', titleAdded(1, { data: bad }), ONE, 400, 'event-invalid', '/data/price'],
  [
    'a field of the third',
    [titleAdded(1), titleAdded(2), titleAdded(3, { data: bad })],
    BATCH,
    400,
    'event-invalid',
    '/2/data/price',
  ],
  ['no type', { specversion: '1.0', subject: 's' }, ONE, 400, 'event-invalid', '/type'],
  ['a version', [titleAdded(1, { specversion: '0.3' })], BATCH, 400, 'event-invalid', '/0/specversion'],
  ['an attribute', titleAdded(1, { dataref: 'claims/x' }), ONE, 400, 'event-invalid', '/dataref'],
  ['no object', [5], BATCH, 400, 'event-invalid', '/0'],
  ['no array', titleAdded(1), BATCH, 400, 'event-invalid', ''],
  ['an unknown type', titleAdded(1, { type: 'com.example.unknown.v1' }), ONE, 400, 'event-invalid', '/type'],
  [
    'the type of others',
    [titleAdded(1), titleAdded(2, { type: 'org.other.thing.v1' })],
    BATCH,
    403,
    'type-forbidden',
    '/1/type',
  ],
  ['too many', Array.from({ length: 1_001 }, (_, n) => titleAdded(n)), BATCH, 413, 'payload-too-large', null],
  ['another content type', titleAdded(1), 'application/json', 415, 'not-cloudevents', null],
  ['too large', titleAdded(1, { data: 'x'.repeat(9 * 1024 * 1024) }), ONE, 413, 'payload-too-large', null],
]
test.each(refused)('%s is refused, and nothing is published', async (_what, body, type, status, code, pointer) => {
  const before = await endOf('com-example')
  const problem = await problemOf(await hub.call('/events', toJson('POST', body, type), token))
  expect([problem.status, problem.code]).toEqual([status, code])
  if (pointer !== null) expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  expect(await endOf('com-example')).toBe(before)
})

test('bytes that are no JSON are refused', async () => {
  for (const body of ['', '{', '[', new Uint8Array([0xff, 0xfe])]) {
    const answer = await hub.call('/events', { method: 'POST', headers: { 'content-type': ONE }, body }, token)
    expect((await problemOf(answer)).code).toBe('event-invalid')
  }
})

test('a payload in binary mode goes by claim check and comes back as it was', async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000))
  const headers = {
    ...{ 'content-type': 'image/png', 'ce-specversion': '1.0', 'ce-type': 'com.example.poster.drawn.v1' },
    ...{ 'ce-subject': 't%C3%BC', 'ce-id': 'poster-1' },
  }
  const answer = await hub.call('/events', { method: 'POST', headers, body: bytes }, token)
  expect(answer.status).toBe(200)
  const [record] = await hub.log.read({ topic: 'com-example', from: (await endOf('com-example')) - 1, max: 1 })
  const event = JSON.parse(Buffer.from(record?.value ?? []).toString())
  expect(event).toMatchObject({ subject: 'tü', datasize: 60_000, datacontenttype: 'image/png' })
  const query = new URLSearchParams({ size: '60000', digest: event.datadigest })
  for (const path of [`/payloads/${event.dataref}`, `/payloads/${event.dataref}?${query}`])
    expect(new Uint8Array(await (await hub.call(path, {}, token)).arrayBuffer())).toEqual(bytes)
  expect((await hub.call(`/payloads/${event.dataref}`, {}, 'tps_x')).status).toBe(401)
  for (const path of ['claims/2026-01-01/0123456789abcdef', '../t.sqlite', 'titles/x', `${event.dataref}/../x`])
    expect([400, 404]).toContain((await hub.call(`/payloads/${path}`, {}, token)).status)
})

test('raw records for pipes are taken for the topics a spoke was given', async () => {
  const init = { method: 'POST', headers: { 'tentpole-key': 'k', 'tentpole-header-format': 'xml' }, body: '<a/>' }
  expect(await (await hub.call('/records/orders', init, token)).json()).toEqual({ position: 'orders:0:0' })
  const [record] = await hub.log.read({ topic: 'orders', from: 0, max: 1 })
  expect([record?.key, record?.headers, Buffer.from(record?.value ?? []).toString()]).toEqual([
    'k',
    { format: 'xml' },
    '<a/>',
  ])
  expect((await problemOf(await hub.call('/records/com-example', init, token))).code).toBe('topic-forbidden')
  expect((await problemOf(await hub.call('/records/..%2F', init))).code).toBe('topic-invalid')
  // What lies there has passed its schema, whoever wrote it.
  expect((await problemOf(await hub.call('/records/com-example', init))).code).toBe('topic-of-events')
  expect((await problemOf(await hub.call('/records/dead-letters', init))).code).toBe('topic-of-events')
  const forger = { name: 'forger', publishes: [], patterns: [], topics: ['orders', 'com-example'] }
  for (const [method, path, body] of [
    ['POST', '/spokes', forger],
    ['PUT', '/spokes/them', { topics: forger.topics }],
  ] as const) {
    const refused = await problemOf(await hub.call(path, toJson(method, body)))
    expect([refused.code, refused.errors?.map(({ pointer }) => pointer)]).toEqual(['topic-of-events', ['/topics/1']])
  }
})

test('one spoke cannot take what is there for all', async () => {
  const small = await startTestHub({ hubSpokeSubscriptionsMax: 2 })
  try {
    const [one, other] = [await small.createSpoke({ name: 'one' }), await small.createSpoke({ name: 'other' })]
    const url = 'https://hooks.example.com/T000/SECRET?key=abc'
    const put = toJson('PUT', { pattern: { id: ['x'] }, target: { kind: 'webhook', url } })
    const codes: string[] = []
    for (const [name, token] of [
      ['a', one],
      ['b', one],
      ['c', one],
      ['a', one],
      ['d', other],
    ] as const) {
      const answer = await small.call(`/subscriptions/${name}`, put, token)
      codes.push(answer.ok ? 'put' : (await problemOf(answer)).code)
    }
    expect(codes).toEqual(['put', 'put', 'subscriptions-full', 'put', 'put'])
    // Not even whoever may look at it is shown what opens the webhook.
    expect(await (await small.call('/subscriptions/a')).json()).toMatchObject({ target: 'https://hooks.example.com/…' })

    const replay = (name: string, token: string) =>
      small.call(`/subscriptions/${name}/replays`, toJson('POST', { fromMs: 0, toMs: 1 }), token)
    const replays = await Promise.all([replay('a', one), replay('b', one), replay('d', other)])
    expect(replays.map(({ status }) => status).sort()).toEqual([201, 201, 429])
    expect((await replay('b', one)).status).toBe(429)
    const slow = toJson('POST', { fromMs: 0, toMs: 1, eventsPerSecond: 1e-9 })
    expect((await small.call('/subscriptions/d/replays', slow, other)).status).toBe(400)

    const searching = Promise.withResolvers<null>()
    Object.assign(small.ports, { journey: () => searching.promise })
    const first = small.call('/journeys/x', {}, one)
    await until('the second is refused', async () => {
      const abort = AbortSignal.timeout(100)
      const second = await small.call('/journeys/x', { signal: abort }, one).catch(() => null)
      return second?.status === 429
    })
    searching.resolve(null)
    expect([(await first).status, (await small.call('/journeys/x', {}, one)).status]).toEqual([404, 404])
  } finally {
    await small.close()
  }
})

test('when as much is being read as there is room for, the next is told to come back, and nothing is taken', async () => {
  const small = await startTestHub({ hubRequestBytesMax: 1_000, hubRequestsBytesMax: 1_500, hubRequestIdleMs: 1_000 })
  const socket = connect(Number(new URL(small.url).port), 'localhost')
  try {
    // Declared, begun, and never finished.
    const head = [
      'POST /hub/v1/events HTTP/1.1',
      'host: localhost',
      `authorization: Bearer ${OPERATOR}`,
      `content-type: ${ONE}`,
    ]
    let answered = ''
    socket.on('data', (data) => {
      answered += data
    })
    socket.write([...head, 'content-length: 1000', '', '{'].join('\r\n'))
    const send = () => {
      const body = JSON.stringify(titleAdded(1)).padEnd(900)
      return small.call('/events', { method: 'POST', headers: { 'content-type': ONE }, body })
    }
    // Answered after the head before it has been read.
    for (let at = 0; at < 3; at += 1) await small.call('/schemas')
    let refused = await send()
    await until('it is busy', async () => {
      if (refused.status !== 200) return true
      refused = await send()
      return false
    })
    const end = (await small.log.bounds('com-example'))[0]?.end
    expect([refused.headers.get('retry-after'), (await problemOf(refused)).code]).toEqual(['1', 'hub-busy'])
    await until('the silent one is told', () => answered.includes('body-silent'))
    expect((await small.log.bounds('com-example'))[0]?.end).toBe(end ?? 0)
    expect((await send()).status).toBe(200)
  } finally {
    socket.destroy()
    await small.close()
  }
})

test('strangers, revoked tokens and foreign pages get nothing', async () => {
  const revoked = await hub.createSpoke({ name: 'gone' })
  expect((await hub.call('/schemas', {}, revoked)).status).toBe(200)
  expect((await hub.call('/spokes/gone', { method: 'DELETE' })).status).toBe(204)
  for (const bearer of ['', 'nonsense', 'tps_', revoked, `${token}x`, 'metrics'])
    for (const path of ['/schemas', '/overview', '/subscriptions', '/dead-letters', '/spokes'])
      expect((await hub.call(path, {}, bearer)).status).toBe(401)
})

test('only the operator has to do with spokes; a token is told once', async () => {
  for (const [method, path] of [
    ['GET', '/spokes'],
    ['POST', '/spokes'],
    ['PUT', '/spokes/them'],
    ['DELETE', '/spokes/them'],
    ['POST', '/spokes/them/token'],
  ] as const)
    expect((await problemOf(await hub.call(path, { method }, token))).code).toBe('operator-only')
  const text = await (await hub.call('/spokes')).text()
  expect([text.includes('"them"'), text.includes(token), text.includes('digest')]).toEqual([true, false, false])
  const spoke = { name: 'them', publishes: [], patterns: [{ type: 'x' }] }
  expect((await problemOf(await hub.call('/spokes', toJson('POST', spoke)))).errors?.[0]?.pointer).toBe('/patterns/0')
  expect((await problemOf(await hub.call('/spokes', toJson('POST', { ...spoke, patterns: [] })))).code).toBe(
    'spoke-exists',
  )
})

const SUBSCRIPTION = { pattern: { type: [{ prefix: 'com.' }] }, target: { kind: 'stream' } }

test('a spoke sees and touches its own subscriptions only', async () => {
  const put = (name: string, body: unknown, bearer: string) =>
    hub.call(`/subscriptions/${name}`, toJson('PUT', body), bearer)
  expect(await (await put('mine', SUBSCRIPTION, token)).json()).toEqual({ name: 'mine', created: true })
  expect((await put('mine', SUBSCRIPTION, token)).status).toBe(200)
  expect((await put('mine', SUBSCRIPTION, OPERATOR)).status).toBe(200)
  expect((await problemOf(await put('mine', SUBSCRIPTION, other))).status).toBe(409)
  for (const [method, path] of [
    ['GET', '/subscriptions/mine'],
    ['DELETE', '/subscriptions/mine'],
    ['POST', '/subscriptions/mine/enable'],
    ['GET', '/subscriptions/mine/events'],
    ['POST', '/subscriptions/mine/acks'],
    ['POST', '/subscriptions/mine/replays'],
  ] as const)
    expect((await problemOf(await hub.call(path, { method }, other))).code).toBe('subscription-unknown')
  const names = async (bearer: string) =>
    (
      (await (await hub.call('/subscriptions', {}, bearer)).json()) as { subscriptions: { name: string }[] }
    ).subscriptions.map(({ name }) => name)
  expect([await names(token), await names(other), await names(OPERATOR)]).toEqual([['mine'], [], ['mine']])
  expect(
    ((await (await hub.call('/overview', {}, other)).json()) as { subscriptions: unknown[] }).subscriptions,
  ).toEqual([])
  expect(
    (await problemOf(await put('bad', { ...SUBSCRIPTION, pattern: { type: 'x' } }, token))).errors?.[0]?.pointer,
  ).toBe('/pattern')
  const topic = { kind: 'topic', topic: 'secrets' }
  expect((await problemOf(await put('bad', { ...SUBSCRIPTION, target: topic }, token))).code).toBe('topic-forbidden')
  const replay = toJson('POST', { fromMs: 0, toMs: 5 })
  expect((await hub.call('/subscriptions/mine/replays', replay, token)).status).toBe(201)
  const replays = async (bearer: string) =>
    ((await (await hub.call('/replays', {}, bearer)).json()) as { replays: unknown[] }).replays.length
  expect([await replays(token), await replays(other)]).toEqual([1, 0])
  expect([
    (await hub.call('/replays/r0', { method: 'DELETE' }, other)).status,
    (await hub.call('/replays/r0', { method: 'DELETE' }, token)).status,
  ]).toEqual([404, 200])
  expect((await hub.call('/subscriptions/mine', { method: 'DELETE' }, token)).status).toBe(204)
})

test('a spoke has to do with the dead letters of its own subscriptions only', async () => {
  await hub.call('/subscriptions/letters', toJson('PUT', SUBSCRIPTION), token)
  const [row] = await hub.tables.query({ sql: "SELECT generation FROM hub_subscriptions WHERE name = 'letters'" })
  const letter = (id: string, more: Partial<NewDeadLetter>) => ({
    ...{
      id,
      kind: 'delivery' as const,
      name: 'letters',
      eventId: id,
      type: 't',
      key: 'k',
      code: 'c',
      reason: 'r',
      path: null,
    },
    ...{ position: { topic: 'a', partition: 0, offset: 1 }, attempts: 1, firstFailedAtMs: 0, headers: {} },
    generation: Number(row?.['generation']),
    payload: Buffer.from(JSON.stringify(titleAdded(1))),
    ...more,
  })
  const hidden = Buffer.from(JSON.stringify(titleAdded(1, { type: 'org.other.thing.v1' })))
  const all = [
    letter('a', {}),
    letter('b', { name: 'theirs' }),
    letter('c', { kind: 'pipe' }),
    letter('d', { payload: hidden }),
  ]
  for (const each of all) await hub.addLetters([each])
  const ids = async (query: string, bearer: string) =>
    (
      (await (await hub.call(`/dead-letters${query}`, {}, bearer)).json()) as { deadLetters: { id: string }[] }
    ).deadLetters
      .map(({ id }) => id)
      .sort()
  expect(await ids('', OPERATOR)).toEqual(['a', 'b', 'c', 'd'])
  expect([
    await ids('', token),
    await ids('?name=theirs', token),
    await ids('?kind=pipe', token),
    await ids('', other),
  ]).toEqual([['a', 'd'], [], [], []])
  expect((await problemOf(await hub.call('/dead-letters?state=lost', {}, token))).code).toBe('query-invalid')
  expect(await (await hub.call('/dead-letters/a', {}, token)).json()).toMatchObject({ encoding: 'text', state: 'open' })
  expect(await (await hub.call('/dead-letters/d', {}, token)).json()).toMatchObject({ payload: null })
  for (const path of ['/dead-letters/b', '/dead-letters/c/redrive', '/dead-letters/b/discard'])
    expect((await hub.call(path, { method: path.length > 16 ? 'POST' : 'GET' }, token)).status).toBe(404)
  expect((await hub.call('/dead-letters/a/redrive', { method: 'POST' }, token)).status).toBe(200)
  expect((await problemOf(await hub.call('/dead-letters/a/discard', { method: 'POST' }, token))).code).toBe(
    'dead-letter-closed',
  )
})

test('schemas are there for whoever has a token', async () => {
  const { types } = (await (await hub.call('/schemas', {}, token)).json()) as { types: { type: string }[] }
  expect(types.map(({ type }) => type)).toContain('com.example.title.added.v1')
  expect(await (await hub.call('/schemas/com.example.title.added.v1', {}, token)).json()).toMatchObject({
    type: 'object',
  })
  expect(await (await hub.call('/schemas/com.example.poster.drawn.v1', {}, token)).json()).toEqual({
    opaque: true,
    contentTypes: ['image/png'],
  })
  expect((await hub.call('/schemas/nothing.v1', {}, token)).status).toBe(404)
})
