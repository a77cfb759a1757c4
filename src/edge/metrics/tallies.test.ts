import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createTallies } from './tallies.ts'

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'other')

test('any names: no more than allowed', () => {
  fc.assert(
    fc.property(fc.array(names, { maxLength: 200 }), fc.integer({ min: 1, max: 5 }), (requests, namesMax) => {
      const tallies = createTallies({ namesMax })
      for (const name of requests) tallies.count(name, 1, 'hits')
      const list = tallies.list()
      expect(list.filter(({ name }) => name !== 'other').length).toBeLessThanOrEqual(namesMax)
      expect(new Set(list.map(({ name }) => name)).size).toBe(list.length)
      for (const { requests: counted, hits, bytes } of list) expect([hits, bytes]).toEqual([counted, counted])
    }),
  )
})

/** What `sum(increase(…))` makes of scrapes: a series that fell began anew, and one that went is not spoken of. */
function createScraper(list: () => readonly { name: string; requests: number }[]) {
  const seen = new Map<string, number>()
  let sum = 0
  return {
    scrape(): void {
      for (const { name, requests } of list()) {
        const before = seen.get(name) ?? 0
        sum += requests >= before ? requests - before : requests
        seen.set(name, requests)
      }
    },
    sum: () => sum,
  }
}

test('a sum of rates counts nothing twice, and everything once while there is room', () => {
  const trace = fc.array(fc.tuple(names, fc.boolean()), { maxLength: 300 })
  fc.assert(
    fc.property(trace, fc.integer({ min: 1, max: 5 }), (requests, namesMax) => {
      const tallies = createTallies({ namesMax })
      const always = createScraper(tallies.list)
      const sometimes = createScraper(tallies.list)
      for (const [name, isScraped] of requests) {
        tallies.count(name, 1, null)
        always.scrape()
        if (isScraped) sometimes.scrape()
      }
      sometimes.scrape()
      const named = new Set(requests.map(([name]) => name).filter((name) => name !== 'other'))
      if (named.size <= namesMax) expect(sometimes.sum()).toBe(requests.length)
      expect(always.sum()).toBeLessThanOrEqual(requests.length)
      expect(sometimes.sum()).toBeLessThanOrEqual(requests.length)
    }),
  )
})

test('who leaves takes nothing along to `other`, and comes back at nought', () => {
  const tallies = createTallies({ namesMax: 2 })
  for (let at = 0; at < 1_000; at++) tallies.count('film', 1, 'hits')
  for (const name of ['b', 'c', 'd', 'e']) tallies.count(name, 1, 'hits')
  tallies.count('film', 1, 'hits')
  expect(tallies.list().map(({ name, requests }) => [name, requests])).toEqual([
    ['e', 1],
    ['film', 1],
  ])
})

test('what comes while all places are in use is `other`', () => {
  const tallies = createTallies({ namesMax: 3 })
  for (let round = 0; round < 10; round++) for (const name of ['a', 'b', 'c']) tallies.count(name, 0, null)
  tallies.count('d', 7, 'misses')
  expect(tallies.list().at(-1)).toEqual({ name: 'other', requests: 1, hits: 0, stale: 0, misses: 1, bytes: 7 })
  tallies.count('d', 7, 'misses')
  expect(tallies.list().map(({ name }) => name)).toContain('d')
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
