import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseTargeted } from './targeted.ts'

test.each([
  [null],
  [''],
  [' '],
  ['max-age=60,'],
  ['Max-Age=60'],
  ['max-age=60 no-store'],
  ['max-age=, a'],
  ['&&&'],
  ['a="x'],
])('%p is ignored as a whole', (value) => expect(parseTargeted(value)).toBeNull())

test.each<[string, string, number | null | 'invalid']>([
  ['max-age=60', 'max-age', 60],
  ['max-age=60;x=1, no-store', 'max-age', 60],
  ['max-age=60, max-age=5', 'max-age', 5],
  ['max-age=999999999999', 'max-age', 2 ** 31],
  ['max-age=-1', 'max-age', 'invalid'],
  ['max-age=1.0', 'max-age', 'invalid'],
  ['max-age="60"', 'max-age', 'invalid'],
  ['max-age=a', 'max-age', 'invalid'],
  ['max-age', 'max-age', 'invalid'],
  ['max-age=(60)', 'max-age', 'invalid'],
  ['max-age=@60', 'max-age', 'invalid'],
  ['none', 'max-age', null],
])('%p: the seconds of %s', (value, name, expected) =>
  expect(parseTargeted(value)?.seconds(name) as unknown).toBe(expected),
)

test.each<[string, string, string[] | null]>([
  ['no-cache', 'no-cache', []],
  ['no-cache="A, b"', 'no-cache', ['a', 'b']],
  ['private=a', 'private', ['a']],
  ['private=1', 'private', []],
  ['private=("a" "b")', 'private', []],
  ['private=?0', 'private', null],
])('%p: the field names of %s', (value, name, expected) =>
  expect(parseTargeted(value)?.fieldNames(name) as unknown).toEqual(expected),
)

test('a flag is set by its name, by true, and by what it cannot be, but not by false', () => {
  for (const value of ['no-store', 'no-store=?1', 'no-store=1', 'no-store=x', 'no-store="x"']) {
    expect([value, parseTargeted(value)?.has('no-store')]).toEqual([value, true])
  }
  expect(parseTargeted('no-store=?0')?.has('no-store')).toBe(false)
})

test('any text is read or ignored', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      parseTargeted(value)?.seconds('max-age')
      parseTargeted(`max-age=1, ${value}`)?.fieldNames('private')
    }),
  )
})
