import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Entry } from './entry.ts'
import { createMemoryTier, type MemoryTier } from './tier.ts'

const BYTES_MAX = 4_000
const SLICE = 128
const KEYS = ['a', 'a\nen', 'a\nde', 'a/b', 'a/b/c', 'b', 'b\nen', 'c/d', ...'efghijkl']
const TAGS = ['x', 'y', 'z']

/** A version is written into every byte, so that a slice of another version or place shows. */
type Meta = { readonly version: number }
type Model = { tier: MemoryTier<Meta>; version: number; handles: Entry<Meta>[] }
type Operation = (model: Model) => void

const byteAt = (version: number, index: number): number => (version * 31 + index) % 256

const key = fc.constantFrom(...KEYS)
const tags = fc.uniqueArray(fc.constantFrom(...TAGS))
const sizeBytes = fc.option(fc.oneof(fc.nat(2 * SLICE), fc.nat(2 * BYTES_MAX)), { nil: null })
const metaBytes = fc.oneof({ weight: 19, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(2 * BYTES_MAX) })
const handle = fc.nat(1_000)
const index = fc.nat(Math.ceil((2 * BYTES_MAX) / SLICE))

/** One of the last handles: of fewer keys, so some are stale. */
const handleOf = ({ handles }: Model, pick: number): Entry<Meta> | undefined =>
  handles[handles.length - 1 - (pick % Math.min(handles.length, 12))]

const lengthOf = (entry: Entry<Meta>, at: number): number =>
  Math.max(0, Math.min(SLICE, (entry.sizeBytes ?? Number.MAX_SAFE_INTEGER) - at * SLICE))

const slicesOf = (entry: Entry<Meta>): number => Math.max(1, Math.ceil((entry.sizeBytes ?? BYTES_MAX) / SLICE))

const fill = ({ tier }: Model, entry: Entry<Meta>, index: number, length: number): void => {
  const bytes = new Uint8Array(Math.max(0, length))
  tier.setSlice(entry, index, bytes.fill(byteAt(entry.meta.version, index)))
}

/** A head, and some of its slices at once. */
const sets = fc.record({ key, tags, sizeBytes, metaBytes, slices: fc.nat(4) }).map(
  (input): Operation =>
    (model) => {
      model.version += 1
      const entry = model.tier.set(input.key, { ...input, meta: { version: model.version } })
      if (entry === undefined) return
      model.handles.push(entry)
      const slices = Math.min(input.slices, slicesOf(entry))
      for (let index = 0; index < slices; index++) fill(model, entry, index, lengthOf(entry, index))
    },
)

/** Mostly a slice that the object has, of the right length. */
const fills = fc.record({ handle, pick: index, odd: fc.nat(9) }).map(
  ({ handle, pick, odd }): Operation =>
    (model) => {
      const entry = handleOf(model, handle)
      if (entry === undefined) return
      const index = odd === 0 ? pick : pick % slicesOf(entry)
      fill(model, entry, index, lengthOf(entry, index) - (odd === 1 ? 1 : 0))
    },
)

const checkSlice = ({ tier }: Model, entry: Entry<Meta>, index: number): void => {
  const span = { start: index * SLICE, end: index * SLICE + lengthOf(entry, index) }
  const has = tier.has(entry, span)
  const bytes = tier.slice(entry, index)
  if (has && span.end > span.start) expect(bytes?.byteLength).toBe(span.end - span.start)
  if (bytes !== undefined && bytes.length > 0) {
    expect(new Set(bytes)).toEqual(new Set([byteAt(entry.meta.version, index)]))
  }
}

const reads = handle.map(
  (pick): Operation =>
    (model) => {
      const entry = handleOf(model, pick)
      if (entry === undefined) return
      model.tier.get(entry.key)
      for (let index = 0; index < 6; index++) checkSlice(model, entry, index)
    },
)

const refreshes = fc.record({ handle, metaBytes, tags }).map(
  ({ handle, ...input }): Operation =>
    (model) => {
      const entry = handleOf(model, handle)
      if (entry !== undefined) model.tier.refresh(entry, { ...input, meta: entry.meta })
    },
)

const sizes = fc.record({ handle, size: fc.nat(3 * SLICE) }).map(
  ({ handle, size }): Operation =>
    (model) => {
      const entry = handleOf(model, handle)
      if (entry !== undefined) model.tier.setSize(entry, size)
    },
)

const purges = fc.oneof(
  key.map(
    (value): Operation =>
      ({ tier }) => {
        tier.purge(value)
        expect([tier.peek(value), tier.variantsOf(value).length]).toEqual([undefined, 0])
      },
  ),
  fc.constantFrom('a', 'a/', 'b', 'zz').map(
    (prefix): Operation =>
      ({ tier }) => {
        const there = KEYS.filter((each) => each.startsWith(prefix) && tier.peek(each) !== undefined)
        expect(tier.purgePrefix(prefix)).toBe(there.length)
        expect(there.filter((each) => tier.peek(each) !== undefined)).toEqual([])
      },
  ),
  fc.constantFrom(...TAGS).map(
    (tag): Operation =>
      ({ tier }) => {
        const there = KEYS.filter((each) => tier.peek(each)?.tags.includes(tag))
        expect(tier.purgeTag(tag)).toBe(there.length)
        expect(there.filter((each) => tier.peek(each) !== undefined)).toEqual([])
      },
  ),
)

const operation = fc.oneof(
  { weight: 18, arbitrary: sets },
  { weight: 48, arbitrary: fills },
  { weight: 18, arbitrary: reads },
  { weight: 4, arbitrary: refreshes },
  { weight: 1, arbitrary: sizes },
  { weight: 1, arbitrary: purges },
)

test('whatever happens, the bound holds at every moment, versions never mix, and purging all leaves nothing', () => {
  let operations = 0
  let evictions = 0
  let slicesRead = 0
  fc.assert(
    fc.property(fc.noBias(fc.array(operation, { maxLength: 400, size: 'max' })), (steps) => {
      const withinBound = (): void => expect(model.tier.bytes()).toBeLessThanOrEqual(BYTES_MAX)
      const model: Model = {
        tier: createMemoryTier<Meta>({
          bytesMax: BYTES_MAX,
          sliceBytes: SLICE,
          entryOverheadBytes: 20,
          tagOverheadBytes: 5,
          objectShareMax: 0.5,
          variantsMax: 1,
          onEvict: () => {
            evictions += 1
            withinBound()
          },
        }),
        version: 0,
        handles: [],
      }
      for (const step of steps) {
        step(model)
        operations += 1
        withinBound()
      }
      slicesRead += model.tier.statistics().sliceHits
      model.tier.purgePrefix('')
      expect(model.tier.statistics()).toMatchObject({ bytes: 0, entries: 0, slices: 0 })
    }),
    { numRuns: 150 },
  )
  // Far below what is usual: the operations must reach what they are to test.
  expect(operations).toBeGreaterThan(5_000)
  expect(evictions).toBeGreaterThan(1_000)
  expect(slicesRead).toBeGreaterThan(1_000)
})
