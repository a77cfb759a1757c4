import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesStrong, matchesWeak, parseEntityTag, parseEntityTags } from './etags.ts'

test.each<[string, unknown]>([
  ['"a"', { weak: false, opaque: 'a' }],
  ['W/"a"', { weak: true, opaque: 'a' }],
  ['""', { weak: false, opaque: '' }],
  ['"a,\\b"', { weak: false, opaque: 'a,\\b' }],
  ['"\u00fc"', { weak: false, opaque: '\u00fc' }],
  [' "a" ', { weak: false, opaque: 'a' }],
  ['w/"a"', null],
  ['W/ "a"', null],
  ['a', null],
  ['"a', null],
  ['"a b"', null],
  ['"a"b"', null],
  ['', null],
])('the tag %p', (text, expected) => expect(parseEntityTag(text) as unknown).toEqual(expected))

// The table of RFC 9110, 8.8.3.2.
test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', '"1"', true, true],
  ['"1"', '"2"', false, false],
  ['1', '1', false, false],
  ['', '', false, false],
])('%s and %s', (a, b, strong, weak) => {
  expect([matchesStrong(a, b), matchesStrong(b, a)]).toEqual([strong, strong])
  expect([matchesWeak(a, b), matchesWeak(b, a)]).toEqual([weak, weak])
})

test.each<[string, '*' | string[]]>([
  ['*', '*'],
  [' * ', '*'],
  ['"a"', ['"a"']],
  ['"a", W/"b" ,"c"', ['"a"', 'W/"b"', '"c"']],
  ['"a,b", "c"', ['"a,b"', '"c"']],
  ['"a\\", "b"', ['"a\\"', '"b"']],
  [', ,"a",,', ['"a"']],
  ['', []],
  ['*, "a"', ['"a"']],
  ['a, "b"', ['"b"']],
  ['"a"x, "b"', ['"b"']],
  ['w/"a", "b"', ['"b"']],
  ['"a, "b"', []],
  ['"a', []],
  ['"a" "b", "c"', ['"c"']],
])('the tags of %p', (value, expected) => expect(parseEntityTags(value)).toEqual(expected))

test('any text gives tags that are tags', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', 'W/', ',', ' ', 'a', '*', '\\', '\t') }), (value) => {
      const tags = parseEntityTags(value)
      for (const tag of tags === '*' ? [] : tags) expect(parseEntityTag(tag)).not.toBeNull()
    }),
  )
  const tag = fc.stringMatching(/^(W\/)?"[!#-~]*"$/)
  fc.assert(fc.property(fc.array(tag), (tags) => expect(parseEntityTags(tags.join(', '))).toEqual(tags)))
})
