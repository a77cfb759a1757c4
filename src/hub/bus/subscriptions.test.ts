import { afterEach, expect, test } from 'bun:test'
import { faultCode } from '../../kernel/index.ts'
import { until } from '../testing.ts'
import type { NewSubscription } from './definition.ts'
import { findStops } from './journey.ts'
import { findStartOffsets } from './start-offsets.ts'
import type { Delivery, Outcome } from './target.ts'
import { type Bed, DONE, FAST, failed, openBed, TYPE } from './testing.ts'
import { viewSubscriptions } from './views.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})
const open = async (deliver: (delivery: Delivery) => Promise<Outcome>): Promise<Bed> => {
  const opened = await openBed({ deliver })
  bed = opened
  return opened
}
const wanted = (more: Partial<NewSubscription> = {}): NewSubscription => ({
  ...{ name: 'one', owner: null, pattern: { type: [TYPE] }, target: { kind: 'function' }, policy: FAST, start: 'now' },
  ...more,
})

test('everything that is wrong with a subscription is said at once', async () => {
  const { subscriptions } = await open(async () => DONE)
  const bad = wanted({ name: 'No', pattern: { type: 'text' }, transformer: { paths: {}, template: '<missing>' } })
  const error: unknown = await subscriptions.put(bad).catch((fault: unknown) => fault)
  expect(faultCode(error)).toBe('subscription-invalid')
  expect(error).toMatchObject({ detail: { errors: [{ path: 'name' }, { path: 'pattern' }, { path: 'transformer' }] } })
  expect(await subscriptions.list()).toEqual([])
})

test('a name belongs to one owner; a webhook without a secret is given one, told once', async () => {
  const { subscriptions } = await open(async () => DONE)
  const hook = { kind: 'webhook' as const, url: 'https://example.com/hook' }
  const first = await subscriptions.put(wanted({ owner: 'team', target: hook }))
  expect(first).toMatchObject({ created: true, secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) })
  const second = await subscriptions.put(wanted({ owner: 'team', target: hook }))
  expect([second.created, second.secret]).toEqual([false, null])
  expect(second.definition.target).toEqual(first.definition.target)
  const taken = await subscriptions.put(wanted({ owner: 'others' })).catch((fault: unknown) => fault)
  expect(faultCode(taken)).toBe('subscription-taken')
})

test('put by many at once, it is made once, and the secret is told to the one who made it', async () => {
  const { subscriptions } = await open(async () => DONE)
  const hook = { kind: 'webhook' as const, url: 'https://example.com/hook' }
  const putAll = (name: string) =>
    Promise.all(Array.from({ length: 20 }, () => subscriptions.put(wanted({ name, target: hook }))))
  const made = await putAll('two')
  expect(made.filter(({ created }) => created).length).toBe(1)
  await subscriptions.put(wanted({ name: 'three' }))
  for (const done of [made, await putAll('three')]) {
    const told = done.flatMap(({ secret }) => secret ?? [])
    expect(told.length).toBe(1)
    for (const { definition } of done) expect(definition.target).toEqual({ ...hook, secret: told[0] ?? '' })
  }
})

test('it begins now, at the beginning, or where a time was', async () => {
  const got = new Map<string, string[]>()
  const own = await open(async ({ subscription, event: { id } }) => {
    got.set(subscription, [...(got.get(subscription) ?? []), id])
    return DONE
  })
  for (let n = 0; n < 5; n += 1) await own.publish([{ key: 'a', n }])
  const records = await own.log.read({ topic: 'accounts', from: 0, max: 9 })
  const sinceMs = records[2]?.appendedAtMs ?? 0
  const first = records.findIndex(({ appendedAtMs }) => appendedAtMs >= sinceMs)
  const starts = await findStartOffsets({ log: own.log, past: null }, ['accounts'], { sinceMs })
  expect(starts).toEqual([{ topic: 'accounts', partition: 0, offset: first }])
  await own.put('now', { start: 'now' })
  await own.put('all', { start: 'beginning' })
  await own.put('since', { start: { sinceMs } })
  await until('the bus runs', () => own.bus.places().size === 3)
  await own.publish([{ key: 'a', n: 5 }])
  await until('all there', () => ['now', 'all', 'since'].every((name) => got.get(name)?.at(-1) === 'a-5'))
  expect(got.get('now')).toEqual(['a-5'])
  expect(got.get('all')?.length).toBe(6)
  expect(got.get('since')?.length).toBe(6 - first)
})

test('a pattern that changes holds from where the subscription is; removed and made again, it is another one', async () => {
  const got: string[] = []
  const own = await open(async ({ event: { id } }) => {
    got.push(id)
    return DONE
  })
  await own.put('one', { pattern: { data: { n: [1] } } })
  await own.publish([1, 2].map((n) => ({ key: 'a', n })))
  await until('the first', () => got.length === 1)
  await own.put('one', { pattern: { data: { n: [3, 4] } } })
  await until('changed', () => own.bus.places().get('one')?.subscriber.definition.revision === 2)
  await own.publish([1, 2, 3].map((n) => ({ key: 'b', n })))
  await until('by the new pattern', () => got.length === 2)
  await own.subscriptions.remove('one')
  await own.put('one', { start: 'now' })
  await until('made again', () => own.bus.places().get('one')?.subscriber.definition.revision === 1)
  await own.publish([{ key: 'c', n: 9 }])
  await until('the new one', () => got.includes('c-9'))
  expect(got).toEqual(['a-1', 'b-3', 'c-9'])
})

test('operators see state, lag, figures and what became of one event at each subscription', async () => {
  const own = await open(async ({ subscription, key }) => {
    if (subscription === 'refusing') return { kind: 'refused', reason: 'not mine' }
    return subscription === 'failing' && key === 'a' ? failed('down') : DONE
  })
  await own.put('late', { start: 'now' })
  await own.put('branches', { pattern: { type: ['com.example.branch.opened.v1'] } })
  await own.put('refusing')
  await own.put('failing', { policy: { backoffMinMs: 60_000, backoffMaxMs: 60_000, attemptsMax: 9 } })
  await own.put('fine')
  await own.subscriptions.disable('late', 'by hand')
  await own.publish([1, 2].map((n) => ({ key: 'a', n })))
  const views = () => viewSubscriptions({ ...own, log: own.log })
  const viewOf = async (name: string) => (await views()).find((view) => view.name === name)
  await until('all is told', async () => {
    const [failing, refusing, fine] = [await viewOf('failing'), await viewOf('refusing'), await viewOf('fine')]
    return failing?.parked === 2 && refusing?.deadLetters === 2 && fine?.delivered === 2
  })
  expect(await viewOf('failing')).toMatchObject({
    state: 'active',
    parkedKeys: 1,
    failed: 1,
    lastError: 'down',
    lagRecords: 0,
  })
  expect(await viewOf('late')).toMatchObject({ state: 'disabled', detail: 'by hand', lagRecords: 2 })
  const [record] = await own.log.read({ topic: 'accounts', from: 1, max: 1 })
  const event = JSON.parse(Buffer.from(record?.value ?? []).toString())
  const position = { topic: 'accounts', partition: 0, offset: 1 }
  const stops = await findStops({ ...own, event, position })
  expect(stops.map(({ subscription, state }) => `${subscription} ${state}`)).toEqual([
    'branches not-matched',
    'failing waiting',
    'fine delivered',
    'late pending',
    'refusing dead',
  ])
})
