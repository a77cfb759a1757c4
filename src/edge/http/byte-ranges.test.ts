import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type ByteRange, parseRanges } from './byte-ranges.ts'

const RANGES_MAX = 8
const SIZE = 100
const IGNORE = { kind: 'ignore' }
const UNSATISFIABLE = { kind: 'unsatisfiable' }
const parts = (...pairs: [number, number][]) => ({
  kind: 'ranges',
  ranges: pairs.map(([start, end]) => ({ start, end })),
})

test.each<[string | null, unknown, number?]>([
  [null, IGNORE],
  ['bytes=0-0', parts([0, 1])],
  ['bytes=0-', parts([0, 100])],
  ['bytes=10-19', parts([10, 20])],
  ['bytes=90-500', parts([90, 100])],
  ['bytes=0-99999999999999999999999', parts([0, 100])],
  ['bytes=-1', parts([99, 100])],
  ['bytes=-500', parts([0, 100])],
  ['BYTES=1-2', parts([1, 3])],
  ['bytes= 1-2 ', parts([1, 3])],
  ['bytes=,1-2,,', parts([1, 3])],
  // Unsatisfiable: nothing of it is there.
  ['bytes=100-', UNSATISFIABLE],
  ['bytes=99999999999999999999999-', UNSATISFIABLE],
  ['bytes=-0', UNSATISFIABLE],
  ['bytes=100-, -0', UNSATISFIABLE],
  ['bytes=0-', UNSATISFIABLE, 0],
  ['bytes=-0', UNSATISFIABLE, 0],
  // The last bytes of nothing are the whole of it.
  ['bytes=-5', IGNORE, 0],
  // Invalid, or no bytes.
  ['bytes=20-10', IGNORE],
  ['bytes=0-1, 20-10', IGNORE],
  ['bytes=0-1, x', IGNORE],
  ['bytes=', IGNORE],
  ['bytes=,', IGNORE],
  ['bytes=-', IGNORE],
  ['bytes=a-b', IGNORE],
  ['bytes=--1', IGNORE],
  ['bytes=0 - 1', IGNORE],
  ['bytes=+0-1', IGNORE],
  ['bytes=1.5-2', IGNORE],
  ['bytes=0x1-2', IGNORE],
  ['bytes =0-1', IGNORE],
  ['bytes:0-1', IGNORE],
  ['items=0-1', IGNORE],
  ['0-1', IGNORE],
  ['', IGNORE],
  // Several.
  ['bytes=0-1, 5-6', parts([0, 2], [5, 7])],
  ['bytes=5-6, 0-1', parts([5, 7], [0, 2])],
  ['bytes=0-1, 200-300, 5-6', parts([0, 2], [5, 7])],
  ['bytes=0-4, 5-9', parts([0, 10])],
  ['bytes=0-9, 50-59, 5-14', parts([0, 15], [50, 60])],
  ['bytes=50-59, 0-9, 20-29, 9-55', parts([0, 60])],
  ['bytes=80-, 0-9, -30', parts([70, 100], [0, 10])],
  ['bytes=0-,0-,0-,0-,0-', parts([0, 100])],
  [
    'bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14',
    parts([0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15]),
  ],
  // Too many.
  ['bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16', IGNORE],
  [`bytes=${'0-,'.repeat(9)}`, IGNORE],
  [`bytes=0-1${' '.repeat(1000)}`, IGNORE],
])('%p', (value, expected, sizeBytes = SIZE) =>
  expect(parseRanges(value, sizeBytes, RANGES_MAX) as unknown).toEqual(expected),
)

const touches = (a: ByteRange, b: ByteRange): boolean => a.start <= b.end && b.start <= a.end

test('ranges are of the file, not empty, apart, few, and hold exactly the bytes that were asked for', () => {
  const spec = fc.oneof(
    fc.tuple(fc.nat(120), fc.nat(40)).map(([first, more]) => `${first}-${first + more}`),
    fc.nat(120).map((first) => `${first}-`),
    fc.nat(120).map((last) => `-${last}`),
  )
  fc.assert(
    fc.property(
      fc.array(spec, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 110 }),
      (specs, sizeBytes) => {
        const together = parseRanges(`bytes=${specs.join(', ')}`, sizeBytes, RANGES_MAX)
        const bytesOf = (request: typeof together): Set<number> =>
          new Set(
            request.kind === 'ranges'
              ? request.ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at))
              : [],
          )
        const wanted = new Set(specs.flatMap((one) => [...bytesOf(parseRanges(`bytes=${one}`, sizeBytes, RANGES_MAX))]))
        expect([...bytesOf(together)].sort()).toEqual([...wanted].sort())
        if (together.kind !== 'ranges') return expect(together.kind).toBe('unsatisfiable')
        together.ranges.forEach((range, at) => {
          expect(range.start >= 0 && range.start < range.end && range.end <= sizeBytes).toBe(true)
          for (const other of together.ranges.slice(at + 1)) expect(touches(range, other)).toBe(false)
        })
      },
    ),
  )
})

test('any text is a request or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('0', '9', '-', ',', ' ', '=', 'a') }), fc.nat(), (set, sizeBytes) => {
      for (const value of [set, `bytes=${set}`]) {
        const request = parseRanges(value, sizeBytes, RANGES_MAX)
        if (request.kind === 'ranges') expect(request.ranges.length).toBeWithin(1, 9)
      }
    }),
  )
})
