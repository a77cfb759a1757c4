import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Entry } from './entry.ts'
import { createMemoryTier, type MemoryTier } from './tier.ts'

const BYTES_MAX = 4_000
const SLICE = 256
const KEYS = ['a', 'a\nen', 'a\nde', 'a/b', 'a/b/c', 'b', 'b\nen', 'c/d']
const TAGS = ['x', 'y', 'z']

/** A version is written into every byte, so that a slice of another version or place shows. */
type Meta = { readonly version: number }
type Model = { tier: MemoryTier<Meta>; version: number; handles: Entry<Meta>[] }
type Operation = (model: Model) => void

const byteAt = (version: number, index: number): number => (version * 31 + index) % 256

const key = fc.constantFrom(...KEYS)
const tags = fc.uniqueArray(fc.constantFrom(...TAGS))
const sizeBytes = fc.option(fc.oneof(fc.nat(2 * SLICE), fc.nat(2 * BYTES_MAX)), { nil: null })
const metaBytes = fc.oneof({ weight: 8, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(2 * BYTES_MAX) })
const handle = fc.nat(1_000)
const index = fc.nat(Math.ceil((2 * BYTES_MAX) / SLICE))

const handleOf = ({ handles }: Model, pick: number): Entry<Meta> | undefined => handles[pick % handles.length]

const lengthOf = (entry: Entry<Meta>, at: number): number =>
  Math.max(0, Math.min(SLICE, (entry.sizeBytes ?? Number.MAX_SAFE_INTEGER) - at * SLICE))

const sets = fc.record({ key, tags, sizeBytes, metaBytes }).map(
  (input): Operation =>
    (model) => {
      model.version += 1
      const entry = model.tier.set(input.key, { ...input, meta: { version: model.version } })
      if (entry !== undefined) model.handles.push(entry)
    },
)

const fills = fc.record({ handle, index, cut: fc.nat(3) }).map(
  ({ handle, index, cut }): Operation =>
    (model) => {
      const entry = handleOf(model, handle)
      if (entry === undefined) return
      const bytes = new Uint8Array(Math.max(0, lengthOf(entry, index) - (cut === 3 ? 1 : 0)))
      model.tier.setSlice(entry, index, bytes.fill(byteAt(entry.meta.version, index)))
    },
)

const reads = fc.record({ handle, index }).map(
  ({ handle, index }): Operation =>
    (model) => {
      const entry = handleOf(model, handle)
      if (entry === undefined) return
      model.tier.get(entry.key)
      const bytes = model.tier.slice(entry, index)
      const span = { start: index * SLICE, end: index * SLICE + lengthOf(entry, index) }
      if (model.tier.has(entry, span) && span.end > span.start) expect(bytes?.byteLength).toBeGreaterThan(0)
      if (bytes !== undefined && bytes.length > 0) {
        expect(new Set(bytes)).toEqual(new Set([byteAt(entry.meta.version, index)]))
      }
      expect(model.tier.missing(entry, span).length === 0).toBe(model.tier.has(entry, span))
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
  { weight: 6, arbitrary: sets },
  { weight: 12, arbitrary: fills },
  { weight: 6, arbitrary: reads },
  { weight: 2, arbitrary: refreshes },
  { weight: 1, arbitrary: sizes },
  { weight: 1, arbitrary: purges },
)

test('whatever happens, the bound holds at every moment, versions never mix, and purging all leaves nothing', () => {
  let operations = 0
  let evictions = 0
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400, size: 'max' }), (steps) => {
      const withinBound = (): void => expect(model.tier.bytes()).toBeLessThanOrEqual(BYTES_MAX)
      const model: Model = {
        tier: createMemoryTier<Meta>({
          bytesMax: BYTES_MAX,
          sliceBytes: SLICE,
          entryOverheadBytes: 20,
          tagOverheadBytes: 5,
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
      model.tier.purgePrefix('')
      expect(model.tier.statistics()).toMatchObject({ bytes: 0, entries: 0, slices: 0 })
    }),
    { numRuns: 150 },
  )
  expect(operations).toBeGreaterThan(5_000)
  expect(evictions).toBeGreaterThan(500)
})
