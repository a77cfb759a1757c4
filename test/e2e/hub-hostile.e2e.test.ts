import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { collect, createHubBed, event, type HubBed, SHOP, startHealthWatch } from '../fixtures/hub/bed.ts'
import { ORDER, RAW_ORDERS } from '../fixtures/hub/shop.ts'
import { eventually, type Platform, startPlatform } from './platform.ts'

const MIB = 1024 * 1024
const STREAMS_MAX = 64
/** What others wait at most, on a machine that has other tests to run too. One that does nothing else: a fifth of it. */
const STALL_MAX_MS = 400
/** The same while a thousand connections come at once, or fifty answers of a third of a megabyte are written. */
const CROWD_STALL_MAX_MS = 1_000

let platform: Platform
let bed: HubBed
let token: string

beforeAll(async () => {
  platform = await startPlatform({
    config: { hub: { modules: [SHOP] }, limits: { hubRequestIdleMs: 2_000, hubStreamsMax: STREAMS_MAX } },
  })
  bed = createHubBed(platform)
  token = await bed.spoke('hostile', {
    publishes: ['com.example.*'],
    patterns: [{ type: [ORDER] }],
    topics: [RAW_ORDERS],
  })
}, 120_000)

afterAll(() => platform?.stop())

/** How long /healthz took at most meanwhile, one request after the other, asked by a thread of its own. */
async function watchHealth<T>(act: () => Promise<T>): Promise<{ value: T; slowestMs: number }> {
  const watch = startHealthWatch(new URL('/healthz', platform.consoleUrl).href)
  try {
    await watch.started
    return { value: await act(), slowestMs: await watch.slowestMs() }
  } finally {
    watch.end()
  }
}

const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const envelope = (data: string, more = ''): string =>
  `{"specversion":"1.0","type":"${ORDER}","subject":"s"${more},"data":${data}}`
const order = (note: string): string => `{"number":1,"amount":1,"note":${note}}`
const STRUCTURED = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

type Case = {
  readonly name: string
  readonly body: () => string | Uint8Array<ArrayBuffer>
  readonly headers: Record<string, string>
  readonly status: number
  readonly code: string
  readonly path?: string
}
const structured = (name: string, body: () => string, status = 400, code = 'event-invalid'): Case => ({
  name,
  body,
  headers: { 'content-type': STRUCTURED },
  status,
  code,
})
const BINARY = {
  'ce-specversion': '1.0',
  'ce-type': ORDER,
  'ce-subject': 's',
  'content-type': 'application/json',
}
const CASES: readonly Case[] = [
  structured('arrays 50,000 deep', () => envelope(order(arrays(50_000)))),
  structured('arrays 100,000 deep', () => envelope(order(arrays(100_000)))),
  structured('arrays 3,900,000 deep', () => envelope(order(arrays(3_900_000)))),
  structured('brackets that never end', () => '['.repeat(8_000_000)),
  structured('a deep attribute', () => envelope('{}', `,"datacontenttype":${arrays(45_000)}`)),
  structured('a deep attribute nobody knows', () => envelope('{}', `,"x":${arrays(300)}`)),
  structured('a hundred thousand attributes', () =>
    envelope('{}', Array.from({ length: 100_000 }, (_, n) => `,"n${n}":1`).join('')),
  ),
  structured('an id with control characters', () => envelope(order('1'), ',"id":"a\\u0000\\u001b[2J"')),
  structured('half a surrogate pair as subject', () => envelope(order('1')).replace('"s"', '"\\ud800"')),
  structured('a subject of 8 MB', () => envelope(order('1')).replace('"s"', `"${'s'.repeat(8e6)}"`)),
  structured('__proto__ as an attribute', () => envelope(order('1'), ',"__proto__":{"id":"x"}')),
  structured(
    'a type out of every object',
    () => envelope(order('1')).replace(ORDER, '__proto__'),
    403,
    'type-forbidden',
  ),
  structured(
    'a type out of every object, too',
    () => envelope(order('1')).replace(ORDER, 'constructor'),
    403,
    'type-forbidden',
  ),
  structured('9 MB', () => envelope(order(`"${'x'.repeat(9 * MIB)}"`)), 413, 'payload-too-large'),
  {
    name: 'a million events',
    body: () => `[${'0,'.repeat(1_000_000)}0]`,
    headers: { 'content-type': BATCH },
    status: 413,
    code: 'payload-too-large',
  },
  {
    name: 'a thousand bad events',
    body: () => `[${Array.from({ length: 1_000 }, () => envelope('{"number":"x"}')).join(',')}]`,
    headers: { 'content-type': BATCH },
    status: 400,
    code: 'event-invalid',
  },
  {
    name: '41 MB in binary mode',
    body: () => new Uint8Array(41 * MIB),
    headers: BINARY,
    status: 413,
    code: 'payload-too-large',
  },
  {
    name: 'a record of 41 MB',
    body: () => new Uint8Array(41 * MIB),
    headers: {},
    status: 413,
    code: 'payload-too-large',
    path: `/records/${RAW_ORDERS}`,
  },
  {
    name: 'deep JSON in binary mode',
    body: () => order(arrays(100_000)),
    headers: BINARY,
    status: 400,
    code: 'event-invalid',
  },
  {
    name: 'no content type',
    body: () => new TextEncoder().encode('{}'),
    headers: {},
    status: 415,
    code: 'not-cloudevents',
  },
  {
    name: 'another content type',
    body: () => '{}',
    headers: { 'content-type': 'text/html' },
    status: 415,
    code: 'not-cloudevents',
  },
  {
    name: 'an event in base64',
    body: () => envelope('1').replace('"data":1', '"data_base64":"AA=="'),
    headers: { 'content-type': STRUCTURED },
    status: 400,
    code: 'event-invalid',
  },
  {
    name: 'acknowledgements 3,000,000 deep',
    body: () => `{"acks":${arrays(3_000_000)}}`,
    headers: { 'content-type': 'application/json' },
    status: 404,
    code: 'subscription-unknown',
    path: '/subscriptions/none/acks',
  },
]

test.each(CASES.map((each) => [each.name, each] as const))(
  '%s: refused with its code, and nobody waits for it',
  async (_name, { body, headers, status, code, path = '/events' }) => {
    const raw = body()
    const { value, slowestMs } = await watchHealth(() => bed.call('POST', path, { token, raw, headers }))
    expect([value.status, value.body.code]).toEqual([status, code])
    expect(JSON.stringify(value.body).length).toBeLessThan(20_000)
    expect(slowestMs).toBeLessThan(STALL_MAX_MS)
  },
  20_000,
)

test('a deep record goes to quarantine and nobody waits for it; what comes after passes', async () => {
  const seen = collect(bed.client(token), { name: 'after-deep', pattern: { type: [ORDER] } })
  await eventually('it is read', async () => (await bed.subscription('after-deep')).state === 'active')
  const { slowestMs } = await watchHealth(async () => {
    for (const depth of [50_000, 4_000_000]) expect((await bed.record(RAW_ORDERS, arrays(depth))).status).toBe(200)
    expect((await bed.record(RAW_ORDERS, '{"n":1,"cents":1,"__proto__":{"polluted":1}}')).status).toBe(200)
    await eventually('the good one came', () => seen.deliveries.length === 1)
  })
  expect(slowestMs).toBeLessThan(STALL_MAX_MS)
  expect((await bed.deadLetters('kind=pipe&state=open')).map(({ code }) => code)).toEqual([
    'decode-failed',
    'decode-failed',
  ])
  expect(seen.deliveries[0]?.event.data).toEqual({ number: 1, amount: 1 })
  await seen.stop()
}, 30_000)

test('patterns and policies that are none, or too much, are refused with their place', async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ pattern: { type: 'x' } }, '/pattern'],
    [{ pattern: JSON.parse(`{"a":${'{"a":'.repeat(400)}["x"]${'}'.repeat(400)}}`) }, ''],
    [{ pattern: { data: { a: [{ wildcard: '*a'.repeat(2_000) }] } } }, '/pattern'],
    [{ pattern: { type: [ORDER] }, policy: { concurrency: 1e9 } }, '/policy/concurrency'],
    [{ pattern: { type: [ORDER] }, target: { kind: 'webhook', url: 'http://127.0.0.1:1/' } }, '/target/url'],
    [{ pattern: { type: [ORDER] }, target: { kind: 'webhook', url: 'file:///etc/passwd' } }, '/target/url'],
    [{ pattern: { type: [ORDER] }, target: { kind: 'function' } }, '/target/kind'],
    [{ pattern: { type: [ORDER] }, transformer: { template: '<x>' } }, '/transformer'],
  ]
  for (const [request, pointer] of wrong) {
    const { value, slowestMs } = await watchHealth(() =>
      bed.put('wrong', { target: { kind: 'stream' }, ...request }, token),
    )
    expect(slowestMs).toBeLessThan(STALL_MAX_MS)
    if (pointer === '') expect(value.status).toBeLessThan(500)
    else expect([value.status, value.body.errors?.[0]?.pointer]).toEqual([400, pointer])
  }
}, 30_000)

test('addresses that are none, or lead elsewhere, open nothing', async () => {
  await bed.publish(event(ORDER, { number: 1, amount: 1, note: 'x'.repeat(300_000) }, { id: 'claimed' }), token)
  const paths: readonly (readonly [string, number, string])[] = [
    ['/payloads/../operator.token', 404, ''],
    ['/payloads/..%2f..%2foperator.token', 404, 'payload-unknown'],
    ['/payloads/claims/%2e%2e/%2e%2e/operator.token', 404, ''],
    ['/payloads/claims/2026-01-01/none', 404, 'payload-unknown'],
    ['/payloads/archive/shop-orders/0', 404, 'payload-unknown'],
    ['/payloads/titles', 404, 'payload-unknown'],
    [`/payloads/${'x'.repeat(4_000)}`, 404, 'payload-unknown'],
    ['/payloads/%00', 404, 'payload-unknown'],
    ['/payloads/claims/2026-01-01/none?size=-1&digest=x', 400, 'payload-query'],
    ['/subscriptions/__proto__', 404, 'subscription-unknown'],
    ['/schemas/__proto__', 404, 'schema-unknown'],
    ['/schemas/constructor', 404, 'schema-unknown'],
    ['/dead-letters?before=garbage', 400, 'cursor-invalid'],
    ['/dead-letters?max=1000000000', 400, ''],
    ['/dead-letters?max=-1', 400, ''],
    ['/dead-letters?kind=x', 400, ''],
    ['/dead-letters/%00', 404, 'dead-letter-unknown'],
  ]
  for (const [path, status, code] of paths) {
    const answer = await bed.call('GET', path)
    expect([path, answer.status]).toEqual([path, status])
    if (code !== '') expect([path, answer.body.code]).toEqual([path, code])
  }
}, 30_000)

test('topics of events are not for raw records, whoever asks', async () => {
  for (const topic of ['titles', 'dead-letters', 'shop-orders', 'media']) {
    const answer = await bed.call('POST', `/records/${topic}`, { raw: '{"no":"event"}' })
    expect([topic, answer.status, answer.body.code]).toEqual([topic, 400, 'topic-of-events'])
  }
  for (const topic of ['UPPER', '..', '%2e%2e', 'a%2fb', 'x'.repeat(101)])
    expect((await bed.call('POST', `/records/${topic}`, { raw: 'x' })).status).toBeOneOf([400, 404])
})

test('a hundred at once who look for what is not there hold up nobody', async () => {
  const store = bed.store()
  const value = Buffer.from(envelope(order('1')).replace('{', '{"id":"x","source":"s","time":"2026-11-21T00:00:00Z",'))
  const records = Array.from({ length: 2_000 }, () => ({ key: 's', value }))
  for (let count = 0; count < 10; count++) await store.log.append('shop-orders', records)
  await store.close()
  const { value: answers, slowestMs } = await watchHealth(() =>
    Promise.all([
      ...Array.from({ length: 100 }, (_, index) => bed.call('GET', `/journeys/nothing-${index}`, { token })),
      ...Array.from({ length: 100 }, () => bed.call('GET', '/overview', { token })),
    ]),
  )
  console.log(
    `100 searches: ${[...new Set(answers.map(({ status }) => status))]}, the slowest look took ${slowestMs} ms`,
  )
  for (const { status } of answers) expect([200, 404, 429, 503]).toContain(status)
  expect(slowestMs).toBeLessThan(STALL_MAX_MS)
}, 60_000)

test('as many subscriptions as may be, all looked at by fifty at once, hold up nobody', async () => {
  for (let from = 0; from < 900; from += 20)
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const request = { pattern: { type: [ORDER], data: { number: [from + index] } }, target: { kind: 'stream' } }
        // The operator's: a spoke has a share.
        expect((await bed.put(`of-many-${from + index}`, request)).status).toBe(201)
      }),
    )
  const { value: answers, slowestMs } = await watchHealth(() =>
    Promise.all(Array.from({ length: 50 }, () => bed.call('GET', '/overview'))),
  )
  for (const { body } of answers) expect(body.subscriptions.length).toBeGreaterThanOrEqual(900)
  console.log(`50 overviews of 900 subscriptions: the slowest look at /healthz took ${slowestMs.toFixed(0)} ms`)
  expect(slowestMs).toBeLessThan(CROWD_STALL_MAX_MS)
}, 60_000)

/** A connection of its own, so that it can be as slow and as rude as it likes. */
function open(head: string): { socket: Socket; text: () => string; closed: Promise<void> } {
  const { port, hostname } = new URL(platform.consoleUrl)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.write(head)
  return { socket, text: () => text, closed }
}
const headOf = (method: string, path: string, more: readonly string[], as: string = token): string =>
  [
    `${method} /hub/v1${path} HTTP/1.1`,
    `Host: ${new URL(platform.consoleUrl).host}`,
    `Authorization: Bearer ${as}`,
    ...more,
    '',
    '',
  ].join('\r\n')

test('bodies that stand still are given up, and their room is given back', async () => {
  const { value: slow, slowestMs } = await watchHealth(async () => {
    const sockets = Array.from({ length: 40 }, (_, index) =>
      open(
        `${headOf('POST', '/events', [`Content-Type: ${STRUCTURED}`, `Content-Length: ${index % 2 === 0 ? 1_000 : 8 * MIB}`])}{"spec`,
      ),
    )
    await eventually('each is answered', () => sockets.every(({ text }) => text().startsWith('HTTP/1.1 ')), 10_000)
    return sockets
  })
  expect(slowestMs).toBeLessThan(STALL_MAX_MS)
  const statuses = slow.map(({ text }) => text().slice(9, 12))
  expect(new Set(statuses)).toEqual(new Set(['408', '429']))
  expect(
    slow.filter(({ text }) => text().startsWith('HTTP/1.1 429')).every(({ text }) => /retry-after: \d/i.test(text())),
  ).toBe(true)
  for (const { socket } of slow) socket.destroy()
  const after = await bed.publish(event(ORDER, { number: 1, amount: 1 }), token)
  expect(after.status).toBe(200)
}, 30_000)

test('as many streams as may be, and not one more; when they go there is room again', async () => {
  const COUNT = 1_000
  const names = Array.from({ length: STREAMS_MAX + 8 }, (_, index) => `stream-${index}`)
  for (const name of names)
    expect((await bed.put(name, { pattern: { type: [ORDER] }, target: { kind: 'stream' } })).status).toBe(201)
  const { value: sockets, slowestMs } = await watchHealth(async () => {
    const opened: ReturnType<typeof open>[] = []
    for (let index = 0; index < COUNT; index++) {
      opened.push(
        open(
          headOf(
            'GET',
            `/subscriptions/${names[index % names.length]}/events`,
            ['Accept: text/event-stream'],
            platform.operatorToken,
          ),
        ),
      )
      if (index % 50 === 49) await Bun.sleep(5)
    }
    await eventually('each is answered', () => opened.every(({ text }) => text().startsWith('HTTP/1.1 ')), 20_000)
    return opened
  })
  console.log(`${COUNT} streams: the slowest look at /healthz took ${slowestMs.toFixed(0)} ms`)
  expect(slowestMs).toBeLessThan(CROWD_STALL_MAX_MS)
  const refused = sockets.filter(({ text }) => text().startsWith('HTTP/1.1 429'))
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.every(({ text }) => text().includes('too-many-streams'))).toBe(true)
  expect(sockets.filter(({ text }) => !/^HTTP\/1.1 (200|429)/.test(text()))).toEqual([])
  for (const { socket } of sockets) socket.destroy()
  const again = collect(bed.client(token), { name: 'again', pattern: { type: [ORDER] } })
  await eventually('there is room again', async () => (await bed.subscription('again')).state === 'active', 20_000)
  expect((await bed.publish(event(ORDER, { number: 2, amount: 1 }), token)).status).toBe(200)
  await eventually('and deliveries', () => again.deliveries.length > 0)
  await again.stop()
  expect(await platform.pidOf('control')).toBe(controlPid)
}, 60_000)

let controlPid = 0
beforeAll(async () => {
  controlPid = await platform.pidOf('control')
})
