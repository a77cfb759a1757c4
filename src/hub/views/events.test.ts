import { expect, test } from 'bun:test'
import type { AnyEvent } from '../../contracts/index.ts'
import { faultCode, silentLogger } from '../../kernel/index.ts'
import { claimOf } from '../claims/index.ts'
import { openProducerBed } from '../producer/testing.ts'
import { until } from '../testing.ts'
import { createView, defineView } from './index.ts'

/** How many lines each order has; orders of one line do not count. */
const orders = defineView<Map<string, number>, AnyEvent>({
  name: 'orders',
  version: 1,
  topics: ['orders'],
  on: { type: [{ prefix: 'com.example.order.' }], data: { lines: { price: [{ numeric: ['>', 1] }] } } },
  create: () => new Map(),
  apply(state, event) {
    const { orderId, lines } = event.data as { orderId: string; lines: unknown[] }
    state.set(orderId, lines.length)
  },
})
const order = (orderId: string, price: number, lines: number) => ({
  type: 'com.example.order.placed.v1',
  subject: orderId,
  data: { orderId, lines: Array.from({ length: lines }, () => ({ sku: 'a', price })) },
})

test("a view of a user's events sees their data, behind a claim as well, and only what its pattern takes", async () => {
  const bed = await openProducerBed({ limits: { hubClaimBytesMin: 500 } })
  let isAway = true
  const loadClaim = (event: AnyEvent): Promise<Uint8Array> => {
    const claim = claimOf(event)
    if (isAway || !claim) return Promise.reject(new Error('objects are away'))
    return bed.claims.bytes(claim, 1_000_000)
  }
  const events = { registry: bed.registry, loadClaim }
  const view = createView({ log: bed.log, logger: silentLogger, events, definition: orders })
  try {
    await bed.producer.publish([order('small', 2, 2), order('cheap', 1, 2), order('large', 2, 100)])
    await until('the small one is there', () => view.version === 1)
    expect([...view.state]).toEqual([['small', 2]])
    isAway = false
    await view.caughtUp()
    expect([...view.state]).toEqual([
      ['small', 2],
      ['large', 100],
    ])
  } finally {
    await view.close()
    await bed.close()
    await bed.remove()
  }
})

test('closed while it loads data, it has not applied that event', async () => {
  const bed = await openProducerBed({ limits: { hubClaimBytesMin: 500 } })
  const loading = Promise.withResolvers<void>()
  const loadClaim = (): Promise<Uint8Array> => {
    loading.resolve()
    return Promise.reject(new Error('objects are away'))
  }
  const events = { registry: bed.registry, loadClaim }
  const view = createView({ log: bed.log, logger: silentLogger, events, definition: orders })
  await bed.producer.publish([order('small', 2, 2), order('large', 2, 100)])
  await loading.promise
  await view.close()
  expect([view.version, view.positions()]).toEqual([1, { orders: { 0: 1 } }])
  await bed.close()
  await bed.remove()
})

test.each([
  ['a name that is no part of a key', { name: 'A/b' }, 'name: expected'],
  ['a version that is none', { version: 0 }, 'version: expected'],
  ['no topic', { topics: [] }, 'topics: expected'],
  ['a topic twice', { topics: ['a', 'a'] }, 'topics: expected'],
  ['a pattern that is none', { on: { type: 'a' } }, 'on: '],
] as const)('%s is refused when the view is defined', (_, wrong, detail) => {
  const define = () => defineView({ ...orders, ...wrong })
  expect(define).toThrow(detail)
  try {
    define()
  } catch (error) {
    expect(faultCode(error)).toBe('view-invalid')
  }
})
