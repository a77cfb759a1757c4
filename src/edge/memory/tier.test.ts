import { describe, expect, test } from 'bun:test'
import type { EntryInput } from './entry.ts'
import type { Evicted, MemoryTierOptions } from './options.ts'
import { createMemoryTier, type MemoryTier } from './tier.ts'

const SLICE = 1_000
const FILM_BYTES = 10 * SLICE + 1

const tierOf = (options: Partial<MemoryTierOptions> = {}): MemoryTier<string> =>
  createMemoryTier<string>({
    bytesMax: 100_000,
    sliceBytes: SLICE,
    entryOverheadBytes: 10,
    tagOverheadBytes: 0,
    ...options,
  })

const input = (sizeBytes: number | null, tags: readonly string[] = []): EntryInput<string> => ({
  meta: 'meta',
  metaBytes: 4,
  tags,
  sizeBytes,
})

const filled = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value)

const mustSet = (tier: MemoryTier<string>, key: string, sizeBytes: number | null) => {
  const entry = tier.set(key, input(sizeBytes))
  if (entry === undefined) throw new Error(`${key} was not admitted`)
  return entry
}

describe('small objects', () => {
  test('a body of one slice lies in the entry and is read either way', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', 300)
    expect(entry.body).toBeNull()
    expect(tier.setSlice(entry, 0, filled(300))).toBe(true)
    expect(tier.get('a')?.body).toEqual(filled(300))
    expect(tier.slice(entry, 0)).toEqual(filled(300))
    expect(tier.bytes()).toBe(1 + 4 + 10 + 300)
  })

  test('an empty body is whole at once', () => {
    expect(mustSet(tierOf(), 'a', 0).body).toEqual(filled(0))
  })

  test('bytes of the wrong length are not kept', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', 300)
    for (const [index, length] of [
      [0, 299],
      [0, 301],
      [1, 300],
      [-1, 300],
      [0.5, 300],
      [0, 0],
    ] as const) {
      expect(tier.setSlice(entry, index, filled(length))).toBe(false)
    }
    expect(entry.body).toBeNull()
  })
})

describe('slices', () => {
  const CASES: { held: number[]; span: [number, number]; has: boolean }[] = [
    { held: [], span: [0, 1], has: false },
    { held: [], span: [5, 5], has: true },
    { held: [0, 1, 2], span: [0, 3_000], has: true },
    { held: [1], span: [1_500, 1_501], has: true },
    { held: [1], span: [500, 2_500], has: false },
    { held: [0, 5], span: [0, FILM_BYTES], has: false },
    { held: [10], span: [10_000, FILM_BYTES], has: true },
    { held: [10], span: [9_999, FILM_BYTES], has: false },
    { held: [10], span: [10_000, FILM_BYTES + 5], has: false },
    { held: [9], span: [9_500, 10_001], has: false },
  ]
  for (const {
    held,
    span: [start, end],
    has,
  } of CASES) {
    test(`with ${held} here, all of ${start} to ${end} is: ${has}`, () => {
      const tier = tierOf()
      const film = mustSet(tier, 'film', FILM_BYTES)
      for (const index of held) expect(tier.setSlice(film, index, filled(index === 10 ? 1 : SLICE))).toBe(true)
      expect(tier.has(film, { start, end })).toBe(has)
    })
  }

  test('a span of billions of slices costs what is here', () => {
    const tier = tierOf()
    const image = mustSet(tier, 'image', Number.MAX_SAFE_INTEGER)
    for (const index of [0, 3]) tier.setSlice(image, index, filled(SLICE))
    const begun = performance.now()
    expect(tier.has(image, { start: 0, end: Number.MAX_SAFE_INTEGER })).toBe(false)
    expect(performance.now() - begun).toBeLessThan(500)
  })

  test('one object never holds more than its share', () => {
    const tier = tierOf({ bytesMax: 20_000 })
    const film = mustSet(tier, 'film', FILM_BYTES)
    const kept = [0, 1, 2, 3, 4, 5].filter((index) => tier.setSlice(film, index, filled(SLICE)))
    expect(kept).toEqual([0, 1, 2, 3])
    expect(tier.bytes()).toBeLessThanOrEqual(5_000)
    expect(tier.statistics()).toMatchObject({ slices: 4, refused: 2 })
  })

  test('slices leave one by one while the head is used, and all with the head', () => {
    const evicted: Evicted[] = []
    const tier = tierOf({ bytesMax: 10_000, objectShareMax: 0.5, onEvict: (gone) => evicted.push(gone) })
    const film = mustSet(tier, 'film', FILM_BYTES)
    for (const index of [0, 1, 2]) tier.setSlice(film, index, filled(SLICE))
    for (let at = 0; at < 8; at++) tier.setSlice(mustSet(tier, `other-${at}`, SLICE), 0, filled(SLICE))
    expect(evicted.slice(0, 2)).toEqual([
      { key: 'film', sliceIndex: 0, bytes: 1_010 },
      { key: 'film', sliceIndex: 1, bytes: 1_010 },
    ])
    expect(tier.peek('film')).toBe(film)
    tier.purge('film')
    expect(tier.slice(film, 2)).toBeUndefined()
    expect(tier.statistics().slices).toBe(0)
  })

  test('a film read once passes through a part of the cache', () => {
    const tier = tierOf({ bytesMax: 200_000 })
    const popular = Array.from({ length: 100 }, (_, at) => mustSet(tier, `popular-${at}`, SLICE))
    for (const entry of popular) tier.setSlice(entry, 0, filled(SLICE))
    for (const entry of [...popular, ...popular]) tier.get(entry.key)
    for (let at = 0; at < 2_000; at++) tier.setSlice(mustSet(tier, `scan-${at}`, SLICE), 0, filled(SLICE))
    expect(popular.filter(({ key }) => tier.peek(key) !== undefined)).toHaveLength(100)
  })
})

describe('while the size is unknown', () => {
  test('slices are kept as they come, and become the body when one was all', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', null)
    expect(tier.setSlice(entry, 0, filled(400))).toBe(true)
    expect([tier.has(entry, { start: 0, end: 400 }), tier.has(entry, { start: 0, end: 401 })]).toEqual([true, false])
    expect(tier.setSize(entry, 400)).toBe(true)
    expect(entry).toMatchObject({ sizeBytes: 400, body: filled(400) })
    expect([tier.bytes(), tier.statistics().slices]).toEqual([1 + 4 + 10 + 400, 0])
  })

  test('slices that contradict the size are dropped', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', null)
    for (const [index, length] of [
      [0, SLICE],
      [1, 400],
      [2, SLICE],
    ] as const)
      tier.setSlice(entry, index, filled(length))
    tier.setSize(entry, 1_500)
    expect([tier.has(entry, { start: 0, end: 1_000 }), tier.has(entry, { start: 1_000, end: 1_500 })]).toEqual([
      true,
      false,
    ])
    expect(tier.setSize(entry, 1_400)).toBe(false)
  })
})

describe('versions', () => {
  test('a replaced object gives and takes nothing through its old entry', () => {
    const tier = tierOf()
    const old = mustSet(tier, 'film', FILM_BYTES)
    tier.setSlice(old, 0, filled(SLICE, 1))
    const next = mustSet(tier, 'film', FILM_BYTES)
    expect(tier.setSlice(old, 1, filled(SLICE, 1))).toBe(false)
    expect([tier.slice(old, 0), tier.slice(next, 0), tier.slice(next, 1)]).toEqual([undefined, undefined, undefined])
    expect(tier.refresh(old, input(null))).toBe(false)
    expect(tier.has(old, { start: 0, end: 1 })).toBe(false)
  })

  test('a refresh keeps the bytes, changes tags and charge', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', 300)
    tier.setSlice(entry, 0, filled(300))
    expect(tier.refresh(entry, { meta: 'newer', metaBytes: 50, tags: ['t', 't'] })).toBe(true)
    expect(tier.get('a')).toMatchObject({ meta: 'newer', body: filled(300), tags: ['t'] })
    expect(tier.bytes()).toBe(1 + 50 + 1 + 10 + 300)
    expect(tier.purgeTag('t')).toBe(1)
    expect(tier.bytes()).toBe(0)
  })

  test('a refresh too large for its share drops the object', () => {
    const tier = tierOf()
    const entry = mustSet(tier, 'a', 300)
    expect(tier.refresh(entry, { meta: 'newer', metaBytes: 25_000, tags: [] })).toBe(false)
    expect([tier.peek('a'), tier.bytes()]).toEqual([undefined, 0])
  })
})

test('a kilobyte does not keep a megabyte alive; a buffer of its own is taken over', () => {
  const tier = tierOf({ bytesMax: 1_000_000, sliceBytes: 8_192 })
  const view = new Uint8Array(2 ** 20).subarray(100, 100 + 8_192)
  const whole = filled(8_192)
  const entry = mustSet(tier, 'film', 3 * 8_192)
  tier.setSlice(entry, 0, view)
  tier.setSlice(entry, 1, whole)
  expect(tier.slice(entry, 0)?.buffer.byteLength).toBe(8_192)
  expect(tier.slice(entry, 1)).toBe(whole)
  const small = mustSet(tier, 'small', 100)
  tier.setSlice(small, 0, Buffer.alloc(2 ** 20).subarray(0, 100))
  expect(small.body?.buffer.byteLength).toBe(100)
})

test('a view that is nearly all of its buffer is kept as it came, and charged for all that it keeps alive', () => {
  const tier = tierOf({ bytesMax: 1_000_000, sliceBytes: 8_192 })
  const read = new Uint8Array(4_096 + 300)
  const entry = mustSet(tier, 'small', 4_096)
  const headBytes = tier.bytes()
  expect(tier.setSlice(entry, 0, read.subarray(300))).toBe(true)
  expect(entry.body?.buffer).toBe(read.buffer)
  expect(tier.bytes() - headBytes).toBe(4_396)
  expect(tier.refresh(entry, { meta: 'meta', metaBytes: 4, tags: [] })).toBe(true)
  expect(tier.bytes() - headBytes).toBe(4_396)
  tier.purge('small')
  expect(tier.bytes()).toBe(0)
})

test('variants are listed, bounded, and told from their neighbours', () => {
  const evicted: string[] = []
  const tier = tierOf({ variantsMax: 3, onEvict: ({ key }) => evicted.push(key) })
  for (const key of ['p', 'p/q', 'p\nen', 'p\nde', 'p2\nen', 'p\nfr']) mustSet(tier, key, 0)
  for (const key of ['p\nde', 'p\nen']) tier.get(key)
  mustSet(tier, 'p\nit', 0)
  expect(tier.variantsOf('p').map(({ key }) => key)).toEqual(['p\nde', 'p\nen', 'p\nit'])
  expect(evicted).toEqual(['p\nfr'])
})

test('statistics count what happened', () => {
  const tier = tierOf({ bytesMax: 10_000 })
  const entry = mustSet(tier, 'a', FILM_BYTES)
  for (const key of ['a', 'a', 'b']) tier.get(key)
  tier.setSlice(entry, 0, filled(SLICE))
  for (const index of [0, 1]) tier.slice(entry, index)
  expect(tier.set('huge', { ...input(null), metaBytes: 2_501 })).toBeUndefined()
  tier.purge('a')
  expect(tier.statistics()).toEqual({
    hits: 2,
    misses: 1,
    sliceHits: 1,
    sliceMisses: 1,
    admitted: 2,
    refused: 1,
    evicted: 0,
    purged: 1,
    entries: 0,
    slices: 0,
    bytes: 0,
  })
})

test('options and sizes that make no sense are named, all at once', () => {
  expect(() => tierOf({ bytesMax: 0, sliceBytes: 1.5, entryOverheadBytes: -1, objectShareMax: 2 })).toThrow(
    /bytesMax.*sliceBytes.*entryOverheadBytes.*objectShareMax/,
  )
  expect(() => tierOf().set('a', { ...input(null), metaBytes: Number.NaN })).toThrow(/metaBytes/)
})
