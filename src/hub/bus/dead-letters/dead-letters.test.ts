import { afterEach, expect, test } from 'bun:test'
import { DEFAULT_LIMITS, faultCode } from '../../../kernel/index.ts'
import { until } from '../../testing.ts'
import type { NewDeadLetter } from '../dead-letter.ts'
import type { Delivery, Outcome } from '../target.ts'
import { type Bed, DONE, failed, openBed } from '../testing.ts'
import { createDeadLetters, type DeadLetters } from './index.ts'

let bed: Bed | null = null
afterEach(async () => {
  await bed?.close()
  bed = null
})

async function open(deliver: (delivery: Delivery) => Promise<Outcome>): Promise<{ bed: Bed; letters: DeadLetters }> {
  const opened = await openBed({ deliver })
  bed = opened
  return { bed: opened, letters: createDeadLetters({ tables: opened.tables, log: opened.log, limits: DEFAULT_LIMITS }) }
}
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: unknown) => faultCode(error),
  )
const record = (id: string): NewDeadLetter => ({
  id,
  kind: 'pipe',
  name: 'intake',
  eventId: null,
  type: null,
  key: 'k',
  position: { topic: 'raw', partition: 0, offset: 7 },
  code: 'schema-refused',
  reason: 'expected a number',
  path: '/price',
  attempts: 1,
  firstFailedAtMs: 5,
  headers: { trace: 't' },
  payload: Buffer.from([0, 255, 1]),
})

test('a dead delivery is redriven as if for the first time; should it die again, that is another letter', async () => {
  const seen: { id: string; attempt: number }[] = []
  let isCured = false
  const { bed, letters } = await open(async ({ id, attempt }) => {
    seen.push({ id, attempt })
    return isCured ? DONE : failed('down')
  })
  await bed.put('all', { policy: { attemptsMax: 2 } })
  await bed.publish([{ key: 'a', n: 1 }])
  const openLetters = async () => (await letters.list({ state: 'open', kind: 'delivery', name: 'all' })).letters
  await until('dead', async () => (await openLetters()).length === 1)
  const [first] = await openLetters()
  expect(first).toMatchObject({ eventId: 'a-1', code: 'attempts-exhausted', attempts: 2, position: 'accounts:0:0' })
  await letters.redrive(first?.id ?? '')
  await until('dead again', async () => (await openLetters()).some(({ id }) => id !== first?.id))
  isCured = true
  const [second] = await openLetters()
  await letters.redrive(second?.id ?? '')
  await until('delivered', () => seen.length === 5)
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2, 1])
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1)
  expect((await letters.list()).letters.map(({ state }) => state)).toEqual(['redriven', 'redriven'])
})

test('redriven while later events of its key wait or are under way: it comes among them, they stay in order', async () => {
  const got: string[] = []
  const gate = Promise.withResolvers<void>()
  let isCured = false
  const { bed, letters } = await open(async ({ event: { id } }) => {
    if (id === 'k-0' && !isCured) return { kind: 'refused', reason: 'no' }
    if (id === 'k-1') await gate.promise
    got.push(id)
    return DONE
  })
  const toEvents = (ns: readonly number[]) => ns.map((n) => ({ key: 'k', n }))
  await bed.put('all')
  await bed.publish(toEvents([0, 1, 2, 3]))
  await until('dead', async () => (await letters.list()).letters.length === 1)
  isCured = true
  await letters.redrive((await letters.list()).letters[0]?.id ?? '')
  const parked = () => bed.bus.places().get('all')?.subscriber.parked().events
  await until('heard of', () => parked() === 1)
  await bed.publish(toEvents([4, 5]))
  await until('read', () => bed.bus.places().get('all')?.subscriber.isBusy() === true)
  gate.resolve()
  await until('all', () => got.length === 6)
  expect(got.filter((id) => id !== 'k-0')).toEqual([1, 2, 3, 4, 5].map((n) => `k-${n}`))
  expect(got.filter((id) => id === 'k-0').length).toBe(1)
})

test('letters of a subscription that was removed are none of the next of its name', async () => {
  const { bed, letters } = await open(async () => ({ kind: 'refused', reason: 'no' }))
  await bed.put('all', { owner: 'one' })
  await bed.publish([{ key: 'k', n: 1 }])
  await until('dead', async () => (await letters.list()).letters.length === 1)
  const [first] = (await letters.list()).letters
  await bed.subscriptions.remove('all')
  await bed.put('all', { owner: 'other' })
  expect(await codeOf(letters.redrive(first?.id ?? ''))).toBe('subscription-unknown')
  const generation = (await bed.subscriptions.get('all'))?.generation ?? 0
  expect((await letters.get(first?.id ?? ''))?.generation).not.toBe(generation)
  const ofNew = (await letters.list({ name: 'all', generation })).letters
  expect(ofNew.map(({ id }) => id)).not.toContain(first?.id)
  // The same event died for the new one, too: a letter of its own, however the old one ended.
  await letters.discard(first?.id ?? '')
  await until('dead again', async () => (await letters.list({ state: 'open' })).letters.length === 1)
})

test('of two operators at once one wins, and states move one way', async () => {
  const { bed, letters } = await open(async () => ({ kind: 'refused', reason: 'no' }))
  await bed.put('all')
  await bed.publish([
    { key: 'a', n: 1 },
    { key: 'b', n: 1 },
  ])
  await until('both dead', async () => (await letters.list()).letters.length === 2)
  const [one, other] = (await letters.list()).letters
  const both = await Promise.all([codeOf(letters.discard(one?.id ?? '')), codeOf(letters.discard(one?.id ?? ''))])
  expect(both.sort()).toEqual(['dead-letter-closed', 'ok'])
  expect(await codeOf(letters.redrive(one?.id ?? ''))).toBe('dead-letter-closed')
  expect(await codeOf(letters.redrive('no-such'))).toBe('dead-letter-unknown')
  await bed.subscriptions.remove('all')
  expect(await codeOf(letters.redrive(other?.id ?? ''))).toBe('subscription-unknown')
  expect((await letters.get(other?.id ?? ''))?.state).toBe('open')
})

test('a record is added once, kept byte by byte, and comes again on its topic', async () => {
  const { bed, letters } = await open(async () => DONE)
  await letters.add([record('p1')])
  await letters.add([record('p1'), record('p2')])
  expect((await letters.list({ kind: 'pipe' })).letters.map(({ id }) => id).sort()).toEqual(['p1', 'p2'])
  const got = await letters.get('p1')
  expect(got).toMatchObject({ path: '/price', bytes: 3, headers: { trace: 't' }, eventId: null })
  expect([...((got?.payload as Uint8Array) ?? [])]).toEqual([0, 255, 1])
  await letters.redrive('p1')
  const [again] = await bed.log.read({ topic: 'raw', from: 0, max: 9 })
  expect([again?.key, again?.headers, [...(again?.value ?? [])]]).toEqual([
    'k',
    { trace: 't', 'tentpole-redrive': 'intake p1' },
    [0, 255, 1],
  ])
})

test('pages are bounded and leave nothing out; what was closed long ago is removed, what is open never', async () => {
  const { bed } = await open(async () => DONE)
  let nowMs = 1_000
  const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  const limits = { hubDeadLettersPageMax: 3, hubDeadLettersKeptMs: 50 }
  const letters = createDeadLetters({ tables: bed.tables, log: bed.log, limits, clock })
  const ids = Array.from({ length: 8 }, (_, n) => `p${n}`)
  await letters.add(ids.map(record))
  const found: string[] = []
  for (let before: string | null = ''; before !== null; ) {
    const page: Awaited<ReturnType<DeadLetters['list']>> = await letters.list(before === '' ? {} : { before })
    expect(page.letters.length).toBeLessThanOrEqual(3)
    found.push(...page.letters.map(({ id }) => id))
    before = page.cursor
  }
  expect(found.sort()).toEqual(ids)
  expect(await codeOf(letters.list({ before: 'x' }))).toBe('cursor-invalid')
  await letters.discard('p3')
  nowMs += 51
  expect(await letters.sweep()).toBe(1)
  expect((await letters.list({ max: 100 })).letters.length).toBe(3)
  expect(await letters.get('p3')).toBeNull()
})
