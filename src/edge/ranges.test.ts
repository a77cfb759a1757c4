import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decideSelection, type RequestConditions } from './ranges.ts'

const ETAG = '"abc"'
const SIZE = 100
const NONE: RequestConditions = { range: null, ifRange: null, ifNoneMatch: null }

const check = (conditions: Partial<RequestConditions>, expected: unknown, sizeBytes = SIZE): void => {
  expect(decideSelection({ ...NONE, ...conditions }, { etag: ETAG, sizeBytes }) as unknown).toEqual(expected)
}
const part = (start: number, end: number) => ({ kind: 'part', start, end })

test.each([
  ['bytes=0-0', part(0, 1)],
  ['bytes=0-', part(0, 100)],
  ['bytes=10-19', part(10, 20)],
  ['bytes=90-500', part(90, 100)],
  ['bytes=99-99', part(99, 100)],
  ['bytes=-1', part(99, 100)],
  ['bytes=-500', part(0, 100)],
  ['BYTES=1-2', part(1, 3)],
  ['bytes=100-', { kind: 'unsatisfiable' }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=20-10', { kind: 'whole' }],
  ['bytes=0-1,5-6', { kind: 'whole' }],
  ['bytes=', { kind: 'whole' }],
  ['bytes=-', { kind: 'whole' }],
  ['bytes=a-b', { kind: 'whole' }],
  ['items=0-1', { kind: 'whole' }],
  ['bytes=99999999999999999999-', { kind: 'whole' }],
])('%s', (range, expected) => check({ range }, expected))

test('nothing of an empty file satisfies a range', () => {
  check({ range: 'bytes=0-' }, { kind: 'unsatisfiable' }, 0)
  check({ range: 'bytes=-5' }, { kind: 'unsatisfiable' }, 0)
})

test.each([
  ['"abc"', part(0, 1)],
  [' "abc" ', part(0, 1)],
  ['W/"abc"', { kind: 'whole' }],
  ['"abd"', { kind: 'whole' }],
  ['Sat, 21 Nov 2026 14:50:01 GMT', { kind: 'whole' }],
])('If-Range %s', (ifRange, expected) => check({ range: 'bytes=0-0', ifRange }, expected))

test.each([
  ['"abc"', { kind: 'not-modified' }],
  ['W/"abc"', { kind: 'not-modified' }],
  ['"x", "abc"', { kind: 'not-modified' }],
  ['*', { kind: 'not-modified' }],
  ['"x"', { kind: 'whole' }],
  ['abc', { kind: 'whole' }],
])('If-None-Match %s', (ifNoneMatch, expected) => check({ ifNoneMatch }, expected))

test('If-None-Match comes before Range', () => {
  check({ ifNoneMatch: ETAG, range: 'bytes=0-0' }, { kind: 'not-modified' })
})

test('a part is what slice would give', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(60), fc.nat(60), (sizeBytes, first, extra) => {
      const bytes = Array.from({ length: sizeBytes }, (_, index) => index)
      const selection = decideSelection(
        { ...NONE, range: `bytes=${first}-${first + extra}` },
        { etag: ETAG, sizeBytes },
      )
      const expected = bytes.slice(first, first + extra + 1)
      if (selection.kind === 'part') expect(bytes.slice(selection.start, selection.end)).toEqual(expected)
      else expect([selection.kind, expected.length]).toEqual(['unsatisfiable', 0])
    }),
  )
})
