import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createTallies } from './tallies.ts'

test('any names: no more than allowed, and nothing is lost', () => {
  const trace = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'other'), fc.nat(9)), {
    maxLength: 200,
  })
  fc.assert(
    fc.property(trace, fc.integer({ min: 1, max: 5 }), (requests, namesMax) => {
      const tallies = createTallies({ namesMax })
      for (const [name, bytes] of requests) tallies.count(name, bytes, 'hits')
      const list = tallies.list()
      expect(list.filter(({ name }) => name !== 'other').length).toBeLessThanOrEqual(namesMax)
      expect(new Set(list.map(({ name }) => name)).size).toBe(list.length)
      expect(list.reduce((sum, { hits }) => sum + hits, 0)).toBe(requests.length)
      expect(list.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(requests.reduce((sum, [, bytes]) => sum + bytes, 0))
    }),
  )
})

test('what is asked for tonight is named, however many names there were before', () => {
  const tallies = createTallies({ namesMax: 10 })
  for (let at = 0; at < 1_000; at++) tallies.count(`old ${at}`, 0, null)
  for (let at = 0; at < 100; at++) {
    tallies.count('premiere', 1, 'hits')
    tallies.count(`scan ${at}`, 0, 'misses')
  }
  expect(tallies.list()[0]).toEqual({ name: 'premiere', requests: 100, hits: 100, stale: 0, misses: 0, bytes: 100 })
})
