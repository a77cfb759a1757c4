import { afterEach, beforeEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CloudEvent } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import type { Migration } from '../engines/tables/index.ts'
import { type Logger, silentLogger } from '../kernel/index.ts'
import { inboxStatement, isInboxRepeat } from './inbox.ts'
import { createPublisher } from './publisher.ts'
import { type EventContext, type EventSubscription, subscribe } from './subscribe.ts'
import { numbered, numberOf, openTestEngines, type TestEngines } from './testing.ts'

const EFFECTS: Migration = {
  id: 'test-001',
  statements: [
    'CREATE TABLE effects (event_id TEXT NOT NULL, n BIGINT NOT NULL)',
    'CREATE TABLE once (id TEXT PRIMARY KEY)',
  ],
}

let engines: TestEngines
const closers: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  engines = await openTestEngines([EFFECTS])
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await engines.close()
})

const listen = (
  handle: (event: CloudEvent, context: EventContext) => Promise<void>,
  options: { group?: string; log?: LogPort; logger?: Logger; parallelKeysMax?: number } = {},
): EventSubscription => {
  const subscription = subscribe({
    log: engines.log,
    topic: 'titles',
    group: 'test',
    logger: silentLogger,
    handlers: { 'tentpole.title.progress.v1': handle },
    ...options,
  })
  closers.push(() => subscription.close())
  return subscription
}
const publish = (events: readonly CloudEvent[]): Promise<void> =>
  createPublisher({ log: engines.log, source: 't' }).publishMany(events)

test('order holds per key while keys go side by side, within the bound', async () => {
  const seen = new Map<string, number[]>()
  let busy = 0
  let busiest = 0
  await publish(Array.from({ length: 200 }, (_, n) => numbered(n % 10, n)))
  const subscription = listen(
    async (event) => {
      busy += 1
      busiest = Math.max(busiest, busy)
      await new Promise((resolve) => setTimeout(resolve, numberOf(event) % 3))
      seen.set(event.subject, [...(seen.get(event.subject) ?? []), numberOf(event)])
      busy -= 1
    },
    { parallelKeysMax: 4 },
  )
  await subscription.caughtUp({ timeoutMs: 5_000 })
  expect(busiest).toBe(4)
  expect(seen.size).toBe(10)
  for (const numbers of seen.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  expect([...seen.values()].flat().length).toBe(200)
  expect(subscription.lag()).toBe(0)
})

test('what a subscriber had in hand when it ended comes again to the next of its group', async () => {
  const first: number[] = []
  const stuck = Promise.withResolvers<void>()
  await publish(Array.from({ length: 30 }, (_, n) => numbered(1, n)))
  const victim = listen(async (event, { signal }) => {
    first.push(numberOf(event))
    if (numberOf(event) < 12) return
    stuck.resolve()
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))))
  })
  await stuck.promise
  await victim.close()
  const second: number[] = []
  const heir = listen(async (event) => void second.push(numberOf(event)))
  await heir.caughtUp({ timeoutMs: 5_000 })
  expect(first.at(-1)).toBe(12)
  expect(second.slice(second.indexOf(12))).toEqual(Array.from({ length: 18 }, (_, n) => n + 12))
})

test('what was handled and committed does not come again', async () => {
  await publish([numbered(1, 1), numbered(1, 2)])
  const first = listen(async () => {})
  await first.caughtUp({ timeoutMs: 5_000 })
  await first.close()
  await publish([numbered(1, 3)])
  const seen: number[] = []
  const second = listen(async (event) => void seen.push(numberOf(event)))
  await second.caughtUp({ timeoutMs: 5_000 })
  expect(seen).toEqual([3])
})

test('a handler that fails is asked again; other keys do not wait for it', async () => {
  const seen: string[] = []
  let failures = 0
  await publish([numbered(1, 1), numbered(2, 2), numbered(1, 3)])
  const subscription = listen(async (event) => {
    if (numberOf(event) === 1 && failures++ < 2) throw new Error('not now')
    seen.push(String(numberOf(event)))
  })
  await subscription.caughtUp({ timeoutMs: 5_000 })
  expect(seen).toEqual(['2', '1', '3'])
})

test('what is no event is skipped and said loudly; what is of a newer release is skipped quietly', async () => {
  const errors: string[] = []
  const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message), with: () => logger }
  const future = { ...numbered(1, 0), type: 'tentpole.title.praised.v1' }
  await engines.log.append('titles', [
    { key: 'x', value: Buffer.from('no event') },
    { key: 'x', value: Buffer.from(JSON.stringify(future)) },
  ])
  await publish([numbered(1, 1)])
  const seen: number[] = []
  const subscription = listen(async (event) => void seen.push(numberOf(event)), { logger })
  await subscription.caughtUp({ timeoutMs: 5_000 })
  expect(seen).toEqual([1])
  expect(errors).toEqual(['a record on the log is no valid event and is left out'])
})

/** Where a process may die while it handles an event. */
const STEPS = ['before the batch', 'after the batch'] as const

test('by the inbox each event has its effect once, wherever its handler dies', async () => {
  let group = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STEPS, null), { minLength: 1, maxLength: 40 }), async (deaths) => {
      group += 1
      const name = `group-${group}`
      const pending = [...deaths]
      let dying = Promise.withResolvers<void>()
      const events = Array.from({ length: 8 }, (_, n) => numbered(n % 3, group * 100 + n))
      const ids = new Set(events.map((event) => event.id))
      await publish(events)
      const handle = async (event: CloudEvent, { signal }: EventContext): Promise<void> => {
        if (!ids.has(event.id)) return
        const death = pending.shift() ?? null
        const die = (): Promise<never> => {
          dying.resolve()
          return new Promise((_, reject) => {
            if (signal.aborted) reject(new Error('killed'))
            signal.addEventListener('abort', () => reject(new Error('killed')))
          })
        }
        if (death === 'before the batch') await die()
        const effect = { sql: 'INSERT INTO effects (event_id, n) VALUES (?, 1)', parameters: [event.id] }
        const result = await engines.tables.batch([inboxStatement(name, event.id), effect])
        if (death !== null) await die()
        if (!result.ok && !isInboxRepeat(result)) throw new Error(result.message)
      }
      for (let done = false; !done; ) {
        dying = Promise.withResolvers<void>()
        const subscription = listen(handle, { group: name })
        done = await Promise.race([
          subscription.caughtUp({ timeoutMs: 5_000 }).then(() => true),
          dying.promise.then(() => false),
        ])
        await subscription.close()
      }
      const marks = events.map(() => '?').join(', ')
      const rows = await engines.tables.query({
        sql: `SELECT event_id, COUNT(*) AS times FROM effects WHERE event_id IN (${marks}) GROUP BY event_id`,
        parameters: [...ids],
      })
      expect(rows.map((row) => row['times'])).toEqual(events.map(() => 1))
    }),
    { numRuns: 15 },
  )
}, 20_000)

test('a broken constraint that is not the inbox is not taken for a repeat', async () => {
  const statements = [inboxStatement('g', 'e'), { sql: "INSERT INTO once (id) VALUES ('x')" }]
  expect((await engines.tables.batch(statements)).ok).toBe(true)
  expect(isInboxRepeat(await engines.tables.batch(statements))).toBe(true)
  const other = [inboxStatement('g', 'e2'), { sql: "INSERT INTO once (id) VALUES ('x')" }]
  expect(isInboxRepeat(await engines.tables.batch(other))).toBe(false)
})
