import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createTrace } from './testing/traces.ts'
import { createTopKeys } from './top-keys.ts'

/** The bounds of the paper, against exact counts. */
const check = (trace: readonly number[], keysMax: number): void => {
  const sketch = createTopKeys({ keysMax })
  const exact = new Map<string, number>()
  for (const object of trace) {
    const key = String(object)
    sketch.count(key, 10, null)
    exact.set(key, (exact.get(key) ?? 0) + 1)
  }
  const top = sketch.top(Infinity)
  const boundMax = trace.length / keysMax
  expect(top.length).toBe(Math.min(keysMax, exact.size))
  expect(top.reduce((sum, { requests }) => sum + requests, 0)).toBe(trace.length)
  expect(top).toEqual([...top].sort((left, right) => right.requests - left.requests))
  for (const { key, requests, errorMax, bytes } of top) {
    const count = exact.get(key) ?? 0
    expect(errorMax).toBeLessThanOrEqual(boundMax)
    expect(count).toBeLessThanOrEqual(requests)
    expect(count).toBeGreaterThanOrEqual(requests - errorMax)
    expect(bytes).toBe((requests - errorMax) * 10)
  }
  const named = new Set(top.map(({ key }) => key))
  for (const [key, count] of exact) if (count > boundMax) expect(named.has(key)).toBe(true)
}

test('any requests: no count too low, no error above N/m, no frequent key left out', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 500, size: 'max' }), fc.integer({ min: 1, max: 30 }), check),
    { numRuns: 200 },
  )
})

test('Zipf with scans: the bounds hold, and the first ten are the true ones in order', () => {
  const trace = createTrace({ seed: 7, requests: 50_000, objects: 5_000, exponent: 1, scanEvery: 500, scanLength: 100 })
  check(trace, 500)
  const sketch = createTopKeys({ keysMax: 500 })
  for (const object of trace) sketch.count(String(object), 1, null)
  const counts = new Map<number, number>()
  for (const object of trace) counts.set(object, (counts.get(object) ?? 0) + 1)
  const first = [...counts].sort(([, left], [, right]) => right - left).slice(0, 10)
  expect(sketch.top(10).map(({ key }) => Number(key))).toEqual(first.map(([object]) => object))
})

test('by bytes: the same bounds in bytes, and what came from where since a key entered', () => {
  const requests = fc.array(fc.tuple(fc.nat(20), fc.nat(1_000), fc.constantFrom('hits', 'stale', 'misses', null)), {
    maxLength: 300,
    size: 'max',
  })
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 15 }), (trace, keysMax) => {
      const sketch = createTopKeys({ keysMax, by: 'bytes' })
      const exact = new Map<string, number>()
      for (const [object, bytes, outcome] of trace) {
        sketch.count(String(object), bytes, outcome)
        exact.set(String(object), (exact.get(String(object)) ?? 0) + bytes)
      }
      const sum = [...exact.values()].reduce((all, bytes) => all + bytes, 0)
      const top = sketch.top(Infinity)
      expect(top.length).toBeLessThanOrEqual(keysMax)
      expect(top).toEqual([...top].sort((left, right) => right.bytes - left.bytes))
      for (const { key, bytes, errorMax, requests: count, hits, stale, misses } of top) {
        expect(errorMax).toBeLessThanOrEqual(sum / keysMax)
        expect(exact.get(key) ?? 0).toBeLessThanOrEqual(bytes)
        expect(exact.get(key) ?? 0).toBeGreaterThanOrEqual(bytes - errorMax)
        expect(hits + stale + misses).toBeLessThanOrEqual(count)
      }
      const named = new Set(top.map(({ key }) => key))
      for (const [key, bytes] of exact) if (bytes > sum / keysMax) expect(named.has(key)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test('a sketch of no keys is refused', () => {
  expect(() => createTopKeys({ keysMax: 0 })).toThrow(/keysMax/)
})
