import { describe, expect, test } from 'bun:test'
import { createMemoryTier, type MemoryTier } from './tier.ts'

const none = { meta: null, metaBytes: 0, sizeBytes: 0 }

const tierWith = (keys: readonly string[], tagsOf: (key: string) => string[] = () => []): MemoryTier<null> => {
  const tier = createMemoryTier<null>({ bytesMax: 2 ** 30, purgesMax: 4 })
  for (const key of keys) tier.set(key, { ...none, tags: tagsOf(key) })
  return tier
}

const KEYS = ['h/a', 'h/a\nen', 'h/a\nde', 'h/a/b', 'h/ab', 'h/b\nen', 'i/a']

const PURGES: { name: string; purge: (tier: MemoryTier<null>) => number; gone: string[] }[] = [
  { name: 'a primary with its variants', purge: (tier) => tier.purge('h/a'), gone: ['h/a', 'h/a\nen', 'h/a\nde'] },
  { name: 'variants without a primary', purge: (tier) => tier.purge('h/b'), gone: ['h/b\nen'] },
  { name: 'one variant', purge: (tier) => tier.purge('h/a\nde'), gone: ['h/a\nde'] },
  { name: 'a key that is not there', purge: (tier) => tier.purge('h'), gone: [] },
  { name: 'a folder', purge: (tier) => tier.purgePrefix('h/a/'), gone: ['h/a/b'] },
  { name: 'a beginning', purge: (tier) => tier.purgePrefix('h/a'), gone: KEYS.slice(0, 5) },
  { name: 'a tag', purge: (tier) => tier.purgeTag('i'), gone: ['i/a'] },
  { name: 'an unknown tag', purge: (tier) => tier.purgeTag('toString'), gone: [] },
  { name: 'everything', purge: (tier) => tier.purgePrefix(''), gone: KEYS },
]

describe('a purge', () => {
  for (const { name, purge, gone } of PURGES) {
    test(`of ${name} drops it and nothing else, and voids tickets for it and no others`, () => {
      const tier = tierWith(KEYS, (key) => [key.slice(0, 1)])
      const tickets = KEYS.map((key) => tier.ticket(key))
      expect(purge(tier)).toBe(gone.length)
      expect(KEYS.filter((key) => tier.peek(key) === undefined)).toEqual(gone)
      const refused = tickets.filter(
        (ticket) => !tier.setIfValid(ticket, ticket.key, { ...none, tags: [ticket.key.slice(0, 1)] }),
      )
      expect(refused.map(({ key }) => key)).toEqual(gone)
    })
  }
})

describe('a ticket', () => {
  test('for a primary does not store a variant purged since', () => {
    const tier = tierWith([])
    const ticket = tier.ticket('p')
    tier.purge('p\nen')
    expect(tier.setIfValid(ticket, 'p\nen', { ...none, tags: [] })).toBeUndefined()
    expect(tier.setIfValid(ticket, 'p\nde', { ...none, tags: [] })).toBeDefined()
  })

  test('is void by a tag named before or with the answer', () => {
    const tier = tierWith([])
    const early = tier.ticket('a', ['t'])
    const later = tier.ticket('b')
    tier.purgeTag('t')
    expect([tier.isValid(early), tier.isValid(later), tier.isValid(later, ['t'])]).toEqual([false, true, false])
    expect(tier.setIfValid(later, 'b', { ...none, tags: ['t'] })).toBeUndefined()
    expect(tier.setIfValid(tier.ticket('b', ['t']), 'b', { ...none, tags: ['t'] })).toBeDefined()
  })

  test('older than what is remembered is void', () => {
    const tier = tierWith([])
    const old = tier.ticket('a')
    for (const key of ['1', '2', '3', '4']) tier.purge(key)
    expect(tier.isValid(old)).toBe(true)
    tier.purge('5')
    expect(tier.isValid(old)).toBe(false)
  })

  test('does not outlive a purge by the slices that follow the head', () => {
    const tier = createMemoryTier<null>({ bytesMax: 100_000, sliceBytes: 100 })
    const entry = tier.setIfValid(tier.ticket('film'), 'film', { ...none, sizeBytes: 300, tags: [] })
    if (entry === undefined) throw new Error('a fresh ticket was refused')
    expect(tier.setSlice(entry, 0, new Uint8Array(100))).toBe(true)
    tier.purge('film')
    expect(tier.setSlice(entry, 1, new Uint8Array(100))).toBe(false)
  })
})

test('among 100,000 keys a prefix, a tag and a key of 100 objects are purged in under 10 ms', () => {
  const keys = Array.from({ length: 100_000 }, (_, at) => {
    const shuffled = (at * 7_919) % 100_000
    return `edge.example/titles/${Math.floor(shuffled / 100)}/segment-${shuffled % 100}.m4s`
  })
  const tier = tierWith(keys, (key) => [key.split('/', 3).join('/')])
  const titles = Array.from({ length: 30 }, (_, at) => `edge.example/titles/${500 + at}`)
  // The median of ten each: a pause of the collector is not the purge's time.
  const medianMs = (purge: (title: string) => number, from: number, count: number): number => {
    const tookMs = titles.slice(from, from + 10).map((title) => {
      const start = performance.now()
      expect(purge(title)).toBe(count)
      return performance.now() - start
    })
    return tookMs.sort((left, right) => left - right)[5] ?? Number.NaN
  }
  const tookMs = [
    medianMs((title) => tier.purgePrefix(`${title}/`), 0, 100),
    medianMs((title) => tier.purgeTag(title), 10, 100),
    medianMs((title) => tier.purge(`${title}/segment-7.m4s`), 20, 1),
  ]
  console.log(`purges among 100,000 keys: ${tookMs.map((each) => `${each.toFixed(3)} ms`).join(', ')}`)
  for (const each of tookMs) expect(each).toBeLessThan(10)
  expect(tier.purgePrefix('edge.example/')).toBe(100_000 - 2_010)
  expect(tier.bytes()).toBe(0)
})
