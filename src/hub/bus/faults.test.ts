import { afterEach, expect, test } from 'bun:test'
import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import { Fault, pause } from '../../kernel/index.ts'
import { until } from '../testing.ts'
import type { Delivery, Outcome } from './target.ts'
import { type Bed, DONE, failed, openBed } from './testing.ts'
import { viewSubscriptions } from './views.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const never = new AbortController().signal

/** A bed whose bus waits until the test has put its own tables before it. */
async function openStopped(options: Parameters<typeof openBed>[0]): Promise<Bed> {
  const opened = await openBed(options)
  bed = opened
  await opened.bus.close()
  return opened
}
const about = (statements: readonly Statement[], text: string): boolean =>
  statements.some(({ sql }) => sql.includes(text))

test('a session that fails to open half-way leaves nothing at work: each event once, one of a key at a time', async () => {
  const got: string[] = []
  let underWay = 0
  let most = 0
  const { tables, ...own } = await openStopped({
    async deliver({ event: { id } }) {
      underWay += 1
      most = Math.max(most, underWay)
      await pause(5, never)
      underWay -= 1
      got.push(id)
      return DONE
    },
  })
  await own.put('aa', { policy: { concurrency: 1 } })
  await own.publish(numbers(10).map((n) => ({ key: 'k', n })))
  await own.put('zz', { start: 'now' })
  let failures = 2
  const faulty: TablesPort = {
    ...tables,
    query(statement) {
      const isIts =
        statement.sql.includes('FROM hub_positions WHERE subscription') && statement.parameters?.[0] === 'zz'
      if (!isIts || failures === 0) return tables.query(statement)
      failures -= 1
      return Promise.reject(new Fault('tables-unavailable', 'a hiccup'))
    },
  }
  const bus = own.startBus({ tables: faulty })
  await until('all', () => got.length >= 10)
  await bus.close()
  expect([failures, most]).toEqual([0, 1])
  expect(got).toEqual(numbers(10).map((n) => `k-${n}`))
})

test('an insert that was committed and whose answer was lost: its key stays parked, later events stay behind it', async () => {
  const got: string[] = []
  let isDown = true
  const { tables, ...own } = await openStopped({
    async deliver({ event: { id } }) {
      if (id === 'k-0' && isDown) return failed()
      got.push(id)
      return DONE
    },
  })
  let lost = 0
  const faulty: TablesPort = {
    ...tables,
    async batch(statements, options) {
      const result = await tables.batch(statements, options)
      if (lost > 0 || !about(statements, 'INTO hub_parked')) return result
      lost += 1
      throw new Fault('tables-unavailable', 'cut off behind the commit')
    },
  }
  await own.put('all', { policy: { attemptsMax: 100 } })
  const bus = own.startBus({ tables: faulty })
  await own.publish([{ key: 'k', n: 0 }])
  await until('lost', () => lost === 1)
  await until('written', () => bus.places().get('all')?.subscriber.parked().events === 1)
  await own.publish([
    { key: 'k', n: 1 },
    { key: 'other', n: 1 },
  ])
  await until('the other key', () => got.length > 0)
  expect(got).toEqual(['other-1'])
  isDown = false
  await until('all', () => got.length === 3)
  expect(got).toEqual(['other-1', 'k-0', 'k-1'])
  await until('nothing parked', () => bus.places().get('all')?.subscriber.parked().events === 0)
})

test('rows that were read before their events were settled are not delivered again, and free no key', async () => {
  const got: string[] = []
  let isDown = true
  const { tables, ...own } = await openStopped({
    async deliver({ event: { id } }) {
      if (isDown) return failed()
      await pause(5, never)
      got.push(id)
      return DONE
    },
  })
  const slow: TablesPort = {
    ...tables,
    async query(statement) {
      const rows = await tables.query(statement)
      if (statement.sql.includes('next_at_ms <= ?')) await pause(20, never)
      return rows
    },
  }
  await own.put('all', { policy: { concurrency: 4, attemptsMax: 1_000 } })
  own.startBus({ tables: slow })
  const events = numbers(30).map((n) => ({ key: `k${n % 6}`, n }))
  await own.publish(events)
  await until('parked', async () => (await tables.query({ sql: 'SELECT seq FROM hub_parked' })).length === 30)
  isDown = false
  await until('nothing parked', async () => (await tables.query({ sql: 'SELECT seq FROM hub_parked' })).length === 0)
  expect(got.length).toBe(30)
  for (const key of new Set(events.map((event) => event.key))) {
    const of = events.filter((event) => event.key === key).map(({ n }) => `${key}-${n}`)
    expect(got.filter((id) => id.startsWith(`${key}-`))).toEqual(of)
  }
})

test('one damaged row keeps no other subscription from its events', async () => {
  const got: string[] = []
  const own = await openStopped({
    async deliver({ subscription }) {
      got.push(subscription)
      return DONE
    },
  })
  for (const name of ['bad', 'good', 'odd']) await own.put(name)
  await own.tables.batch([
    { sql: "UPDATE hub_subscriptions SET policy = '{' WHERE name = 'bad'" },
    { sql: "UPDATE hub_subscriptions SET pattern = '{}' WHERE name = 'odd'" },
  ])
  own.startBus()
  await own.publish([{ key: 'k', n: 1 }])
  await until('the good one', () => got.length > 0)
  expect(got).toEqual(['good'])
  expect((await own.subscriptions.list()).map(({ name }) => name)).toEqual(['good', 'odd'])
})

test('the lease is not taken again while what was done under it before still ends', async () => {
  let calls = 0
  let isOver = false
  const own = await openBed({
    deliver() {
      calls += 1
      return new Promise(() => {})
    },
    limits: { hubBusLeaseMs: 100, drainMs: 400 },
    target: {
      async close() {
        isOver = true
      },
    },
  })
  bed = own
  await own.put('all')
  await own.publish([{ key: 'k', n: 1 }])
  await until('under way', () => calls > 0)
  await own.tables.batch([{ sql: "UPDATE hub_leases SET owner = 'other', fence = fence + 1 WHERE name = 'bus'" }])
  await until('lost', () => !own.bus.holds())
  await own.tables.batch([{ sql: "UPDATE hub_leases SET owner = '', beat = beat + 1 WHERE name = 'bus'" }])
  const owner = async (): Promise<string> =>
    String((await own.tables.query({ sql: "SELECT owner FROM hub_leases WHERE name = 'bus'" }))[0]?.['owner'])
  let wasOver = false
  await until('taken again', async () => {
    wasOver = isOver
    return (await owner()) !== ''
  })
  expect(wasOver).toBe(true)
})

test('a target that wants no more while the tables are away: nothing is tried meanwhile, which is said, and it is disabled at last', async () => {
  let calls = 0
  let isAway = true
  const { tables, ...own } = await openStopped({
    async deliver(): Promise<Outcome> {
      calls += 1
      return { kind: 'gone', reason: '410 Gone' }
    },
  })
  const faulty: TablesPort = {
    ...tables,
    batch: (statements, options) =>
      isAway && about(statements, "'disabled'")
        ? Promise.reject(new Fault('tables-unavailable', 'away'))
        : tables.batch(statements, options),
  }
  await own.put('all')
  const bus = own.startBus({ tables: faulty })
  await own.publish([{ key: 'k', n: 1 }])
  await until('gone', () => calls === 1)
  const view = async () => (await viewSubscriptions({ subscriptions: own.subscriptions, bus, tables, log: own.log }))[0]
  expect(await view()).toMatchObject({ state: 'waiting', detail: expect.stringContaining('wants no more') })
  isAway = false
  await until('disabled', async () => (await view())?.state === 'disabled')
  expect([calls, (await view())?.detail]).toEqual([1, '410 Gone'])
})

test('what an old target says does not disable the subscription that was put in its place', async () => {
  const first = Promise.withResolvers<void>()
  const targets: (number | undefined)[] = []
  const own = await openStopped({ deliver: async () => DONE, limits: { drainMs: 1_000 } })
  await own.put('all', { policy: { attemptsMax: 3 } })
  own.startBus({
    targets: ({ policy }) => ({
      ...{ kind: 'function', description: 'a test' },
      async deliver({ id: _ }: Delivery): Promise<Outcome> {
        targets.push(policy.attemptsMax)
        if (policy.attemptsMax !== 3) return DONE
        await first.promise
        return { kind: 'gone', reason: 'of the old address' }
      },
    }),
    tables: {
      ...own.tables,
      // The change comes between the target's answer and what is written of it.
      async batch(statements, options) {
        if (about(statements, "'disabled'")) await own.put('all', { policy: { attemptsMax: 4 } })
        return own.tables.batch(statements, options)
      },
    },
  })
  await own.publish([{ key: 'k', n: 1 }])
  await until('under way', () => targets.length === 1)
  first.resolve()
  await until('by the new one', () => targets.includes(4))
  expect(await own.subscriptions.get('all')).toMatchObject({ state: 'enabled', detail: null })
})
