import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseCacheControl } from './cache-control.ts'

type Seconds = number | null | 'invalid'

test.each<[string | null, string, Seconds]>([
  [null, 'max-age', null],
  ['', 'max-age', null],
  ['max-age=60', 'max-age', 60],
  ['MAX-Age=60', 'max-age', 60],
  ['max-age="60"', 'max-age', 60],
  ['max-age=007', 'max-age', 7],
  ['max-age=0', 'max-age', 0],
  ['max-age=2147483648', 'max-age', 2 ** 31],
  ['max-age=99999999999999999999999', 'max-age', 2 ** 31],
  ['max-age=-1', 'max-age', 'invalid'],
  ['max-age=1.5', 'max-age', 'invalid'],
  ['max-age=1e3', 'max-age', 'invalid'],
  ['max-age=+1', 'max-age', 'invalid'],
  ['max-age=', 'max-age', 'invalid'],
  ['max-age=""', 'max-age', 'invalid'],
  ['max-age', 'max-age', 'invalid'],
  ['max-age=abc', 'max-age', 'invalid'],
  ['max-age=1 0', 'max-age', 'invalid'],
  ['max-age =10', 'max-age', 'invalid'],
  ['max-age= 10', 'max-age', 'invalid'],
  ["max-age='10'", 'max-age', 'invalid'],
  ['max-age="10', 'max-age', 'invalid'],
  ['max-age=5, max-age=5', 'max-age', 5],
  ['max-age=5, max-age=6', 'max-age', 'invalid'],
  ['max-age=5, max-age=x', 'max-age', 'invalid'],
  ['a="max-age=5"', 'max-age', null],
  ['xmax-age=5', 'max-age', null],
  ['max-age=5;x', 'max-age', 'invalid'],
  ['s-maxage=1, max-age=2', 's-maxage', 1],
  ['max-stale', 'max-stale', null],
  ['max-stale=5', 'max-stale', 5],
])('%p: the seconds of %s', (value, name, expected) => {
  const directives = parseCacheControl(value)
  expect(directives.seconds(name)).toBe(expected)
  expect(directives.has('max-stale')).toBe(value?.includes('max-stale') ?? false)
})

test.each<[string, string, string[] | null]>([
  ['public', 'no-cache', null],
  ['no-cache', 'no-cache', []],
  ['no-cache="Set-Cookie"', 'no-cache', ['set-cookie']],
  ['no-cache="a, B ,,c"', 'no-cache', ['a', 'b', 'c']],
  ['no-cache=a', 'no-cache', ['a']],
  ['private="a, b", max-age=1', 'private', ['a', 'b']],
  ['private="a", private="b, a"', 'private', ['a', 'b']],
  ['private="a", private', 'private', []],
  ['private, private="a"', 'private', []],
  ['private=""', 'private', []],
  ['private="a b"', 'private', []],
  ['private="a, @"', 'private', []],
  ['private=', 'private', []],
  ['private="a', 'private', []],
])('%p: the field names of %s', (value, name, expected) =>
  expect(parseCacheControl(value).fieldNames(name) as unknown).toEqual(expected),
)

test.each<[string, string[], string[]]>([
  ['no-store', ['no-store'], ['no-cache']],
  ['No-STORE', ['no-store'], []],
  ['no-store=1', ['no-store'], []],
  ['no-store=', ['no-store'], []],
  ['no-store; x', [], ['no-store']],
  [', @@, no-store, b{}=1', ['no-store'], ['@@', 'b{}']],
  ['private="a, no-store', ['private', 'no-store'], []],
  ['foo="a, no-store, bar="b"', ['foo', 'no-store', 'bar'], []],
  ['"a, no-store, b"', ['no-store'], ['a']],
  ['x"a, no-store, b"=1', ['no-store'], []],
  ['foo="no-store"', ['foo'], ['no-store']],
  ['foo="a, no-store, b"', ['foo'], ['no-store']],
  ['constructor, __proto__=1', ['constructor', '__proto__'], ['tostring']],
])('%p has %p and not %p', (value, present, absent) => {
  const directives = parseCacheControl(value)
  for (const name of present) expect([name, directives.has(name)]).toEqual([name, true])
  for (const name of absent) expect([name, directives.has(name)]).toEqual([name, false])
})

test('what is remembered is what was parsed', () => {
  expect(parseCacheControl('max-age=77')).toBe(parseCacheControl('max-age=77'))
  for (let at = 0; at < 2000; at += 1) expect(parseCacheControl(`max-age=${at}`).seconds('max-age')).toBe(at)
})

test('any text gives directives, and a no-store of its own line is never lost', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'max-age', 'private', '=', '"', '\\', ',', ' ', '1', '\u00ff') })
  fc.assert(
    fc.property(text, text, (before, after) => {
      const { seconds, fieldNames } = parseCacheControl(before)
      expect(['number', 'object', 'string']).toContain(typeof seconds('max-age'))
      fieldNames('private')
      // Whatever comes before can quote it, if the quote is whole; then it is not a directive.
      if (!before.includes('"')) expect(parseCacheControl(`${before}, no-store, ${after}`).has('no-store')).toBe(true)
    }),
  )
})
