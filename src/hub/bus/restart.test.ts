import { afterEach, expect, test } from 'bun:test'
import type { TablesPort } from '../../engines/tables/index.ts'
import { Fault } from '../../kernel/index.ts'
import { until } from '../testing.ts'
import { toDeliveryId } from './delivery-id.ts'
import type { Delivery, Outcome, Target } from './target.ts'
import { type Bed, DONE, failed, openBed } from './testing.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

test('closed and started again, it goes on where it was: nothing lost, nothing twice, what is parked stays parked', async () => {
  const got: string[] = []
  let isDown = true
  bed = await openBed({
    async deliver({ event: { id }, key }) {
      if (key === 'bad' && isDown) return failed()
      got.push(id)
      return DONE
    },
  })
  await bed.put('all', { policy: { attemptsMax: 100, backoffMinMs: 20, backoffMaxMs: 20 } })
  await bed.publish(
    numbers(20).flatMap((n) => [
      { key: 'bad', n },
      { key: 'good', n },
    ]),
  )
  await until('some are there', () => got.length > 5)
  await bed.bus.close()
  await bed.publish(numbers(5).map((n) => ({ key: 'good', n: 20 + n })))
  isDown = false
  bed.startBus()
  await until('all are there', () => got.length >= 45)
  const of = (key: string) => got.filter((id) => id.startsWith(key))
  expect(of('good')).toEqual(numbers(25).map((n) => `good-${n}`))
  expect(of('bad')).toEqual(numbers(20).map((n) => `bad-${n}`))
})

test('a bus that cannot reach the tables stops in time, and another takes over; the events in between come once more at most', async () => {
  const got: { bus: string; id: string }[] = []
  let isCut = false
  const target = (bus: string): Target => ({
    kind: 'function',
    description: bus,
    async deliver({ event: { id } }) {
      got.push({ bus, id })
      return DONE
    },
  })
  bed = await openBed({
    deliver: async () => DONE,
    limits: { hubBusLeaseMs: 200 },
    bus: { targets: () => target('first') },
  })
  const { tables } = bed
  await bed.put('all')
  await bed.publish(numbers(5).map((n) => ({ key: 'a', n })))
  await until('the first works', () => got.length === 5)
  await bed.bus.close()
  const fail = () => Promise.reject(new Fault('tables-unavailable', 'cut off'))
  const cut: TablesPort = {
    ...tables,
    query: (statement) => (isCut ? fail() : tables.query(statement)),
    batch: (statements, options) => (isCut ? fail() : tables.batch(statements, options)),
  }
  const second = bed.startBus({ tables: cut, targets: () => target('second') })
  await until('the second works', () => second.holds())
  isCut = true
  const third = bed.startBus({ targets: () => target('third') })
  await until('the second has stopped', () => !second.holds())
  await bed.publish(numbers(5).map((n) => ({ key: 'a', n: 5 + n })))
  await until('the third works', () => third.holds() && got.some(({ id }) => id === 'a-9'))
  expect(got.filter(({ bus }) => bus === 'second')).toEqual([])
  expect(got.filter(({ bus }) => bus === 'third').map(({ id }) => id)).toEqual(numbers(5).map((n) => `a-${5 + n}`))
  isCut = false
})

test('disabled by its target, it stops; enabled again, the event comes first that it was at', async () => {
  const got: string[] = []
  let isGone = true
  bed = await openBed({
    async deliver({ event: { id } }) {
      if (isGone && id === 'a-2') return { kind: 'gone', reason: '410 Gone' }
      got.push(id)
      return DONE
    },
  })
  await bed.put('all')
  await bed.publish(numbers(6).map((n) => ({ key: 'a', n })))
  await until('disabled', async () => (await bed?.subscriptions.get('all'))?.state === 'disabled')
  expect((await bed.subscriptions.get('all'))?.detail).toBe('410 Gone')
  await until('given up', () => bed?.bus.places().size === 0)
  expect(got).toEqual(['a-0', 'a-1'])
  isGone = false
  await bed.subscriptions.enable('all')
  await until('all there', () => got.includes('a-5'))
  expect(got).toEqual(numbers(6).map((n) => `a-${n}`))
})

test('with nobody connected nothing is tried; an interrupted delivery is no attempt', async () => {
  const attempts: number[] = []
  let isReady = false
  let tell = (): void => {}
  const target: Partial<Target> = {
    ready: () => isReady,
    onReady(listener) {
      tell = listener
      return () => {}
    },
  }
  const deliver = async ({ attempt }: Delivery): Promise<Outcome> => {
    attempts.push(attempt)
    return attempts.length < 3 ? { kind: 'interrupted' } : DONE
  }
  bed = await openBed({ deliver, target, limits: { hubQueueEventsMax: 2, hubUnsettledMax: 4 } })
  await bed.put('all')
  await bed.publish(numbers(6).map((n) => ({ key: 'a', n })))
  await until('it waits', () => bed?.bus.places().get('all')?.subscriber.waitsFor() === 'nobody is connected')
  expect(attempts).toEqual([])
  isReady = true
  tell()
  await until('all there', () => attempts.length === 8)
  expect(new Set(attempts)).toEqual(new Set([1]))
})

test('a target that does not end in time is aborted, counted as failed, and given up when it goes on', async () => {
  const aborted: boolean[] = []
  let calls = 0
  bed = await openBed({
    deliver({ signal }) {
      calls += 1
      if (calls > 1) return Promise.resolve(DONE)
      signal.addEventListener('abort', () => aborted.push(signal.aborted))
      return new Promise(() => {})
    },
    limits: { hubAbandonMs: 20 },
  })
  await bed.put('all', { policy: { timeoutMs: 20 } })
  await bed.publish([{ key: 'a', n: 1 }])
  await until('tried again', () => calls === 2)
  expect(aborted).toEqual([true])
  expect(bed.bus.places().get('all')?.subscriber.deliveries.figures().lastError).toContain('no answer within 20 ms')
})

test('a replayed event is marked, has its own delivery id, and holds no position', async () => {
  const got: Delivery[] = []
  bed = await openBed({
    async deliver(delivery) {
      got.push(delivery)
      return DONE
    },
  })
  await bed.put('all')
  await bed.publish([{ key: 'a', n: 1 }])
  await until('live', () => got.length === 1)
  const event = got[0]?.event
  if (!event) throw new Error('no event')
  const what = { event, position: { topic: 'accounts', partition: 0, offset: 0 }, appendedAtMs: 1 }
  expect(await bed.bus.replay({ id: 'r1', subscription: 'all' }, what)).toBe('done')
  expect(got.map(({ id, replay, event: { replayid } }) => [id, replay, replayid])).toEqual([
    [toDeliveryId(event), null, undefined],
    [`${toDeliveryId(event)}~r1`, 'r1', 'r1'],
  ])
  await expect(bed.bus.replay({ id: 'r1', subscription: 'none' }, what)).rejects.toThrow('there is no subscription')
})
