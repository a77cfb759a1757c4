import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { problemOf, until } from '../testing.ts'
import { OPERATOR, startTestHub, type TestHub, titleAdded, toJson } from './testing.ts'

let hub: TestHub
let token: string
beforeAll(async () => {
  hub = await startTestHub({ hubStreamsMax: 4 })
  token = await hub.createSpoke()
})
afterAll(() => hub.close())

type SseMessage = { readonly event: string; readonly id: string; readonly data: string }
type Stream = {
  readonly messages: SseMessage[]
  readonly comments: () => number
  readonly ended: () => boolean
  close(): void
}

async function openStream(name: string, query = '', bearer = token): Promise<Stream> {
  const abort = new AbortController()
  const answer = await hub.call(`/subscriptions/${name}/events${query}`, { signal: abort.signal }, bearer)
  if (!answer.ok) throw new Error((await problemOf(answer)).code)
  const messages: SseMessage[] = []
  let rest = ''
  let comments = 0
  let ended = false
  const read = async (): Promise<void> => {
    for await (const bytes of answer.body ?? []) {
      const blocks = (rest + Buffer.from(bytes).toString()).split('\n\n')
      rest = blocks.pop() ?? ''
      comments += blocks.filter((block) => block.startsWith(':')).length
      messages.push(...blocks.filter((block) => !block.startsWith(':')).map(toMessage))
    }
  }
  void read()
    .catch(() => {})
    .finally(() => {
      ended = true
    })
  return { messages, comments: () => comments, ended: () => ended, close: () => abort.abort() }
}

function toMessage(block: string): SseMessage {
  const field = (name: string): string =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? ''
  return { event: field('event'), id: field('id'), data: field('data') }
}

const idsOf = ({ messages }: Stream): string[] =>
  messages.filter(({ event }) => event === 'delivery').map(({ id }) => id)
const eventIdsOf = ({ messages }: Stream): string[] =>
  messages.filter(({ event }) => event === 'delivery').map(({ data }) => String(JSON.parse(data).event.id))
const publish = (events: readonly unknown[]) =>
  hub.call('/events', toJson('POST', events, 'application/cloudevents-batch+json'))
const subscribe = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  hub.call(
    `/subscriptions/${name}`,
    toJson('PUT', {
      pattern: { subject: [{ prefix: name }] },
      target: { kind: 'stream' },
      start: 'beginning',
      ...more,
    }),
    token,
  )
const eventsFor = (name: string, count: number, more: Readonly<Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, n) => titleAdded(n, { id: `${name}-${n}`, subject: `${name}-${n}`, ...more }))

test('first "ready", then deliveries within the window, and comments between', async () => {
  await subscribe('window')
  const stream = await openStream('window', '?window=2')
  await publish(eventsFor('window', 3))
  await until('two came', () => idsOf(stream).length === 2)
  expect(stream.messages[0]).toEqual({ event: 'ready', id: '', data: '{"subscription":"window","window":2}' })
  await until('it lives', () => stream.comments() > 1)
  expect(idsOf(stream)).toHaveLength(2)
  const [first] = idsOf(stream)
  const data = JSON.parse(stream.messages[1]?.data ?? '')
  expect(data).toMatchObject({
    id: first,
    attempt: 1,
    replay: null,
    event: { id: 'window-0', type: 'com.example.title.added.v1' },
  })
  expect([data.input, /^com-example:0:\d+$/.test(data.position)]).toEqual([undefined, true])
  const acks = toJson('POST', { acks: [first, first, 'unknown'] })
  expect(await (await hub.call('/subscriptions/window/acks', acks, token)).json()).toEqual({
    acknowledged: 1,
    refused: 0,
    unknown: 2,
  })
  await until('the third came', () => idsOf(stream).length === 3)
  stream.close()
})

test('a second reader takes over; the first is told and gets no more', async () => {
  await subscribe('takeover')
  const first = await openStream('takeover')
  await publish(eventsFor('takeover', 2))
  await until('the first has them', () => idsOf(first).length === 2)
  const second = await openStream('takeover')
  await until('the second has them', () => new Set(idsOf(second)).size === 2)
  await until('the first ended', first.ended)
  expect(first.messages.at(-1)?.event).toBe('replaced')
  expect(idsOf(first)).toHaveLength(2)
  second.close()
})

test('a spoke is not given what its patterns do not allow, however it asks', async () => {
  const all = { pattern: { id: [{ prefix: 'sight' }] } }
  await subscribe('sight', all)
  const stream = await openStream('sight')
  await publish([
    ...eventsFor('sight', 1, { type: 'org.other.thing.v1', data: { n: 1 }, id: 'sight-secret' }),
    ...eventsFor('sight', 2),
  ])
  await until('the allowed came', () => idsOf(stream).length === 2)
  await hub.call('/subscriptions/sight/acks', toJson('POST', { acks: idsOf(stream) }), token)

  await hub.call('/spokes/them', toJson('PUT', { publishes: [], patterns: [{ id: [{ suffix: '-last' }] }] }))
  await publish([...eventsFor('sight', 1, { id: 'sight-narrowed' }), ...eventsFor('sight', 1, { id: 'sight-last' })])
  await until('the last came', () => eventIdsOf(stream).includes('sight-last'))
  expect(eventIdsOf(stream).sort()).toEqual(['sight-0', 'sight-1', 'sight-last'])
  await hub.call('/spokes/them', toJson('PUT', { publishes: [], patterns: [{ type: [{ prefix: 'com.' }] }] }))
  stream.close()
})

test('nothing is made or told of an event that a spoke must not see', async () => {
  const seen = { pattern: { subject: [{ prefix: 'oracle' }] } }
  await hub.call('/spokes/them', toJson('PUT', { publishes: [], patterns: [{ type: ['org.other.thing.v1'] }] }))
  // It would fail on whatever it is given: as large as that, no input may be.
  const template = `[${'<aws.events.event.json>,'.repeat(300)}1]`
  await subscribe('oracle', { ...seen, transformer: { paths: {}, template } })
  await subscribe('oracle-plain', seen)
  const streams = await Promise.all(['oracle', 'oracle-plain'].map((name) => openStream(name)))
  const large = { titleId: 'T'.repeat(200_000), day: 'd', price: 1 }
  await publish(eventsFor('oracle', 1, { data: large }))
  await publish(eventsFor('oracle', 1, { type: 'org.other.thing.v1', id: 'oracle-seen', data: { n: 1 } }))
  await until('what it may see came', () => streams.every((stream) => eventIdsOf(stream).includes('oracle-seen')))
  for (const name of ['oracle', 'oracle-plain']) {
    const { deadLetters } = (await (await hub.call(`/dead-letters?name=${name}`, {}, token)).json()) as {
      deadLetters: unknown[]
    }
    expect(deadLetters).toEqual([])
    const view = await (await hub.call(`/subscriptions/${name}`, {}, token)).json()
    expect(view).toMatchObject({ delivered: 0, failed: 0, lastError: null })
  }
  await hub.call('/spokes/them', toJson('PUT', { publishes: [], patterns: [{ type: [{ prefix: 'com.' }] }] }))
  for (const stream of streams) stream.close()
})

test('a stream is only for streams, has a sane window, and there is a bound', async () => {
  await subscribe('bounds')
  for (const window of ['0', '-1', 'x', '1.5'])
    expect((await problemOf(await hub.call(`/subscriptions/bounds/events?window=${window}`, {}, token))).code).toBe(
      'window-invalid',
    )
  await subscribe('hook', { target: { kind: 'webhook', url: 'https://example.com/' } })
  expect((await problemOf(await hub.call('/subscriptions/hook/events', {}, token))).code).toBe(
    'subscription-not-stream',
  )
  const names = ['bounds', 'b2', 'b3', 'b4', 'b5']
  await Promise.all(names.map((name) => subscribe(name)))
  await until('earlier streams are gone', () => hub.ports.streams.readers() === 0)
  const open = await Promise.all(names.slice(0, 4).map((name) => openStream(name, '?window=9999')))
  expect(JSON.parse(open[0]?.messages[0]?.data ?? '{}').window ?? 16).toBe(16)
  expect((await problemOf(await hub.call('/subscriptions/b5/events', {}, token))).code).toBe('too-many-streams')
  for (const stream of open) stream.close()
  await until('a reader that goes frees its place', () => hub.ports.streams.readers() === 0)
})

test('what can be published can be acknowledged, however long its id', async () => {
  await subscribe('long')
  const stream = await openStream('long')
  const longest = 'x'.repeat(255)
  const refused = await publish(eventsFor('long', 1, { id: `${longest}x` }))
  expect([refused.status, (await problemOf(refused)).errors?.[0]?.pointer]).toEqual([400, '/0/id'])
  await publish(eventsFor('long', 1, { id: longest }))
  await until('it came', () => eventIdsOf(stream).includes(longest))
  const [delivery = ''] = idsOf(stream)
  const acks = toJson('POST', { acks: [delivery, `${delivery}~${crypto.randomUUID()}`] })
  expect(await (await hub.call('/subscriptions/long/acks', acks, token)).json()).toMatchObject({ acknowledged: 1 })
  stream.close()
})

test('a stream ends when its subscription goes elsewhere', async () => {
  await subscribe('elsewhere')
  const stream = await openStream('elsewhere')
  await subscribe('elsewhere', { target: { kind: 'webhook', url: 'https://example.com/' } })
  await until('it ended', stream.ended)
  expect(stream.messages.at(-1)?.event).toBe('removed')
})

test('a stream ends when its token was renewed by another process', async () => {
  const polling = await startTestHub({ hubSpokesPollMs: 20 })
  try {
    const bearer = await polling.createSpoke()
    const put = toJson('PUT', { pattern: { id: ['x'] }, target: { kind: 'stream' } })
    await polling.call('/subscriptions/renewed', put, bearer)
    const answer = await polling.call('/subscriptions/renewed/events', {}, bearer)
    await polling.tables.batch([{ sql: "UPDATE hub_spokes SET token_id = 'another'" }])
    expect(await answer.text()).toContain('event: revoked')
  } finally {
    await polling.close()
  }
})

test('where the bus does not run there are no streams, and those there were are told to come back', async () => {
  const quiet = await startTestHub({ hubBusLeaseMs: 200 })
  let beating: ReturnType<typeof setInterval> | undefined
  try {
    const bearer = await quiet.createSpoke()
    const put = toJson('PUT', { pattern: { id: ['x'] }, target: { kind: 'stream' } })
    await quiet.call('/subscriptions/quiet', put, bearer)
    const answer = await quiet.call('/subscriptions/quiet/events', {}, bearer)
    expect(answer.status).toBe(200)
    const usurp = (sql: string) => quiet.tables.batch([{ sql }])
    await usurp("UPDATE hub_leases SET owner = 'another', fence = fence + 1")
    beating = setInterval(() => void usurp('UPDATE hub_leases SET beat = beat + 1'), 20)
    expect(await answer.text()).toContain('event: closing')
    const refused = await quiet.call('/subscriptions/quiet/events', {}, bearer)
    expect([refused.status, refused.headers.get('retry-after'), (await problemOf(refused)).code]).toEqual([
      503,
      '1',
      'bus-elsewhere',
    ])
  } finally {
    clearInterval(beating)
    await quiet.close()
  }
})

test('a stream ends with its subscription, its token and its spoke', async () => {
  await subscribe('ends')
  const removed = await openStream('ends')
  await hub.call('/subscriptions/ends', { method: 'DELETE' }, token)
  await until('it ended', removed.ended)
  expect(removed.messages.at(-1)?.event).toBe('removed')
  await subscribe('ends2')
  const revoked = await openStream('ends2')
  await hub.call('/spokes/them/token', { method: 'POST' })
  await until('it ended', revoked.ended)
  expect(revoked.messages.at(-1)?.event).toBe('revoked')
  expect((await hub.call('/subscriptions', {}, token)).status).toBe(401)
})

test('a reader that does not read is sent no more than the bound, then cut, and counts until its connection is gone', async () => {
  const slow = await startTestHub({ hubStreamBufferBytesMax: 20_000, hubStreamStallMs: 200, hubSpokeStreamsMax: 1 })
  const socket = connect(Number(new URL(slow.url).port), 'localhost')
  try {
    const bearer = await slow.createSpoke()
    const put = {
      pattern: { source: [{ exists: true }] },
      target: { kind: 'stream' },
      policy: { concurrency: 256, timeoutMs: 600_000 },
      start: 'beginning',
    }
    await slow.call('/subscriptions/slow', toJson('PUT', put), bearer)
    // Nobody ever reads from this socket: what the system holds for it fills up, then our buffer.
    socket.pause()
    socket.write(
      `GET /hub/v1/subscriptions/slow/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${bearer}\r\n\r\n`,
    )
    await until('it reads', () => slow.ports.streams.readers() === 1)
    const big = (n: number) =>
      titleAdded(n, { id: `b${n}`, subject: `b${n}`, data: { titleId: 'x'.repeat(100_000), day: 'd', price: 1 } })
    for (let at = 0; at < 240; at += 60) {
      const events = Array.from({ length: 60 }, (_, n) => big(at + n))
      expect((await slow.call('/events', toJson('POST', events, 'application/cloudevents-batch+json'))).status).toBe(
        200,
      )
    }
    const next = async () => {
      const answer = await slow.call('/subscriptions/slow/events', {}, bearer)
      await answer.body?.cancel()
      return answer.status
    }
    await until('it was cut', () => slow.ports.streams.readers() === 0)
    expect(await next()).toBe(429)
    await until('the server has closed its connection', async () => (await next()) === 200)
  } finally {
    socket.destroy()
    await slow.close()
  }
}, 20_000)

test('a payload that nobody goes on reading is let go', async () => {
  const slow = await startTestHub({ hubStreamStallMs: 200 })
  const socket = connect(Number(new URL(slow.url).port), 'localhost')
  try {
    const letGo = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({
      pull: (to) => to.enqueue(new Uint8Array(65_536)),
      cancel: () => letGo.resolve(),
    })
    Object.assign(slow.ports, { claims: { unchecked: async () => ({ size: 2 ** 40, body }) } })
    socket.pause()
    const head = ['GET /hub/v1/payloads/claims/x HTTP/1.1', 'host: localhost', `authorization: Bearer ${OPERATOR}`]
    socket.write([...head, '', ''].join('\r\n'))
    await letGo.promise
  } finally {
    socket.destroy()
    await slow.close()
  }
})
