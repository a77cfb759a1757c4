import { expect, test } from 'bun:test'
import type { Verdict } from './acknowledger.ts'
import { type Delivery, DeliveryRefused } from './types.ts'
import { createWorkers } from './workers.ts'

function deliveryOf(id: string, subject: string): Delivery {
  const event = { specversion: '1.0', id, source: 't', type: 'x.v1', subject, time: '' } as const
  const payload = () => Promise.reject(new Error('none'))
  const { signal } = new AbortController()
  return { id, event, input: event, position: '', attempt: 1, replay: null, appendedAtMs: 0, payload, signal }
}

function setUp(concurrency: number) {
  const told = new Map<string, Verdict>()
  const open = new Map<string, PromiseWithResolvers<void>>()
  const began: string[] = []
  const workers = createWorkers({
    concurrency,
    acknowledger: { add: (id, verdict) => void told.set(id, verdict), repeat: () => false },
    handler({ id }) {
      began.push(id)
      const done = Promise.withResolvers<void>()
      open.set(id, done)
      return done.promise
    },
  })
  const settle = async (id: string, error?: Error): Promise<void> => {
    if (error) open.get(id)?.reject(error)
    else open.get(id)?.resolve()
    while (!told.has(id)) await Promise.resolve()
  }
  return { workers, told, began, settle }
}

test('so many at once, one of a subject at a time, in order', async () => {
  const { workers, began, settle } = setUp(2)
  for (const id of ['a1', 'a2', 'b1', 'c1', 'a3']) workers.take(deliveryOf(id, id.charAt(0)))
  expect(began).toEqual(['a1', 'b1'])
  await settle('b1')
  expect(began).toEqual(['a1', 'b1', 'c1'])
  await settle('a1')
  expect(began).toEqual(['a1', 'b1', 'c1', 'a2'])
})

test('what comes again while it is at work is not handled twice', async () => {
  const { workers, began, told, settle } = setUp(2)
  workers.take(deliveryOf('a1', 'a'))
  workers.forgetWaiting()
  workers.take(deliveryOf('a1', 'a'))
  expect(began).toEqual(['a1'])
  await settle('a1')
  expect(told.get('a1')).toEqual({ kind: 'ack' })
  workers.take(deliveryOf('a1', 'a'))
  expect(began).toEqual(['a1', 'a1'])
})

test('a handler that throws refuses it, for now or for good', async () => {
  const { workers, told, settle } = setUp(2)
  workers.take(deliveryOf('a', 'a'))
  workers.take(deliveryOf('b', 'b'))
  await settle('a', new Error('database away'))
  await settle('b', new DeliveryRefused('no such title'))
  expect(told.get('a')).toEqual({ kind: 'nack', reason: 'database away', final: false })
  expect(told.get('b')).toEqual({ kind: 'nack', reason: 'no such title', final: true })
})

test('after stop nothing begins, and what began is awaited', async () => {
  const { workers, began, settle } = setUp(1)
  workers.take(deliveryOf('a', 'a'))
  workers.take(deliveryOf('b', 'b'))
  const stopped = workers.stop()
  await settle('a')
  await stopped
  expect(began).toEqual(['a'])
})

test('there is room until too many wait', async () => {
  const { workers, settle } = setUp(1)
  for (let at = 0; at < 5; at += 1) workers.take(deliveryOf(`a${at}`, 'a'))
  let room = false
  const waited = workers.room().then(() => {
    room = true
  })
  await Promise.resolve()
  expect(room).toBe(false)
  await settle('a0')
  await waited
  expect(room).toBe(true)
})
