import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { listMembers } from './lists.ts'
import { parseWord, trimOws } from './syntax.ts'

const NBSP = '\u00a0'

test.each<[string | null, string[]]>([
  [null, []],
  ['', []],
  ['a', ['a']],
  [' a\t', ['a']],
  ['a, b ,c', ['a', 'b', 'c']],
  [', ,a,,\t, b,', ['a', 'b']],
  ['a="x, y", b', ['a="x, y"', 'b']],
  ['a="x\\", y", b', ['a="x\\", y"', 'b']],
  ['a="x\\\\", b', ['a="x\\\\"', 'b']],
  ['a="x, b, c', ['a="x', 'b', 'c']],
  ['a="x\\", b', ['a="x\\"', 'b']],
  ['"a,b","c"', ['"a,b"', '"c"']],
  [`a${NBSP}, b`, [`a${NBSP}`, 'b']],
])('the members of %p', (value, expected) => expect(listMembers(value)).toEqual(expected))

test.each([
  ['abc', 'abc'],
  ['"a b"', 'a b'],
  ['""', ''],
  ['"\\a\\\\"', 'a\\'],
  ['"a', null],
  ['a b', null],
  ['', null],
  ['"a"b"', null],
  ['"a\u0000"', null],
  ['"\u0100"', null],
])('the word %p', (text, expected) => expect(parseWord(text)).toBe(expected))

test('members hold together: none empty, none with whitespace at its ends, nothing but separators lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ',', '"', '\\', ' ', '\t', '=', ';') }), (value) => {
      const members = listMembers(value)
      for (const member of members) expect(member).toBe(trimOws(member) || 'not empty')
      const squeeze = (text: string): string => text.replace(/[, \t]/g, '')
      expect(squeeze(members.join(''))).toBe(squeeze(value))
    }),
  )
})

test.each(['"\\', '\\"', '"', ',"', '\\', 'a="'])('%p repeated is no work for more than an instant', (unit) => {
  const begun = performance.now()
  listMembers(unit.repeat(100_000))
  expect(performance.now() - begun).toBeLessThan(500)
})
