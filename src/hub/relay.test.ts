import { afterEach, beforeEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CloudEvent } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import type { TablesPort } from '../engines/tables/index.ts'
import { type Clock, silentLogger, systemClock } from '../kernel/index.ts'
import { OUTBOX_CHANNEL, OUTBOX_EVENT_BYTES_MAX, outboxStatements } from './outbox.ts'
import { createRelay, type Relay, waitUntilRelayed } from './relay.ts'
import { numbered, numberOf, openTestEngines, readEvents, type TestEngines, until } from './testing.ts'

let engines: TestEngines
const closers: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  engines = await openTestEngines()
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await engines.close()
})

/** Leases run out in 30 ms. */
const fastClock: Clock = { nowMs: Date.now, elapsedMs: () => performance.now() * 50 }
const start = (ports: { log?: LogPort; tables?: TablesPort; clock?: Clock } = {}): Relay => {
  const relay = createRelay({ ...engines, owner: 'test', logger: silentLogger, clock: systemClock, ...ports })
  closers.push(() => relay.close())
  return relay
}
const announce = async (events: readonly CloudEvent[]): Promise<void> => {
  const written = await engines.tables.batch(outboxStatements(events), { notify: [OUTBOX_CHANNEL] })
  expect(written.ok).toBe(true)
}
const outboxIsEmpty = async (): Promise<boolean> =>
  (await engines.tables.query({ sql: 'SELECT 1 FROM hub_outbox LIMIT 1' })).length === 0
const firstOccurrences = (events: readonly CloudEvent[]): CloudEvent[] =>
  [...new Map(events.toReversed().map((event) => [event.id, event])).values()].toReversed()

test('what commits is announced, in commit order; what does not commit is not', async () => {
  start()
  for (let n = 0; n < 10; n++) await announce([numbered(1, 2 * n), numbered(2, 2 * n + 1)])
  const refused = await engines.tables.batch([
    ...outboxStatements([numbered(1, 99)]),
    { sql: 'DELETE FROM hub_outbox WHERE event_id = ?', parameters: ['none'], expectRows: 1 },
  ])
  expect(refused.ok).toBe(false)
  await announce([numbered(1, 20)])
  await until('the outbox is empty', outboxIsEmpty)
  expect((await readEvents(engines.log, 'titles')).map(numberOf)).toEqual(Array.from({ length: 21 }, (_, n) => n))
})

test('a caller can wait until its event is on the log', async () => {
  const event = numbered(1, 1)
  await announce([event])
  expect(await waitUntilRelayed({ tables: engines.tables, eventIds: [event.id], timeoutMs: 50 })).toBe(false)
  start()
  expect(await waitUntilRelayed({ tables: engines.tables, eventIds: [event.id], timeoutMs: 5_000 })).toBe(true)
  expect((await readEvents(engines.log, 'titles')).map((found) => found.id)).toEqual([event.id])
})

test('an event too large for the outbox is refused where it is made', () => {
  const event = numbered(1, 1)
  event.data.stages.push({ name: 'x'.repeat(OUTBOX_EVENT_BYTES_MAX), done: 0, total: 0 })
  expect(() => outboxStatements([event])).toThrow('split it')
})

/** Lets `calls` calls through; the next happens or not, and is never answered, nor is any after it: a process killed there. */
function killAfter(
  calls: number,
  happens: boolean,
): { log: LogPort; tables: TablesPort; dead(): boolean; kill(): void } {
  let left = calls
  const pass = <Arguments extends unknown[], Result>(act: (...given: Arguments) => Promise<Result>) => {
    return async (...given: Arguments): Promise<Result> => {
      left -= 1
      if (left >= 0) return await act(...given)
      if (left === -1 && happens) await act(...given)
      return await new Promise<Result>(() => {})
    }
  }
  return {
    dead: () => left < 0,
    kill() {
      left = -1
    },
    log: { ...engines.log, append: pass(engines.log.append) },
    tables: { ...engines.tables, query: pass(engines.tables.query), batch: pass(engines.tables.batch) },
  }
}

test('a relay killed at any point repeats, but never loses an event or turns two of one key around', async () => {
  const kill = fc.record({ calls: fc.nat(12), happens: fc.boolean() })
  let first = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(kill, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 150 }),
      async (kills, count) => {
        const expected = Array.from({ length: count }, (_, index) => numbered(index % 3, first + index))
        first += count
        for (let at = 0; at < count; at += 10) await announce(expected.slice(at, at + 10))
        for (const { calls, happens } of kills) {
          const victim = killAfter(calls, happens)
          const relay = createRelay({ ...victim, owner: 'victim', logger: silentLogger, clock: fastClock })
          await until('it is dead or done', async () => {
            relay.poke()
            return victim.dead() || (await outboxIsEmpty())
          })
          victim.kill()
        }
        const heir = createRelay({ ...engines, owner: 'heir', logger: silentLogger, clock: fastClock })
        await until('the heir is done', async () => {
          heir.poke()
          return outboxIsEmpty()
        })
        await heir.close()
        const numbers = firstOccurrences(await readEvents(engines.log, 'titles')).map(numberOf)
        expect(numbers.slice(-count)).toEqual(expected.map(numberOf))
      },
    ),
    { numRuns: 12 },
  )
}, 30_000)

test('of two relays one works at a time', async () => {
  const owners = new Set<number>()
  for (const owner of [1, 2]) {
    const append: LogPort['append'] = (topic, records) => {
      owners.add(owner)
      return engines.log.append(topic, records)
    }
    start({ log: { ...engines.log, append } })
  }
  for (let n = 0; n < 100; n++) await announce([numbered(1, n)])
  await until('the outbox is empty', outboxIsEmpty)
  expect(owners.size).toBe(1)
  expect((await readEvents(engines.log, 'titles')).map(numberOf)).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

test('a holder that was paused past its lease may repeat, but removes nothing and stops', async () => {
  const paused = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  let changes: number[] = []
  const tables: TablesPort = {
    ...engines.tables,
    async batch(statements, options) {
      const result = await engines.tables.batch(statements, options)
      if (statements.some(({ sql }) => sql.startsWith('DELETE'))) changes = [...changes, result.ok ? 1 : 0]
      return result
    },
  }
  const append: LogPort['append'] = async (topic, records) => {
    reached.resolve()
    await paused.promise
    return engines.log.append(topic, records)
  }
  const sleeper = start({ log: { ...engines.log, append }, tables, clock: fastClock })
  await announce([numbered(1, 1), numbered(1, 2)])
  await reached.promise
  const heir = start({ clock: fastClock })
  await until('the heir did its work', async () => {
    heir.poke()
    return outboxIsEmpty()
  })
  await announce([numbered(1, 3)])
  paused.resolve()
  await until('the sleeper found out', () => changes.length > 0)
  await until('the heir did the rest', async () => {
    heir.poke()
    return outboxIsEmpty()
  })
  expect(changes[0]).toBe(0)
  expect(sleeper.holds()).toBe(false)
  expect(firstOccurrences(await readEvents(engines.log, 'titles')).map(numberOf)).toEqual([1, 2, 3])
})

test('a dead holder is followed within 3 s, one that closed at once', async () => {
  const victim = killAfter(4, false)
  createRelay({ ...victim, owner: 'victim', logger: silentLogger })
  await until('the victim held the lease and is dead', victim.dead)
  const heir = start()
  await announce([numbered(1, 1)])
  const from = performance.now()
  await until('taken over', outboxIsEmpty)
  expect(performance.now() - from).toBeLessThan(3_000)

  const last = start()
  await heir.close()
  await announce([numbered(1, 2)])
  const closedAt = performance.now()
  await until('taken over', outboxIsEmpty)
  expect(performance.now() - closedAt).toBeLessThan(1_000)
  expect(last.holds()).toBe(true)
})
