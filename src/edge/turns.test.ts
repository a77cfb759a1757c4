import { expect, test } from 'bun:test'
import { createTurns } from './turns.ts'

test('no more at once than allowed, in order, failures and cancellations included', async () => {
  const turns = createTurns({ atOnceMax: 2 })
  let running = 0
  let peak = 0
  const order: number[] = []
  const task = (index: number) => async () => {
    peak = Math.max(peak, ++running)
    order.push(index)
    await Bun.sleep(0)
    running -= 1
    if (index % 3 === 0) throw new Error(`task ${index}`)
    return index
  }
  const signalOf = (index: number) => (index === 5 ? AbortSignal.abort() : new AbortController().signal)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) => turns.take(task(index), signalOf(index))),
  )
  expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8].map((index) => index % 3 !== 0 && index !== 5),
  )
  expect(order).toEqual([0, 1, 2, 3, 4, 6, 7, 8])
  expect(peak).toBe(2)
})
