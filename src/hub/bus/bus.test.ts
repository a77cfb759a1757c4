import { afterEach, expect, test } from 'bun:test'
import { until } from '../testing.ts'
import type { Delivery, Outcome } from './target.ts'
import { type Bed, DONE, failed, openBed, TYPE } from './testing.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})

const isDefined = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined
const parkedRows = async (name: string): Promise<string[]> =>
  (
    await bed?.tables.query({
      sql: 'SELECT event FROM hub_parked WHERE subscription = ? ORDER BY seq',
      parameters: [name],
    })
  )
    ?.map((row) => String(JSON.parse(String(row['event'])).id))
    .filter(isDefined) ?? []
const letters = async (): Promise<string[]> =>
  (await bed?.tables.query({ sql: 'SELECT event_id, code FROM hub_dead_letters ORDER BY event_id' }))?.map(
    (row) => `${row['event_id']} ${row['code']}`,
  ) ?? []

test('each subscription gets what its pattern takes, in order per key', async () => {
  const got = new Map<string, string[]>()
  const deliver = async ({ subscription, event: { id } }: Delivery): Promise<Outcome> => {
    got.set(subscription, [...(got.get(subscription) ?? []), id])
    return DONE
  }
  bed = await openBed({ deliver })
  await bed.put('all')
  await bed.put('even', { pattern: { type: [TYPE], data: { n: [0, 2, 4, 6, 8] } } })
  await bed.put('branches', { pattern: { type: ['com.example.branch.opened.v1'] } })
  const numbers = Array.from({ length: 10 }, (_, n) => n)
  await bed.publish(
    numbers.flatMap((n) => [
      { key: 'a', n },
      { key: 'b', n },
    ]),
  )
  await bed.publish([{ key: 'c', n: 1, type: 'com.example.branch.opened.v1' }])
  await until('all delivered', () => (got.get('all')?.length ?? 0) >= 20 && got.get('branches') !== undefined)
  const of = (name: string, key: string) => got.get(name)?.filter((id) => id.startsWith(key))
  expect(of('all', 'a')).toEqual(numbers.map((n) => `a-${n}`))
  expect(of('all', 'b')).toEqual(numbers.map((n) => `b-${n}`))
  expect(of('even', 'a')).toEqual([0, 2, 4, 6, 8].map((n) => `a-${n}`))
  expect(got.get('branches')).toEqual(['c-1'])
})

test('an event that its schema refuses reaches nobody, and those behind it do', async () => {
  const got: string[] = []
  bed = await openBed({
    deliver: async ({ event: { id } }) => {
      got.push(id)
      return DONE
    },
  })
  await bed.put('all', { pattern: { source: [{ exists: true }] } })
  await bed.log.append('accounts', [{ key: 'a', value: Buffer.from('{"not":"an event"}') }])
  await bed.publish([
    { key: 'a', n: 0.5 },
    { key: 'a', n: 1 },
  ])
  await until('the good one', () => got.length > 0)
  expect(got).toEqual(['a-1'])
})

test('a poison event parks its key and nothing else; what comes behind it waits, in order', async () => {
  const tried: string[] = []
  let isCured = false
  const deliver = async ({ event: { id }, key }: Delivery): Promise<Outcome> => {
    tried.push(id)
    return key === 'bad' && !isCured ? failed('poison') : DONE
  }
  bed = await openBed({ deliver })
  await bed.put('all', { policy: { attemptsMax: 100 } })
  await bed.publish(
    [1, 2, 3].flatMap((n) => [
      { key: 'bad', n },
      { key: 'good', n },
    ]),
  )
  await until('the good ones', () => tried.includes('good-3'))
  await until('three parked', async () => (await parkedRows('all')).length === 3)
  await until('tried again', () => tried.filter((id) => id === 'bad-1').length > 3)
  expect(tried).not.toContain('bad-2')
  expect(await parkedRows('all')).toEqual(['bad-1', 'bad-2', 'bad-3'])
  isCured = true
  await until('all there', () => tried.includes('bad-3'))
  expect(tried.filter((id) => id.startsWith('bad')).slice(-3)).toEqual(['bad-1', 'bad-2', 'bad-3'])
  await until('nothing parked', async () => (await parkedRows('all')).length === 0)
  await bed.publish([{ key: 'bad', n: 4 }])
  await until('the key is free', () => tried.includes('bad-4'))
})

test('attempts exhausted, or refused: a dead letter, and the next of its key is tried', async () => {
  const done: string[] = []
  const deliver = async ({ event: { id } }: Delivery): Promise<Outcome> => {
    if (id === 'a-1') return failed('never')
    if (id === 'a-2') return { kind: 'refused', reason: 'no such account' }
    done.push(id)
    return DONE
  }
  bed = await openBed({ deliver })
  await bed.put('all', { policy: { attemptsMax: 3 } })
  await bed.publish([1, 2, 3].map((n) => ({ key: 'a', n })))
  await until('the third', () => done.includes('a-3'))
  expect(await letters()).toEqual(['a-1 attempts-exhausted', 'a-2 refused'])
  const said = await bed.tables.query({ sql: 'SELECT event FROM hub_outbox ORDER BY position' })
  expect(said.map((row) => JSON.parse(String(row['event'])).data)).toMatchObject([
    { subscription: 'all', eventId: 'a-1', attempts: 3, code: 'attempts-exhausted', reason: 'never' },
    { subscription: 'all', eventId: 'a-2', attempts: 1, code: 'refused' },
  ])
})

test('a subscriber that hangs, and one that always fails, delay nobody else', async () => {
  let fast = 0
  const deliver = ({ subscription }: Delivery): Promise<Outcome> => {
    if (subscription === 'stuck') return new Promise(() => {})
    if (subscription === 'failing') return Promise.reject(new Error('down'))
    fast += 1
    return Promise.resolve(DONE)
  }
  bed = await openBed({
    deliver,
    limits: { hubQueueEventsMax: 64, hubUnsettledMax: 64, hubParkedMax: 50, drainMs: 50, hubAbandonMs: 10 },
  })
  await bed.put('stuck', { policy: { timeoutMs: 600_000 } })
  await bed.put('failing', { policy: { attemptsMax: 100, backoffMinMs: 5_000, backoffMaxMs: 5_000 } })
  await bed.put('fast')
  await until('the bus runs', () => bed?.bus.places().size === 3)
  for (let round = 0; round < 20; round += 1)
    await bed.publish(Array.from({ length: 50 }, (_, n) => ({ key: `k${round}-${n}`, n })))
  await until('all at the fast one', () => fast === 1_000)
  await until(
    'parked as many as may be',
    () => (bed?.bus.places().get('failing')?.subscriber.parked().events ?? 0) >= 50,
  )
  expect(bed.bus.places().get('failing')?.subscriber.waitsFor()).toContain('are parked')
  expect((await parkedRows('failing')).length).toBeLessThanOrEqual(50 + 16)
})
