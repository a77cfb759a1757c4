import { afterEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { AnyEvent } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { DEFAULT_LIMITS, Fault, faultCode } from '../../kernel/index.ts'
import { claimOf } from '../claims/index.ts'
import { claimStates, createManualClock, drain, streamOf } from '../claims/testing.ts'
import { decodeRecord } from '../registry/index.ts'
import type { NewEvent } from './new-event.ts'
import { openProducerBed, type ProducerBed, testRegistry } from './testing.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
async function open(options: Parameters<typeof openProducerBed>[0] = {}): Promise<ProducerBed> {
  const bed = await openProducerBed(options)
  closers.push(bed.remove)
  return bed
}

const MP4 = 'video/mp4'
const order = (orderId: string, sku = 's'): NewEvent => ({
  type: 'com.example.order.placed.v1',
  subject: orderId,
  data: { orderId, lines: [{ sku, price: 1 }] },
})
const note = (text: string): NewEvent => ({ type: 'com.example.note.v1', subject: 'n', data: { text } })
const film = (body: NonNullable<NewEvent['payload']>['body']): NewEvent => ({
  type: 'com.example.film.v1',
  subject: 'f',
  payload: { body, contentType: MP4 },
})

async function readAll(log: LogPort, topic: string): Promise<AnyEvent[]> {
  const records = await log.read({ topic, from: 0, max: 1_000 })
  return records.map((record) => decodeRecord(testRegistry, record))
}
async function expectNothingPublished({ log, objects }: ProducerBed): Promise<void> {
  for (const topic of testRegistry.topics()) expect(await readAll(log, topic)).toEqual([])
  expect(await objects.list('')).toEqual([])
}
const faultOf = (promise: Promise<unknown>): Promise<Fault> =>
  promise.then(
    () => {
      throw new Error('expected a fault')
    },
    (error: unknown) => {
      if (error instanceof Fault) return error
      throw error
    },
  )

test('what its readers would see as something else is not published', async () => {
  const bed = await open()
  const shout: NewEvent = { type: 'com.example.shout.v1', subject: 's', data: { text: 'hey' } }
  const fault = await faultOf(bed.producer.publish([note('1'), shout]))
  expect(fault.code).toBe('event-invalid')
  expect(fault.detail['errors']).toMatchObject([{ index: 1, path: 'data' }])
  await expectNothingPublished(bed)
})

test('events are on the log when it resolves, in order per topic, at the positions told', async () => {
  const { producer, log } = await open()
  const given = [order('a'), note('1'), order('b'), order('c'), note('2')]
  const published = await producer.publish(given)
  expect(published.map(({ position: { topic, offset } }) => `${topic} ${offset}`)).toEqual([
    ...['orders 0', 'notes 0', 'orders 1', 'orders 2', 'notes 1'],
  ])
  expect(await readAll(log, 'orders')).toEqual([0, 2, 3].map((at) => published[at]?.event as AnyEvent))
  expect(published.map(({ event }) => event.subject)).toEqual(given.map(({ subject }) => subject))
  expect(published[0]?.event).toMatchObject({ source: 'test', datacontenttype: 'application/json' })
  expect(await producer.publish([])).toEqual([])
})

test('what is given is kept, what the schema does not know is dropped', async () => {
  const { producer, log } = await open()
  const given = {
    id: 'i',
    source: '/shop',
    time: '2026-01-01T00:00:00Z',
    causedby: 'raw:0:1',
    extensions: { traceparent: '00-1' },
  }
  await producer.publish([{ ...note('x'), ...given, data: { text: 'x', more: 1 } }])
  const { extensions, ...attributes } = given
  expect(await readAll(log, 'notes')).toEqual([
    {
      specversion: '1.0',
      type: 'com.example.note.v1',
      subject: 'n',
      datacontenttype: 'application/json',
      ...attributes,
      ...extensions,
      data: { text: 'x' },
    },
  ])
})

const wrong: readonly (readonly [string, Partial<NewEvent>, readonly string[]])[] = [
  [
    'a field of its data',
    { data: { orderId: 1, lines: [{ sku: 's', price: '1' }] } },
    ['data.orderId', 'data.lines.0.price'],
  ],
  ['no data', { data: undefined }, ['data']],
  ['an unknown type', { type: 'com.example.unknown.v1' }, ['type']],
  ['no subject', { subject: '' }, ['subject']],
  ['a long subject', { subject: 'ä'.repeat(600) }, ['subject']],
  ['a time', { time: 'yesterday' }, ['time']],
  ['an id', { id: '' }, ['id']],
  ['a claim of its own making', { extensions: { dataref: 'titles/film' } }, ['dataref']],
  ['an opaque type without a payload', { type: 'com.example.film.v1', data: undefined }, ['payload']],
  ['an opaque type with data', { type: 'com.example.film.v1' }, ['data']],
  [
    'a content type',
    { type: 'com.example.film.v1', data: undefined, payload: { body: new Uint8Array(1), contentType: 'text/plain' } },
    ['datacontenttype'],
  ],
  ['data and payload', { payload: { body: Buffer.from('{}'), contentType: 'application/json' } }, ['payload']],
  [
    'a payload that is no JSON',
    { data: undefined, payload: { body: Buffer.from('{'), contentType: 'application/json' } },
    ['data'],
  ],
]
test.each(wrong)('%s is wrong: its producer is told where, and nothing is published', async (_, change, paths) => {
  const bed = await open()
  const large = 'x'.repeat(400_000)
  const fault = await faultOf(bed.producer.publish([note(large), { ...order('a'), ...change }, order('b')]))
  expect(fault.code).toBe('event-invalid')
  const errors = fault.detail['errors'] as { index: number; path: string }[]
  expect(errors.map(({ index, path }) => ({ index, path }))).toEqual(paths.map((path) => ({ index: 1, path })))
  await expectNothingPublished(bed)
})

test('large data goes by claim check, the rest stays where it was', async () => {
  const { producer, log, claims, tables } = await open()
  const text = 'x'.repeat(DEFAULT_LIMITS.hubClaimBytesMin)
  await producer.publish([note('small'), note(text)])
  const [small, large] = await readAll(log, 'notes')
  expect(small?.data).toEqual({ text: 'small' })
  expect(large).not.toHaveProperty('data')
  expect(large?.datacontenttype).toBe('application/json')
  const claim = claimOf(large as AnyEvent)
  if (!claim) throw new Error('expected a claim')
  expect(JSON.parse(Buffer.from(await claims.bytes(claim, 1_000_000)).toString())).toEqual({ text })
  expect(await claimStates(tables)).toEqual({ [claim.ref]: 'referenced' })
})

test('opaque payloads go by claim check however small, as bytes, as a stream, and as a claim passed on', async () => {
  const { producer, log, claims, objects } = await open()
  const body = Buffer.alloc(3_000_000, 'film')
  await producer.publish([film(Buffer.from('small')), film(streamOf(body))])
  const first = claimOf((await readAll(log, 'films'))[1] as AnyEvent)
  if (!first) throw new Error('expected a claim')
  await producer.publish([film(first)])
  const events = await readAll(log, 'films')
  expect(events[2]).toMatchObject({ dataref: first.ref, datacontenttype: MP4 })
  expect(first).toMatchObject({
    size: body.byteLength,
    digest: `sha-256=${createHash('sha256').update(body).digest('hex')}`,
  })
  expect(await drain(await claims.stream(first))).toEqual(body)
  expect(await objects.list('claims/')).toHaveLength(2)
})

test('a claim that is not there any more is not passed on', async () => {
  const bed = await open()
  const claim = await bed.claims.put(Buffer.from('x'), { bytesMax: 10, eventId: 'e' })
  await bed.claims.discard([claim])
  expect((await faultOf(bed.producer.publish([film(claim)]))).code).toBe('claim-missing')
  await expectNothingPublished(bed)
})

test('JSON as a payload is data like any other', async () => {
  const { producer, log } = await open()
  const body = streamOf(Buffer.from(JSON.stringify({ text: 'streamed', more: 1 })), 5)
  await producer.publish([
    { type: 'com.example.note.v1', subject: 'n', payload: { body, contentType: 'application/json; charset=utf-8' } },
  ])
  expect((await readAll(log, 'notes'))[0]?.data).toEqual({ text: 'streamed' })
})

test('a payload over the limit: payload-too-large; those put before it are gone again', async () => {
  const bed = await open({ limits: { hubRecordBytesMax: 300_000 } })
  const fault = await faultOf(
    bed.producer.publish([film(Buffer.from('small')), film(streamOf(new Uint8Array(300_001)))]),
  )
  expect(fault.code).toBe('payload-too-large')
  await expectNothingPublished(bed)
})

test('more inline than one append takes is refused before anything is appended', async () => {
  const bed = await open({ limits: { logRecordBytesMax: 100_000 } })
  const fault = await faultOf(bed.producer.publish([order('a'), note('x'.repeat(99_000)), note('x'.repeat(2_000))]))
  expect(fault.code).toBe('payload-too-large')
  await expectNothingPublished(bed)
})

test('too much under way: hub-busy before anything is taken, and room again afterwards', async () => {
  const bed = await open({ limits: { hubPublishCallsMax: 1 } })
  const gate = Promise.withResolvers<void>()
  const held = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await gate.promise
      controller.close()
    },
  })
  const first = bed.producer.publish([film(held)])
  let asked = false
  const untouched = new ReadableStream<Uint8Array>(
    {
      pull() {
        asked = true
      },
    },
    { highWaterMark: 0 },
  )
  expect(await faultOf(bed.producer.publish([film(untouched)]))).toMatchObject({
    code: 'hub-busy',
    detail: { retryAfterMs: DEFAULT_LIMITS.hubBusyRetryMs },
  })
  expect(asked).toBe(false)
  gate.resolve()
  expect(await first).toHaveLength(1)
  expect(await bed.producer.publish([note('again')])).toHaveLength(1)
})

test.each([
  ['log-full', []],
  ['timeout', ['written']],
  ['log-unavailable', ['written']],
] as const)(
  'the log says %s: its code passes, and objects go only when nothing can refer to them',
  async (code, states) => {
    const bed = await open({
      change: ({ log }) => ({
        log: {
          ...log,
          async append() {
            throw new Fault(code, 'no')
          },
        },
      }),
    })
    expect((await faultOf(bed.producer.publish([film(Buffer.from('x'))]))).code).toBe(code)
    expect(Object.values(await claimStates(bed.tables))).toEqual([...states])
  },
)

test('objects full: its code passes, nothing is appended', async () => {
  const bed = await open({
    change: ({ objects }) => ({
      objects: {
        ...objects,
        async put() {
          throw new Fault('objects-full', 'no room')
        },
      },
    }),
  })
  expect((await faultOf(bed.producer.publish([note('small'), film(Buffer.from('x'))]))).code).toBe('objects-full')
  await expectNothingPublished(bed)
})

test('a payload that took longer than half the grace is not put on the log', async () => {
  const clock = createManualClock()
  const bed = await open({ clock })
  const slow = new ReadableStream<Uint8Array>({
    pull(controller) {
      clock.advance(DEFAULT_LIMITS.hubClaimGraceMs / 2 + 1)
      controller.close()
    },
  })
  expect(await bed.producer.publish([film(slow)]).then(() => '', faultCode)).toBe('claim-expired')
  await expectNothingPublished(bed)
})
