import { afterEach, beforeEach, expect, test } from 'bun:test'
import { z } from 'zod'
import type { AnyEvent } from '../../contracts/index.ts'
import { createId, DEFAULT_LIMITS, Fault, faultCode, type Logger, silentLogger } from '../../kernel/index.ts'
import { type ArchiveBench, openArchiveBench, SMALL_LIMITS } from '../archive/testing.ts'
import { createRegistry, decodeRecord } from '../registry/index.ts'
import { until } from '../testing.ts'
import { createFindEvent } from './find-event.ts'
import { createReplays } from './replays.ts'
import type { DeliverReplay } from './run-job.ts'
import { createReplayRunner, type ReplayRunner, type ReplayRunnerOptions } from './runner.ts'

const registry = createRegistry({
  'com.example.order.placed.v1': { topic: 'orders', data: z.object({ n: z.int(), total: z.string() }) },
  'com.example.order.placed.v2': {
    topic: 'orders',
    data: z.object({ n: z.int(), cents: z.int() }),
    upcasts: {
      from: 'com.example.order.placed.v1',
      upcast: (data) => {
        const { n, total } = z.object({ n: z.int(), total: z.string() }).parse(data)
        return { n, cents: Math.round(Number(total) * 100) }
      },
    },
  },
  'com.example.order.paid.v1': { topic: 'payments', data: z.object({ n: z.int() }) },
})
const limits = { ...SMALL_LIMITS, hubReplaySaveMs: 10, hubReplaysRunningMax: 2 }
const pattern = { type: [{ prefix: 'com.example.order' }] }
const FAST = 100_000

let bench: ArchiveBench
let started: ReplayRunner[] = []
beforeEach(async () => {
  bench = await openArchiveBench(limits)
})
afterEach(async () => {
  for (const runner of started.splice(0)) await runner.close()
  await bench.close()
})

/** The `n`th order: of the first version while `n` is below 100; every fifth with a payment. */
function orderOf(n: number, type = n < 100 ? 'com.example.order.placed.v1' : 'com.example.order.placed.v2'): AnyEvent {
  const data = type.endsWith('paid.v1') ? { n } : n < 100 ? { n, total: `${n}.50` } : { n, cents: n * 100 + 50 }
  const time = new Date().toISOString()
  return { specversion: '1.0', id: createId(), source: 'test', type, subject: `order-${n % 7}`, time, data }
}
async function publish(from: number, to: number): Promise<AnyEvent[]> {
  const events: AnyEvent[] = []
  for (let n = from; n < to; n++) {
    const order = orderOf(n)
    events.push(order)
    await bench.log.append('orders', [{ key: order.subject, value: Buffer.from(JSON.stringify(order)) }])
    if (n % 5 !== 0) continue
    const paid = orderOf(n, 'com.example.order.paid.v1')
    events.push(paid)
    await bench.log.append('payments', [{ key: paid.subject, value: Buffer.from(JSON.stringify(paid)) }])
  }
  return events
}

type Given = { readonly id: string; readonly event: AnyEvent; readonly key: string; readonly position: unknown }
function collect(options: { act?: (given: Given) => Promise<'done' | 'interrupted'> } = {}) {
  const given: Given[] = []
  const deliver: DeliverReplay = async ({ id, subscription }, { event, key, position }) => {
    const one = { id: `${event.id}~${id}`, event, key, position }
    expect(subscription).toBe('ledger')
    const outcome = (await options.act?.(one)) ?? 'done'
    if (outcome === 'done') given.push(one)
    return outcome
  }
  return { given, deliver }
}
const patternOf = async (name: string): Promise<unknown> => (name === 'ledger' ? pattern : null)
const replays = () => createReplays({ tables: bench.tables, patternOf, limits })
function run(deliver: DeliverReplay, more: Partial<ReplayRunnerOptions> = {}): ReplayRunner {
  const decode: ReplayRunnerOptions['decode'] = (record) => {
    try {
      const event = decodeRecord(registry, record)
      return { event, seen: event }
    } catch {
      return null
    }
  }
  const { tables, reader } = bench
  const topics = registry.topics()
  const runner = createReplayRunner({
    tables,
    reader,
    topics,
    patternOf,
    decode,
    deliver,
    holds: () => true,
    limits,
    logger: silentLogger,
    ...more,
  })
  started = [...started, runner]
  return runner
}
const stateOf = async (id: string): Promise<string | undefined> => (await replays().get(id))?.state
const isDone = (id: string) => until('the replay is done', async () => (await stateOf(id)) === 'done')
const numberOf = ({ event }: Given): number => z.object({ n: z.int() }).parse(event.data).n

test('what is archived and what is not comes once, in order per key, in the newest version', async () => {
  const events = await publish(0, 150)
  await bench.archive('orders', { trimmedTopics: ['orders'] })
  expect((await bench.log.bounds('orders'))[0]?.first).toBeGreaterThan(50)
  const { given, deliver } = collect()
  run(deliver)
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: FAST })
  await isDone(id)
  expect(given.map((one) => one.id).sort()).toEqual(events.map((event) => `${event.id}~${id}`).sort())
  const orders = given.filter(({ event }) => event.type.includes('placed'))
  for (const { event } of orders) {
    const { n, cents } = z.strictObject({ n: z.int(), cents: z.int() }).parse(event.data)
    expect({ type: event.type, cents }).toEqual({ type: 'com.example.order.placed.v2', cents: n * 100 + 50 })
  }
  for (let key = 0; key < 7; key++) {
    const ofKey = orders.filter((one) => one.key === `order-${key}`).map(numberOf)
    expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
  }
  expect(await replays().get(id)).toMatchObject({ state: 'done', read: 180, delivered: 180, detail: null })
})

test('only what matches both patterns, in the time range, and no record that is no event', async () => {
  await publish(0, 20)
  await bench.log.append('orders', [{ key: 'k', value: Buffer.from('no event') }])
  await until('the clock has moved on', () => Date.now() > before)
  const fromMs = Date.now()
  await publish(20, 40)
  const toMs = Date.now() + 1
  await until('the clock has moved on', () => Date.now() > toMs)
  await publish(40, 60)
  const { given, deliver } = collect()
  run(deliver)
  const request = { fromMs, toMs, pattern: { data: { n: [{ numeric: ['>=', 30] }] } }, eventsPerSecond: FAST }
  const { id } = await replays().create('ledger', request)
  await isDone(id)
  expect([...new Set(given.map(numberOf))].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 10 }, (_, at) => 30 + at),
  )
})
const before = Date.now()

test('the rate is kept', async () => {
  await publish(0, 30)
  const { given, deliver } = collect()
  run(deliver)
  const startMs = performance.now()
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: 100 })
  await isDone(id)
  const seconds = (performance.now() - startMs) / 1_000
  expect(given.length).toBeLessThanOrEqual(seconds * 100 + 10)
  expect(given.length).toBe(36)
})

test('a replay that was cut off goes on, and repeats only under the same delivery ids', async () => {
  const events = await publish(0, 100)
  let calls = 0
  const hang = collect({ act: async () => (++calls > 60 ? new Promise(() => {}) : 'done') })
  const first = run(hang.deliver)
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: FAST })
  await until('it hangs', () => calls > 60)
  await until('it has saved something', async () => ((await replays().get(id))?.delivered ?? 0) > 0)
  await first.close()
  const rest = collect()
  run(rest.deliver)
  await isDone(id)
  const all = [...hang.given, ...rest.given].map((one) => one.id)
  expect([...new Set(all)].sort()).toEqual(events.map((event) => `${event.id}~${id}`).sort())
  expect(rest.given.length).toBeLessThan(events.length)
})

test('a process that does not run the bus leaves replays alone, and one that loses it stops', async () => {
  const events = await publish(0, 40)
  const standby = collect()
  run(standby.deliver, { holds: () => false })
  let holds = true
  const former = collect()
  run(former.deliver, { holds: () => holds })
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: 50 })
  await until('it has begun', () => former.given.length > 5)
  holds = false
  const heir = collect()
  run(heir.deliver)
  await isDone(id)
  expect(standby.given).toEqual([])
  expect(former.given.length).toBeLessThan(events.length)
  const all = [...former.given, ...heir.given].map((one) => one.id)
  expect([...new Set(all)].sort()).toEqual(events.map((event) => `${event.id}~${id}`).sort())
})

test('an event that nobody took is given again; order per key holds', async () => {
  await publish(0, 60)
  let calls = 0
  const { given, deliver } = collect({ act: async () => (++calls % 3 === 0 ? 'interrupted' : 'done') })
  run(deliver)
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: FAST })
  await isDone(id)
  expect(given.length).toBe(72)
  for (let key = 0; key < 7; key++) {
    const ofKey = given.filter((one) => one.key === `order-${key}` && one.event.type.includes('placed')).map(numberOf)
    expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
  }
})

test('a cancelled replay delivers no more; what cannot be done is refused by name', async () => {
  await publish(0, 30)
  const { given, deliver } = collect()
  run(deliver)
  const slow = { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: 1 }
  const { id } = await replays().create('ledger', slow)
  await until('it has begun', () => given.length > 0)
  expect(await replays().cancel(id)).toMatchObject({ id, state: 'cancelled' })
  expect(await replays().cancel(id)).toMatchObject({ state: 'cancelled' })
  expect(await replays().cancel('none')).toBeNull()
  const other = await replays().create('ledger', { ...slow, pattern: { type: ['none'] }, eventsPerSecond: FAST })
  await isDone(other.id)
  expect(given.length).toBe(1)
  expect(await stateOf(id)).toBe('cancelled')
  const refused = (promise: Promise<unknown>) => promise.then(() => 'resolved', faultCode)
  expect(await refused(replays().create('nobody', slow))).toBe('subscription-unknown')
  expect(await refused(replays().create('ledger', { ...slow, pattern: { type: 'x' } }))).toBe('pattern-invalid')
  await replays().create('ledger', slow)
  await replays().create('ledger', slow)
  expect(await refused(replays().create('ledger', slow))).toBe('hub-busy')
  expect((await replays().list()).length).toBe(4)
})

test('a replay whose subscription goes away fails', async () => {
  await publish(0, 10)
  let isThere = true
  const gone = async (name: string): Promise<unknown> => (isThere ? patternOf(name) : null)
  run(collect().deliver, { patternOf: gone })
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: 1 })
  isThere = false
  await until('it has failed', async () => (await stateOf(id)) === 'failed')
  expect((await replays().get(id))?.detail).toContain('ledger is gone or disabled')
})

test('a replay that is broken off goes on with nothing given beside what is still under way, and what is lost stays told', async () => {
  await publish(0, 60)
  const warnings: string[] = []
  let broken = 0
  const reader: ArchiveBench['reader'] = {
    ...bench.reader,
    async *read(wanted) {
      const failsNow = broken < 3
      if (failsNow && wanted.topic === 'orders') wanted.onLoss?.({ from: 0, to: 2, reason: 'damaged' })
      for await (const records of bench.reader.read(wanted)) {
        yield records.slice(0, 10)
        if (failsNow && wanted.topic === 'orders') {
          broken += 1
          throw new Fault('log-unavailable', 'the store is away')
        }
        yield records.slice(10)
      }
    },
  }
  const underWay = new Set<string>()
  let overlaps = 0
  const { given, deliver } = collect({
    act: async ({ key }) => {
      if (underWay.has(key)) overlaps += 1
      underWay.add(key)
      await new Promise((resolve) => setTimeout(resolve, 3))
      underWay.delete(key)
      return 'done'
    },
  })
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) }
  run(deliver, { reader, logger })
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: FAST })
  await isDone(id)
  expect(broken).toBe(3)
  expect(overlaps).toBe(0)
  expect([given.length, new Set(given.map((one) => one.id)).size]).toEqual([72, 72])
  expect((await replays().get(id))?.detail).toBe('6 records in its range are lost')
  expect(warnings.filter((message) => message.includes('broke off'))).toHaveLength(1)
})

test('a bus that takes nothing is told of once, not at each try', async () => {
  await publish(0, 40)
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) }
  let calls = 0
  const { given, deliver } = collect()
  const away: DeliverReplay = async (to, what) => {
    calls += 1
    if (calls < 40) throw new Fault('subscription-unavailable', 'there is no subscription ledger that is enabled here')
    return deliver(to, what)
  }
  run(away, { logger })
  const { id } = await replays().create('ledger', { fromMs: 0, toMs: Date.now() + 1_000, eventsPerSecond: FAST })
  await isDone(id)
  expect(given).toHaveLength(48)
  expect(warnings.length).toBeLessThan(10)
})

test('an event is found by its id in the log, in the archive, or not at all, and an unfinished search says so', async () => {
  const events = await publish(0, 120)
  await bench.archive('orders', { trimmedTopics: ['orders'] })
  const find = createFindEvent({ reader: bench.reader, topics: registry.topics(), limits: DEFAULT_LIMITS })
  for (const event of [events[0], events.at(-1), events[10]]) {
    const { found } = await find(event?.id ?? '')
    expect(JSON.parse(Buffer.from(found?.record.value ?? []).toString())).toEqual(event)
    expect(found?.position.topic).toBe(registry.get(event?.type ?? '')?.topic ?? '')
  }
  const own = { ...orderOf(1), id: 'order 1 of the old system' }
  await bench.log.append('orders', [{ key: 'k', value: Buffer.from(JSON.stringify(own)) }])
  expect((await find(own.id)).found?.position).toEqual({ topic: 'orders', partition: 0, offset: 120 })
  expect(await find(createId())).toMatchObject({ found: null, complete: true })
  const hasty = createFindEvent({
    reader: bench.reader,
    topics: registry.topics(),
    limits: { ...DEFAULT_LIMITS, hubSearchRecordsMax: 10 },
  })
  expect(await hasty('none')).toMatchObject({ found: null, complete: false })
})
