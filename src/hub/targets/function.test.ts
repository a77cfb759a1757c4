import { afterAll, describe, expect, test } from 'bun:test'
import { z } from 'zod'
import type { AnyEvent } from '../../contracts/index.ts'
import { openSqliteTables } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, Fault, silentLogger, systemClock } from '../../kernel/index.ts'
import { createClaims } from '../claims/index.ts'
import { drain, newDirectory, openClaimBed } from '../claims/testing.ts'
import { isInboxRepeat } from '../inbox.ts'
import { hubMigrations } from '../migrations.ts'
import { createRegistry } from '../registry/index.ts'
import { createFunctionTarget, type FunctionContext, type FunctionHandler } from './function.ts'
import { TEST_EVENT, toTestDelivery } from './testing.ts'

const registry = createRegistry({
  'com.example.order.placed.v1': { topic: 'orders', data: z.object({ price: z.number() }) },
  'com.example.scan.v1': { topic: 'orders', data: null },
})
const { directory, remove } = newDirectory()
const bed = await openClaimBed(directory)
const claims = createClaims({ ...bed, limits: DEFAULT_LIMITS, clock: systemClock, logger: silentLogger })
afterAll(async () => {
  await bed.close()
  remove()
})

const create = (handler: FunctionHandler) =>
  createFunctionTarget({ name: 'views', handler, claims, registry, limits: DEFAULT_LIMITS })

async function byReference(type: string, bytes: Uint8Array): Promise<AnyEvent> {
  const claim = await claims.put(bytes, { bytesMax: 1_000_000, eventId: TEST_EVENT.id })
  const { data: _, ...rest } = TEST_EVENT
  return { ...rest, type, dataref: claim.ref, datasize: claim.size, datadigest: claim.digest }
}

describe('what a handler does', () => {
  const then = (_: unknown, no: (reason: unknown) => void) => no(new Error('boom'))
  const thenable = Object.fromEntries([['then', then]])
  const cases: readonly (readonly [string, FunctionHandler, object])[] = [
    ['returns', () => {}, { kind: 'done' }],
    ['resolves', async () => {}, { kind: 'done' }],
    [
      'returns what is only like a promise',
      () => thenable as unknown as Promise<void>, // which the type alone does not keep out
      { kind: 'failed', reason: 'boom' },
    ],
    ['throws', () => expect.unreachable('boom'), { kind: 'failed', reason: expect.stringContaining('boom') }],
    ['rejects', async () => Promise.reject(new Error('boom')), { kind: 'failed', reason: 'boom' }],
    ['rejects with no error', () => Promise.reject('boom'), { kind: 'failed', reason: 'boom' }],
    ['refuses', async () => Promise.reject(new Fault('refused', 'never')), { kind: 'refused', reason: 'never' }],
    [
      'asks for time',
      async () => Promise.reject(new Fault('busy', 'later', { detail: { retryAfterMs: 700 } })),
      { kind: 'failed', reason: 'later', retryAfterMs: 700 },
    ],
  ]
  test.each(cases)('%s', async (_name, handler, expected) => {
    const outcome: object = await create(handler).deliver(toTestDelivery())
    expect(outcome).toEqual(expected)
  })

  test('waits for its signal, and gives up with it', async () => {
    const target = create(async (_event, { signal }) => {
      while (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    })
    const outcome = await target.deliver(toTestDelivery({ signal: AbortSignal.timeout(30) }))
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('timed out') })
  })

  test('does not look at its signal: none is made', async () => {
    const delivery = Object.defineProperty(toTestDelivery(), 'signal', { get: () => expect.unreachable('made') })
    expect(await create(async () => {}).deliver(delivery)).toEqual({ kind: 'done' })
  })
})

test('it knows what is delivered, and how', async () => {
  const seen: [AnyEvent, FunctionContext][] = []
  const target = create((event, context) => void seen.push([event, context]))
  await target.deliver(toTestDelivery({ id: 'e~r1', replay: 'r1', attempt: 3, input: 'short' }))
  expect(seen[0]?.[0]).toEqual(TEST_EVENT)
  expect(seen[0]?.[1]).toMatchObject({
    deliveryId: 'e~r1',
    attempt: 3,
    replay: 'r1',
    input: 'short',
    position: { topic: 'orders', partition: 0, offset: 7 },
  })
})

describe('data', () => {
  async function read(event: AnyEvent): Promise<{ payload: string; data: unknown }> {
    const read = { payload: '', data: undefined as unknown }
    const outcome = await create(async (_event, { payload, data }) => {
      read.payload = (await drain(await payload())).toString()
      read.data = await data()
    }).deliver(toTestDelivery({ event }))
    if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
    return read
  }
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

  test('in the event', async () => {
    expect(await read(TEST_EVENT)).toEqual({ payload: '{"price":12.5}', data: { price: 12.5 } })
  })
  test('by reference, as a stream and by its schema', async () => {
    const event = await byReference(TEST_EVENT.type, encode('{"price": 1, "unknown": 2}'))
    expect(await read(event)).toEqual({ payload: '{"price": 1, "unknown": 2}', data: { price: 1 } })
  })
  test('opaque', async () => {
    const event = await byReference('com.example.scan.v1', encode('{"no": json'))
    expect(await read(event)).toEqual({ payload: '{"no": json', data: expect.any(Uint8Array) })
  })
  test.each(['{"price": "much"}', 'no json'])('that its schema refuses reaches no handler: %s', async (json) => {
    const event = await byReference(TEST_EVENT.type, encode(json))
    let got: unknown
    const target = create(async (_event, { data }) => {
      got = await data()
    })
    expect(await target.deliver(toTestDelivery({ event }))).toMatchObject({ kind: 'refused' })
    expect(got).toBeUndefined()
  })
  test('whose object is damaged is no data', async () => {
    const event = await byReference('com.example.scan.v1', encode('good'))
    const target = create(async (_event, { data }) => void (await data()))
    const damaged = { ...event, datadigest: `sha-256=${'0'.repeat(64)}` }
    expect(await target.deliver(toTestDelivery({ event: damaged }))).toMatchObject({ kind: 'failed' })
  })
})

test('with the inbox first in its batch, an effect happens once however often it is delivered', async () => {
  const tables = openSqliteTables({
    path: `${directory}/effects.sqlite`,
    migrations: [...hubMigrations, { id: 't', statements: ['CREATE TABLE effects (n INTEGER)'] }],
  })
  let repeats = 0
  const target = create(async (_event, { inbox }) => {
    const result = await tables.batch([inbox(), { sql: 'INSERT INTO effects VALUES (1)' }])
    if (isInboxRepeat(result)) repeats += 1
    else if (!result.ok) throw new Error(result.code)
  })
  for (const id of ['a', 'a', 'a~replay', 'a'])
    expect(await target.deliver(toTestDelivery({ id }))).toEqual({ kind: 'done' })
  const [row] = await tables.query({ sql: 'SELECT COUNT(*) AS n FROM effects' })
  await tables.close()
  expect([row?.['n'], repeats]).toEqual([2, 2])
})
