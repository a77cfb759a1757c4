import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createWindow, type WindowEntry } from './window.ts'

const entry = (offset: number, partition = 0, loadedBytes = 0): WindowEntry => ({
  partition,
  offset,
  recordBytes: 10,
  loadedBytes,
})

test('the position is the first offset not settled, in whatever order they are', () => {
  const offsets = fc
    .uniqueArray(fc.nat({ max: 200 }), { minLength: 1, maxLength: 40 })
    .map((all) => all.toSorted((a, b) => a - b))
  const cases = offsets.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
  fc.assert(
    fc.property(cases, ([all, order]) => {
      const window = createWindow({ recordsMax: 1_000, bytesMax: 1_000_000 })
      const entries = new Map(all.map((offset) => [offset, entry(offset)]))
      for (const one of entries.values()) expect(window.take(one)).toBe(true)
      const open = new Set(all)
      for (const offset of order) {
        window.settle(entries.get(offset) as WindowEntry)
        open.delete(offset)
        const expected = open.size > 0 ? Math.min(...open) : (all.at(-1) ?? 0) + 1
        expect(window.positions().get(0)).toBe(expected)
      }
      expect(window.size()).toBe(0)
    }),
  )
})

test('what was taken once is not taken again, on the way or done', () => {
  const window = createWindow({ recordsMax: 10, bytesMax: 1_000 })
  expect(window.take(entry(3))).toBe(true)
  expect(window.take(entry(3))).toBe(false)
  window.settle(entry(3))
  expect(window.take(entry(2))).toBe(false)
  expect(window.take(entry(3, 1))).toBe(true)
})

test('it is full by records and by bytes, never for the first', () => {
  const byRecords = createWindow({ recordsMax: 2, bytesMax: 1_000 })
  byRecords.take(entry(0))
  expect(byRecords.hasRoom()).toBe(true)
  byRecords.take(entry(1))
  expect(byRecords.hasRoom()).toBe(false)
  byRecords.settle(entry(1))
  expect(byRecords.hasRoom()).toBe(false)
  byRecords.settle(entry(0))
  expect(byRecords.hasRoom()).toBe(true)

  const byBytes = createWindow({ recordsMax: 100, bytesMax: 50 })
  const large = entry(1, 0, 1_000)
  byBytes.take(entry(0))
  byBytes.take(large)
  expect(byBytes.hasRoom()).toBe(false)
  byBytes.settle(large)
  expect(byBytes.hasRoom()).toBe(true)
})
