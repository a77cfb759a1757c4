import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  collect,
  createHubBed,
  createReceiver,
  event,
  type HubBed,
  quantile,
  residentBytes,
  SHOP,
} from '../fixtures/hub/bed.ts'
import {
  ORDER,
  ORDERS_TOPIC,
  PRICE,
  PRICE_OLD,
  PRICES_TOPIC,
  RAW_ORDERS,
  RAW_TRAILERS,
  TRAILER,
} from '../fixtures/hub/shop.ts'
import { eventually, type Platform, startPlatform } from './platform.ts'

const MIB = 1024 * 1024
const ALL = [{ type: [{ prefix: 'com.example.' }] }]

let platform: Platform
let bed: HubBed
let directory: string
let token: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-flows-'))
  platform = await startPlatform({
    config: {
      hub: { modules: [SHOP], webhookNetworks: ['127.0.0.0/8'] },
      limits: { hubPipeEnrichTriesMax: 2 },
    },
  })
  bed = createHubBed(platform)
  token = await bed.spoke('shop-team', { publishes: ['com.example.*'], patterns: ALL })
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** What the log has in a topic. */
async function readTopic(
  topic: string,
): Promise<{ headers: Readonly<Record<string, string>>; json: Record<string, unknown> }[]> {
  const store = bed.store()
  try {
    return (await store.log.read({ topic, from: 0, max: 5_000 })).map(({ headers, value }) => ({
      headers,
      json: JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>, // written by the hub
    }))
  } finally {
    await store.close()
  }
}

const isConnected = async (name: string): Promise<boolean> => (await bed.subscription(name)).state === 'active'

test('a raw record becomes an event for a stream, a signed webhook and a queue; the bad are put aside with their bytes', async () => {
  const receiver = createReceiver(() => new Response(null, { status: 204 }))
  const pattern = { type: [ORDER], data: { number: [{ numeric: ['>=', 1_000, '<', 2_000] }] } }
  const stream = collect(bed.client(token), {
    name: 'flow-stream',
    pattern,
    transformer: { paths: { n: '$.data.number', s: '$.subject' }, template: '{"order": <n>, "what": "order <s>"}' },
  })
  const put = await bed.put('flow-webhook', { pattern, target: { kind: 'webhook', url: receiver.url('/flow') } })
  expect(put.status).toBe(201)
  receiver.trust('/flow', put.body.secret)
  expect((await bed.put('flow-queue', { pattern, target: { kind: 'topic', topic: 'shop-queue' } })).status).toBe(201)
  await eventually('the stream is read', () => isConnected('flow-stream'))

  const bad: readonly (readonly [string, Uint8Array<ArrayBuffer>, string, string | null])[] = [
    ['no-json', Uint8Array.of(0x7b, 0xff, 0x00, 0x0a), 'decode-failed', null],
    ['wrong-type', new TextEncoder().encode('{"n": 1001,\n "cents": "much"}'), 'schema-refused', '/cents'],
    ['throws', new TextEncoder().encode('{"n":666,"cents":1}'), 'transform-failed', null],
  ]
  const gate = join(directory, 'gate')
  const waits = new TextEncoder().encode(JSON.stringify({ n: 1_900, cents: 5, gate }))
  expect((await bed.record(RAW_ORDERS, '{"n":1000,"cents":100}', { 'tentpole-key': 'a' })).status).toBe(200)
  for (const [key, bytes] of bad)
    expect((await bed.record(RAW_ORDERS, bytes, { 'tentpole-key': key })).status).toBe(200)
  expect((await bed.record(RAW_ORDERS, waits, { 'tentpole-key': 'waits' })).status).toBe(200)
  expect((await bed.record(RAW_ORDERS, '{"n":1001,"cents":101}', { 'tentpole-key': 'no-json' })).status).toBe(200)

  await eventually('both orders are everywhere', async () => {
    const queue = await readTopic('shop-queue')
    return stream.deliveries.length === 2 && receiver.received.length === 2 && queue.length === 2
  })
  expect(stream.deliveries.map(({ input }) => input).sort()).toEqual([
    { order: 1000, what: 'order order-1000' },
    { order: 1001, what: 'order order-1001' },
  ])
  for (const { verified, body } of receiver.received) {
    expect(verified).toBe(true)
    expect(body).toMatchObject({ type: ORDER, source: 'pipe-orders', specversion: '1.0' })
  }
  const ids = stream.deliveries.map(({ id }) => id).sort()
  expect(receiver.received.map(({ id }) => id).sort()).toEqual(ids)
  const eventIds = stream.deliveries.map(({ event }) => event.id).sort()
  expect((await readTopic('shop-queue')).map(({ json }) => String(json['id'])).sort()).toEqual(eventIds)

  const letters = await eventually('four are in quarantine', async () => {
    const found = await bed.deadLetters('kind=pipe&name=orders&state=open')
    return found.length === 4 ? found : null
  })
  for (const [key, bytes, code, path] of bad) {
    const letter = letters.find((each) => each.key === key)
    expect(letter).toMatchObject({ code, path, kind: 'pipe', name: 'orders', bytes: bytes.byteLength })
    expect(letter?.reason).not.toBe('')
    const shown = (await bed.call('GET', `/dead-letters/${letter?.id}`)).body
    expect(Buffer.from(shown.payload, shown.encoding === 'text' ? 'utf8' : 'base64')).toEqual(Buffer.from(bytes))
  }
  const refused = letters.find(({ key }) => key === 'waits')
  expect(refused).toMatchObject({ code: 'enrich-failed', attempts: 2 })

  // Redriven too soon it comes back; once its reason is gone, it is an order like any other.
  expect((await bed.call('POST', `/dead-letters/${refused?.id}/redrive`)).status).toBe(200)
  const again = await eventually('it comes back', async () => {
    const found = await bed.deadLetters('kind=pipe&name=orders&state=open')
    return found.length === 4 ? found.find(({ key }) => key === 'waits') : null
  })
  expect(again.code).toBe('enrich-failed')
  const shownAgain = (await bed.call('GET', `/dead-letters/${again.id}`)).body
  expect(shownAgain.payload).toBe(Buffer.from(waits).toString())
  writeFileSync(gate, '')
  const redriven = await platform.cli('dead-letters', 'redrive', again.id)
  expect({ exitCode: redriven.exitCode, stderr: redriven.stderr }).toEqual({ exitCode: 0, stderr: '' })
  await eventually(
    'the redriven order is delivered',
    () => stream.deliveries.length === 3 && receiver.received.length === 3,
  )
  expect(stream.deliveries.at(-1)?.input).toEqual({ order: 1900, what: 'order order-1900' })
  const others = letters.filter(({ key }) => key !== 'waits').map(({ id }) => id)
  expect((await platform.cli('dead-letters', 'discard', ...others)).exitCode).toBe(0)
  expect(await bed.deadLetters('kind=pipe&name=orders&state=open')).toEqual([])
  const journey = await platform.cli('events', 'journey', stream.deliveries.at(-1)?.event.id ?? '')
  expect(journey.exitCode).toBe(0)
  expect(journey.stdout).toContain('flow-webhook')
  await stream.stop()
  await receiver.stop()
}, 60_000)

test('30 MB pass by reference, raw or published, and control does not grow by them', async () => {
  const trailers = collect(bed.client(token), {
    name: 'big',
    pattern: { type: [TRAILER] },
    policy: { timeoutMs: 60_000 },
  })
  await eventually('the stream is read', () => isConnected('big'))
  const bytes = new Uint8Array(randomBytes(30_000_000))
  const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
  const pid = await platform.pidOf('control')
  const beforeBytes = residentBytes(pid)
  let mostBytes = beforeBytes
  const sampler = setInterval(() => {
    mostBytes = Math.max(mostBytes, residentBytes(pid))
  }, 5)
  const record = await bed.record(RAW_TRAILERS, bytes, { 'tentpole-key': 'film-1' })
  expect(record.status).toBe(200)
  await bed.client(token).publishPayload({ type: TRAILER, subject: 'film-2', contentType: 'video/mp4', body: bytes })
  await eventually('both came', () => trailers.deliveries.length === 2)
  for (const delivery of trailers.deliveries) {
    const got = new Uint8Array(await new Response(await delivery.payload()).arrayBuffer())
    expect(got.byteLength).toBe(bytes.byteLength)
    expect(digest(got)).toBe(digest(bytes))
    expect(delivery.event.datadigest).toBe(`sha-256=${digest(bytes)}`)
  }
  clearInterval(sampler)
  console.log(`control grew by ${((mostBytes - beforeBytes) / MIB).toFixed(0)} MiB while 2 x 30 MB passed both ways`)
  expect(mostBytes - beforeBytes).toBeLessThan(150 * MIB)
  await trailers.stop()
}, 60_000)

test('whoever publishes is told which field was wrong, and nothing of it is published', async () => {
  const good = { number: 3_000, amount: 1 }
  const end = async (): Promise<number> => (await readTopic(ORDERS_TOPIC)).length
  const before = await end()
  const one = await bed.publish(event(ORDER, { number: -1, amount: 'x' }), token)
  expect(one.status).toBe(400)
  expect(one.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/data/number', '/data/amount'])
  const batch = await bed.publish(
    [good, good, { number: 3_000, amount: 0.5 }, good, good].map((data) => event(ORDER, data)),
    token,
  )
  expect(batch.status).toBe(400)
  expect(batch.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/2/data/amount'])
  const headers = { 'ce-specversion': '1.0', 'ce-type': ORDER, 'ce-subject': 's', 'content-type': 'application/json' }
  const binary = await bed.call('POST', '/events', { token, headers, raw: '{"number":1,"amount":[]}' })
  expect(binary.status).toBe(400)
  expect(binary.body.errors).toMatchObject([{ pointer: '/data/amount' }])
  const unknown = await bed.publish(event('com.example.nothing.v1', {}), token)
  expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([400, '/type'])
  expect(await end()).toBe(before)
  const cli = await platform.cli('events', 'publish', await fileOf([event(ORDER, { number: 1 })]))
  expect(cli.exitCode).toBe(1)
  expect(cli.stdout + cli.stderr).toContain('amount')
  expect(await end()).toBe(before)
}, 30_000)

async function fileOf(events: readonly object[]): Promise<string> {
  const file = join(directory, `events-${crypto.randomUUID()}.json`)
  await Bun.write(file, JSON.stringify(events))
  return file
}

test('nobody sees what its schema refuses, though it lies on the log between the good; the old is seen as new', async () => {
  const orders = collect(bed.client(token), { name: 'strict-orders', pattern: { type: [{ prefix: ORDER }] } })
  const prices = collect(bed.client(token), { name: 'strict-prices', pattern: { source: ['strict'] } })
  await eventually(
    'both are read',
    async () => (await isConnected('strict-orders')) && (await isConnected('strict-prices')),
  )
  const store = bed.store()
  const whole = (type: string, data: unknown, more: object = {}): string =>
    JSON.stringify({
      specversion: '1.0',
      id: crypto.randomUUID(),
      source: 'strict',
      type,
      subject: 's',
      time: '2026-11-21T00:00:00Z',
      data,
      ...more,
    })
  const good = (number: number): string => whole(ORDER, { number, amount: 1 })
  const garbage: readonly (string | Uint8Array)[] = [
    '',
    'null',
    '[]',
    '{',
    randomBytes(300),
    '['.repeat(200_000),
    whole(ORDER, { number: 'x', amount: 1 }),
    whole(ORDER, null),
    whole(ORDER, { number: 1 }, { subject: 7 }),
    whole(ORDER, { number: 1, amount: 1 }, { id: '' }),
    whole('com.example.order.placed.v9', { number: 1 }),
    whole(ORDER, { number: 1, amount: 1, note: JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`) }),
    whole(ORDER, undefined, {
      dataref: 'claims/2026-11-21/none',
      datasize: 3,
      datadigest: `sha-256=${'0'.repeat(64)}`,
    }),
    whole(ORDER, undefined, { dataref: '../../operator.token', datasize: 3, datadigest: `sha-256=${'0'.repeat(64)}` }),
  ]
  const values = garbage.flatMap((bad, index) => [bad, good(10_000 + index)])
  await store.log.append(
    ORDERS_TOPIC,
    values.map((value) => ({ key: 's', value: Buffer.from(value as string) })),
  )
  await store.log.append(
    PRICES_TOPIC,
    [
      whole(PRICE_OLD, { euros: 1.5 }),
      whole(PRICE_OLD, { euros: 'x' }),
      whole(PRICE, { euros: 2 }),
      whole(PRICE, { cents: 7 }),
    ].map((value) => ({ key: 'p', value: Buffer.from(value) })),
  )
  await store.close()
  await eventually(
    'the good ones came',
    () => orders.deliveries.length >= garbage.length && prices.deliveries.length >= garbage.length + 2,
  )
  expect(orders.deliveries.map(({ event: { data } }) => (data as { number: number }).number)).toEqual(
    garbage.map((_, index) => 10_000 + index),
  )
  expect(
    prices.deliveries
      .filter(({ event: { type } }) => type !== ORDER)
      .map(({ event: { type, data } }) => ({ type, data })),
  ).toEqual([
    { type: PRICE, data: { cents: 150 } },
    { type: PRICE, data: { cents: 7 } },
  ])
  await Promise.all([orders.stop(), prices.stop()])
}, 60_000)

test('webhooks: retried until taken, 410 ends them, what never works is a dead letter and can be redriven', async () => {
  let isMended = false
  const seen = new Map<string, number>()
  const eventIdOf = ({ body }: { readonly body: unknown }): string => (body as { id: string }).id
  const receiver = createReceiver((received) => {
    const { number } = (received.body as { data: { number: number } }).data
    const id = eventIdOf(received)
    const times = (seen.get(id) ?? 0) + 1
    seen.set(id, times)
    if (number === 4_000) return new Response('not now', { status: times < 3 ? 500 : 200 })
    if (number === 4_001) return new Response('sold out', { status: isMended ? 200 : 503 })
    if (number === 4_410) return new Response(null, { status: 410 })
    return new Response(null, { status: 200 })
  })
  const pattern = (low: number): object => ({
    type: [ORDER],
    data: { number: [{ numeric: ['>=', low, '<', low + 400] }] },
  })
  const policy = { backoffMinMs: 50, backoffMaxMs: 400, attemptsMax: 4 }
  const put = await bed.put('hooks', {
    pattern: pattern(4_000),
    target: { kind: 'webhook', url: receiver.url('/h') },
    policy,
  })
  receiver.trust('/h', put.body.secret)
  await bed.put('hooks-gone', { pattern: pattern(4_400), target: { kind: 'webhook', url: receiver.url('/g') }, policy })
  const numbers = [4_000, 4_001, 4_002, 4_410, 4_411]
  expect(
    (
      await bed.publish(
        numbers.map((number) => event(ORDER, { number, amount: 1 }, { id: `hook-${number}` })),
        token,
      )
    ).status,
  ).toBe(200)
  // The poison's key waits behind it, no other does.
  expect(
    (
      await bed.publish(
        [4_003, 4_004].map((number) =>
          event(ORDER, { number, amount: 1 }, { id: `hook-${number}`, subject: 'poison' }),
        ),
        token,
      )
    ).status,
  ).toBe(200)

  const letters = await eventually('one is given up', async () => {
    const found = await bed.deadLetters('kind=delivery&name=hooks&state=open')
    return found.length > 0 ? found : null
  })
  expect(letters).toMatchObject([{ eventId: 'hook-4001', code: 'attempts-exhausted', attempts: 4, type: ORDER }])
  expect(letters[0]?.reason).toContain('503')
  await eventually('the failing one is taken at last', () => seen.get('hook-4000') === 3)
  await eventually('all others are delivered', () =>
    ['hook-4002', 'hook-4003', 'hook-4004'].every((id) => seen.get(id) === 1),
  )
  expect(seen.get('hook-4001')).toBe(4)
  const disabled = await eventually('410 disables', async () => {
    const view = await bed.subscription('hooks-gone')
    return view.state === 'disabled' ? view : null
  })
  expect(disabled.detail).toContain('410')
  expect(receiver.received.filter((each) => eventIdOf(each) === 'hook-4410').length).toBe(1)
  expect(
    receiver.received
      .filter((each) => ['hook-4000', 'hook-4001'].includes(eventIdOf(each)))
      .every(({ verified }) => verified),
  ).toBe(true)

  isMended = true
  expect((await bed.call('POST', `/dead-letters/${letters[0]?.id}/redrive`)).status).toBe(200)
  await eventually('the redriven one is taken', () => seen.get('hook-4001') === 5)
  expect(await bed.deadLetters('kind=delivery&name=hooks&state=open')).toEqual([])
  await eventually('nothing is parked any more', async () => (await bed.subscription('hooks')).parked === 0)
  expect(seen.get('hook-4000')).toBe(3)
  await receiver.stop()
}, 60_000)

test('a poison event parks its key, and a slow subscriber delays nobody', async () => {
  const pattern = {
    type: [ORDER],
    source: ['spokes/shop-team'],
    data: { number: [{ numeric: ['>=', 5_000, '<', 6_000] }] },
  }
  let isPoisonous = true
  const poisoned = collect(bed.client(token), {
    name: 'poisoned',
    pattern,
    policy: { backoffMinMs: 50, backoffMaxMs: 200, attemptsMax: 100 },
    handler({ event: { data } }) {
      if (isPoisonous && (data as { number: number }).number === 5_000) throw new Error('poison')
    },
  })
  const slow = collect(bed.client(token), { name: 'slow', pattern, concurrency: 1, handler: () => Bun.sleep(500) })
  const quick = collect(bed.client(token), { name: 'quick', pattern })
  await eventually('all are read', async () =>
    (await Promise.all(['poisoned', 'slow', 'quick'].map(isConnected))).every(Boolean),
  )
  const EVENTS = 200
  for (let number = 5_000; number < 5_000 + EVENTS; number++) {
    // The first and its like, 20 in all, have one key.
    const subject = number % 10 === 0 ? 'poison' : `quick-${number}`
    expect((await bed.publish(event(ORDER, { number, amount: 1 }, { subject }), token)).status).toBe(200)
  }
  const numbersOf = (each: typeof quick): number[] =>
    each.deliveries.map(({ event: { data } }) => (data as { number: number }).number)
  await eventually('the quick one has all', () => quick.deliveries.length === EVENTS)
  await eventually('the poisoned one has all of other keys', () => new Set(numbersOf(poisoned)).size === EVENTS - 19)
  expect([...new Set(numbersOf(poisoned).filter((number) => number % 10 === 0))]).toEqual([5_000])
  expect(quantile(quick.latenciesMs, 0.99)).toBeLessThan(500)
  console.log(`quick: p99 ${quantile(quick.latenciesMs, 0.99)} ms, slow has ${slow.deliveries.length} of ${EVENTS}`)
  expect(slow.deliveries.length).toBeLessThan(EVENTS / 2)
  const view = await bed.subscription('poisoned')
  expect([view.state, view.parkedKeys]).toEqual(['active', 1])
  isPoisonous = false
  await eventually('the poisoned key goes on, in order', () => new Set(numbersOf(poisoned)).size === EVENTS)
  expect([...new Set(numbersOf(poisoned).filter((number) => number % 10 === 0))]).toEqual(
    Array.from({ length: 20 }, (_, index) => 5_000 + index * 10),
  )
  await Promise.all([poisoned.stop(), slow.stop(), quick.stop()])
}, 60_000)

test('two of everything: one reader at a time, one redrive, one subscription', async () => {
  const pattern = { type: [ORDER], data: { number: [{ numeric: ['>=', 7_000, '<', 8_000] }] } }
  const first = collect(bed.client(token), {
    name: 'two',
    pattern,
    handler: () => Promise.reject(new Error('no')),
    policy: { attemptsMax: 1 },
  })
  await eventually('the first is read', () => isConnected('two'))
  expect((await bed.publish(event(ORDER, { number: 7_000, amount: 1 }), token)).status).toBe(200)
  const [letter] = await eventually('a dead letter', async () => {
    const found = await bed.deadLetters('name=two&state=open')
    return found.length === 1 ? found : null
  })
  const second = collect(bed.client(token), { name: 'two', pattern, policy: { attemptsMax: 1 } })
  expect(await first.ended).toMatchObject({ code: 'replaced' })
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => bed.call('POST', `/dead-letters/${letter?.id}/redrive`)),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 409)])
  expect(answers.filter(({ status }) => status === 409).every(({ body }) => body.code === 'dead-letter-closed')).toBe(
    true,
  )
  await eventually('it is delivered', () => second.deliveries.length === 1)
  expect((await bed.publish(event(ORDER, { number: 7_001, amount: 1 }), token)).status).toBe(200)
  await eventually('and what comes after', () => second.deliveries.length === 2)
  expect(first.deliveries.length).toBe(1)

  const puts = await Promise.all(
    Array.from({ length: 20 }, () => bed.put('many', { pattern, target: { kind: 'stream' } }, token)),
  )
  expect(puts.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 19 }, () => 200), 201])
  const listed = (await bed.call('GET', '/subscriptions', { token })).body.subscriptions as { name: string }[]
  expect(listed.filter(({ name }) => name === 'many').length).toBe(1)
  await second.stop()
}, 60_000)

test('a spoke gets no further than it may, and nowhere once it is revoked', async () => {
  const narrow = await bed.spoke('narrow', {
    publishes: ['com.example.price.v2'],
    patterns: [{ type: [{ prefix: 'com.example.price.' }] }],
    topics: [],
  })
  const refused: readonly (readonly [number, string, Promise<{ status: number; body: { code: string } }>])[] = [
    [403, 'type-forbidden', bed.publish(event(ORDER, { number: 1, amount: 1 }), narrow)],
    [
      403,
      'type-forbidden',
      bed.publish([event(PRICE, { cents: 1 }), event('tentpole.title.withdrawn.v1', {})], narrow),
    ],
    [
      403,
      'type-forbidden',
      bed.call('POST', '/events', {
        token: narrow,
        raw: '{}',
        headers: { 'ce-specversion': '1.0', 'ce-type': TRAILER, 'ce-subject': 's' },
      }),
    ],
    [403, 'topic-forbidden', bed.call('POST', `/records/${RAW_ORDERS}`, { token: narrow, raw: 'x' })],
    [
      403,
      'topic-forbidden',
      bed.put('narrow-queue', { pattern: { type: [PRICE] }, target: { kind: 'topic', topic: 'q' } }, narrow),
    ],
    [403, 'operator-only', bed.call('GET', '/spokes', { token: narrow })],
    [403, 'operator-only', bed.call('POST', '/spokes/narrow/token', { token: narrow })],
    [403, 'operator-only', bed.call('DELETE', '/spokes/shop-team', { token: narrow })],
    [404, 'subscription-unknown', bed.call('GET', '/subscriptions/quick', { token: narrow })],
    [404, 'subscription-unknown', bed.call('GET', '/subscriptions/quick/events', { token: narrow })],
    [404, 'subscription-unknown', bed.call('DELETE', '/subscriptions/quick', { token: narrow })],
    [404, 'subscription-unknown', bed.call('POST', '/subscriptions/quick/enable', { token: narrow })],
    [
      404,
      'subscription-unknown',
      bed.call('POST', '/subscriptions/quick/acks', { token: narrow, body: { acks: ['x'] } }),
    ],
    [
      404,
      'subscription-unknown',
      bed.call('POST', '/subscriptions/quick/replays', { token: narrow, body: { fromMs: 0, toMs: 1 } }),
    ],
    [409, 'subscription-taken', bed.put('quick', { pattern: { type: [PRICE] }, target: { kind: 'stream' } }, narrow)],
    [401, 'token-needed', bed.call('GET', '/subscriptions', { token: 'tps_nothing' })],
  ]
  for (const [status, code, answer] of refused) {
    const { status: got, body } = await answer
    expect([got, body.code]).toEqual([status, code])
  }
  const shown = (await bed.call('GET', '/overview', { token: narrow })).body
  expect([shown.pipes, shown.subscriptions, shown.topics]).toEqual([[], [], []])
  const [foreign] = await bed.deadLetters('name=hooks')
  expect((await bed.call('GET', `/dead-letters/${foreign?.id}`, { token: narrow })).status).toBe(404)
  expect((await bed.call('POST', `/dead-letters/${foreign?.id}/discard`, { token: narrow })).status).toBe(404)

  // It asks for everything and is given what it may see.
  const all = collect(bed.client(narrow), { name: 'narrow-all', pattern: { type: [{ prefix: 'com.' }] } })
  await eventually('it is read', () => isConnected('narrow-all'))
  await bed.publish([event(ORDER, { number: 9_000, amount: 1 }), event(PRICE, { cents: 9 })], token)
  await bed.publish(event(PRICE, { cents: 10 }, { source: 'tentpole' }), narrow)
  await eventually('its own came', () => all.deliveries.length === 2)
  expect(all.deliveries.map(({ event: { type } }) => type)).toEqual([PRICE, PRICE])
  expect(all.deliveries[1]?.event.source).toBe('spokes/narrow')

  const begunAtMs = performance.now()
  expect((await bed.call('DELETE', '/spokes/narrow')).status).toBe(204)
  expect(await all.ended).toMatchObject({ code: 'revoked' })
  expect(performance.now() - begunAtMs).toBeLessThan(1_000)
  expect((await bed.publish(event(PRICE, { cents: 1 }), narrow)).status).toBe(401)
  expect((await bed.call('GET', '/subscriptions/narrow-all/events', { token: narrow })).status).toBe(401)
  expect((await bed.subscription('narrow-all')).name).toBe('narrow-all')
  expect((await readTopic(PRICES_TOPIC)).filter(({ json }) => json['source'] === 'spokes/narrow').length).toBe(1)
}, 60_000)
