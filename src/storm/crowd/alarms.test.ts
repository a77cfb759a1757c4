import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAlarms } from './alarms.ts'

test('what is due comes in the order it was due, equals in the order they were set, and nothing early', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 0, max: 60 }), (dues, nowMs) => {
      const alarms = createAlarms<number>()
      for (const [index, dueMs] of dues.entries()) alarms.set(dueMs, index)
      const came: [number, number][] = []
      alarms.runDue(nowMs, (item, dueMs) => came.push([dueMs, item]))
      const expected = dues
        .map((dueMs, index): [number, number] => [dueMs, index])
        .filter(([dueMs]) => dueMs <= nowMs)
        .sort(([left, a], [right, b]) => left - right || a - b)
      expect(came).toEqual(expected)
      expect(alarms.size()).toBe(dues.length - came.length)
    }),
  )
})

test('an alarm set while others are run waits for the next time, so that a turn always ends', () => {
  const alarms = createAlarms<string>()
  alarms.set(1, 'first')
  const came: string[] = []
  const onDue = (item: string): void => {
    came.push(item)
    alarms.set(0, 'again')
  }
  alarms.runDue(5, onDue)
  expect(came).toEqual(['first'])
  alarms.runDue(5, onDue)
  expect(came).toEqual(['first', 'again'])
})
