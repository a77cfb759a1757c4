import { expect, test } from 'bun:test'
import { createTopObjects, timesFor, toObjectName } from './top-objects.ts'

test.each([
  ['t/v360/1.m4s', 't/v360/1.m4s'],
  ['http://h/a?token=secret', 'http://h/a'],
  ['http://h/a\naccept-encoding: gzip', 'http://h/a'],
  ['http://h/a?b\nc', 'http://h/a'],
  ['x'.repeat(9_000), 'x'.repeat(256)],
])('an object is named by its address alone: %#', (key, expected) => {
  expect(toObjectName(key)).toBe(expected)
})

test.each([
  [1_024, 1_024, 2_000, 1],
  [1_024, 512, 2_000, 1],
  [1_024, 20, 2_000, 26],
  [1_024, 0, 2_000, 1_024],
])('%p requests in %p ms, at most %p a second counted: one in %p', (requests, tookMs, perSecondMax, expected) => {
  expect(timesFor(requests, tookMs, perSecondMax)).toBe(expected)
})

test('above the rate one in k is counted k times, and the sums come out near', () => {
  let elapsedMs = 0
  let state = 7
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const objects = createTopObjects({
    clock: { nowMs: () => 0, elapsedMs: () => elapsedMs },
    limits: { meterObjectsMax: 16, meterObjectsPerSecondMax: 1_000 },
    random,
  })
  const each = 50_000
  for (let at = 0; at < each * 2; at++) {
    // 60,000 a second.
    elapsedMs += 1 / 60
    if (at % 2 === 0) objects.count('often small', 1, 'hits')
    else objects.count(at % 20 === 1 ? 'rarely large' : 'x', at % 20 === 1 ? 1_000 : 1, 'misses')
  }
  const [often] = objects.byRequests(1)
  const [large] = objects.byBytes(1)
  expect(often?.key).toBe('often small')
  expect(large?.key).toBe('rarely large')
  expect(Math.abs((often?.requests ?? 0) / each - 1)).toBeLessThan(0.1)
  expect(Math.abs((large?.bytes ?? 0) / (each * 100) - 1)).toBeLessThan(0.25)
})
