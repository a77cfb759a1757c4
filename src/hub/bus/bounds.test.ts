import { afterEach, expect, test } from 'bun:test'
import type { AnyEvent } from '../../contracts/index.ts'
import type { TablesPort } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, faultCode } from '../../kernel/index.ts'
import { until } from '../testing.ts'
import { createDeadLetters } from './dead-letters/index.ts'
import { type Bed, DONE, failed, openBed, TYPE } from './testing.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

test('deaths that are not written yet count as what waits: no more is taken, all are written, together', async () => {
  const own = await openBed({
    deliver: async () => ({ kind: 'refused', reason: 'no' }),
    limits: { hubQueueEventsMax: 20 },
  })
  bed = own
  await own.bus.close()
  let isHeld = true
  const batches: number[] = []
  const slow: TablesPort = {
    ...own.tables,
    async batch(statements, options) {
      const deaths = statements.filter(({ sql }) => sql.includes('INTO hub_dead_letters')).length
      if (deaths > 0) {
        await until('let go', () => !isHeld)
        batches.push(deaths)
      }
      return own.tables.batch(statements, options)
    },
  }
  const bus = own.startBus({ tables: slow })
  await own.put('all')
  await until('it runs', () => bus.places().get('all')?.isLive() === true)
  await own.publish(numbers(200).map((n) => ({ key: `k${n}`, n })))
  const place = bus.places().get('all')
  await until('full', () => place?.subscriber.hasRoom() === false)
  const taken = place?.subscriber.deliveries.figures().failed ?? 0
  expect(taken).toBeLessThanOrEqual(20)
  isHeld = false
  const count = async () =>
    Number((await own.tables.query({ sql: 'SELECT COUNT(*) AS letters FROM hub_dead_letters' }))[0]?.['letters'])
  await until('all dead', async () => (await count()) === 200)
  expect(Math.max(...batches)).toBeGreaterThan(1)
})

test('of replayed events no more are parked than may be: the replay is told to wait', async () => {
  const own = await openBed({ deliver: async () => failed(), limits: { hubParkedMax: 5 } })
  bed = own
  await own.put('all', { policy: { attemptsMax: 100, backoffMinMs: 20_000, backoffMaxMs: 20_000 } })
  await own.publish([{ key: 'k', n: 0 }])
  const parked = () => own.bus.places().get('all')?.subscriber.parked().events ?? 0
  await until('parked', () => parked() === 1)
  const toEvent = (n: number): AnyEvent => ({
    ...{ specversion: '1.0', id: `r${n}`, source: 'test', type: TYPE, subject: 'k', time: '2026-11-21T12:00:00Z' },
    data: { n },
  })
  const position = { topic: 'accounts', partition: 0, offset: 0 }
  const replays = numbers(20).map((n) =>
    own.bus
      .replay({ id: 'r', subscription: 'all' }, { event: toEvent(n), position, bytes: 100, appendedAtMs: 1 })
      .catch(faultCode),
  )
  expect((await Promise.all(replays)).toSorted()).toEqual([
    ...numbers(16).map(() => 'hub-busy'),
    ...numbers(4).map(() => 'parked'),
  ])
  expect(parked()).toBe(5)
})

test('with as many open dead letters as may be it is given nothing new, says so, and goes on when some are settled', async () => {
  const tried: string[] = []
  let isCured = false
  const own = await openBed({
    async deliver({ event: { id } }) {
      tried.push(id)
      return isCured ? DONE : { kind: 'refused', reason: 'no' }
    },
    limits: { hubDeadLettersOpenMax: 3 },
  })
  bed = own
  await own.put('all', { policy: { concurrency: 1 } })
  await own.publish(numbers(10).map((n) => ({ key: 'k', n })))
  const waitsFor = () => own.bus.places().get('all')?.subscriber.waitsFor() ?? ''
  await until('it waits', () => waitsFor().includes('dead letters are open'))
  const letters = createDeadLetters({ tables: own.tables, log: own.log, limits: DEFAULT_LIMITS })
  await until('written', async () => (await letters.list()).letters.length === 3)
  expect(tried).toEqual(['k-0', 'k-1', 'k-2'])
  isCured = true
  for (const { id } of (await letters.list()).letters) await letters.redrive(id)
  await until('all', () => tried.length === 13)
  expect(waitsFor()).toBe('')
})
