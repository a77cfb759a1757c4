import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseContentRange, toContentRange, toUnsatisfiedRange } from './content-range.ts'

test.each<[string | null, unknown]>([
  ['bytes 0-9/100', { range: { start: 0, end: 10 }, sizeBytes: 100 }],
  ['bytes 0-99/100', { range: { start: 0, end: 100 }, sizeBytes: 100 }],
  ['bytes 42-42/*', { range: { start: 42, end: 43 }, sizeBytes: null }],
  ['bytes */100', { range: null, sizeBytes: 100 }],
  ['Bytes 0-0/1', { range: { start: 0, end: 1 }, sizeBytes: 1 }],
  [null, null],
  ['', null],
  ['bytes */*', null],
  ['bytes 9-0/100', null],
  ['bytes 0-100/100', null],
  ['bytes 0-9', null],
  ['bytes=0-9/100', null],
  ['bytes 0-9/100, bytes 0-9/100', null],
  ['bytes -9/100', null],
  ['bytes 0-9999999999999999/*', null],
  ['items 0-9/100', null],
])('%p', (value, expected) => expect(parseContentRange(value) as unknown).toEqual(expected))

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1 }), fc.option(fc.nat()), (start, lengthBytes, more) => {
      const range = { start, end: start + lengthBytes }
      const sizeBytes = more === null ? null : range.end + more
      expect(parseContentRange(toContentRange(range, sizeBytes))).toEqual({ range, sizeBytes })
    }),
  )
  expect(toUnsatisfiedRange(7)).toBe('bytes */7')
})

test('any text is a range or none', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseContentRange(`bytes ${text}`)))
})
