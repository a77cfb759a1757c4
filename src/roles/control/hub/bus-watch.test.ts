import { expect, test } from 'bun:test'
import { until } from '../testing.ts'
import { watchBus } from './bus-watch.ts'

test('for a lease after it held, or began, the bus is here; then readers are told to go', async () => {
  let nowMs = 0
  let isHeld = false
  let told = 0
  const watch = watchBus({
    holds: () => isHeld,
    limits: { hubBusLeaseMs: 20 },
    clock: { elapsedMs: () => nowMs },
    onGone: () => {
      told += 1
    },
  })
  const at = (ms: number): boolean => {
    nowMs = ms
    return watch.isHere()
  }
  expect([at(20), at(21)]).toEqual([true, false])
  await until('readers are told', () => told > 0)
  isHeld = true
  expect(at(30)).toBe(true)
  isHeld = false
  expect([at(50), at(51)]).toEqual([true, false])
  watch.close()
})
