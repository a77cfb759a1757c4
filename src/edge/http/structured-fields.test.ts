import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  type BareItem,
  type Item,
  type Member,
  parseDictionary,
  parseItem,
  parseList,
  toDictionaryText,
  toItemText,
  toListText,
} from './structured-fields.ts'

const bytes = (text: string): BareItem => ({ type: 'bytes', value: new Uint8Array(Buffer.from(text)) })
const item = (bare: BareItem): Item => ({ kind: 'item', bare, parameters: new Map() })

test.each<[string, BareItem, string?]>([
  ['42', { type: 'integer', value: 42 }],
  ['-42', { type: 'integer', value: -42 }],
  ['-0', { type: 'integer', value: 0 }, '0'],
  ['007', { type: 'integer', value: 7 }, '7'],
  ['999999999999999', { type: 'integer', value: 999_999_999_999_999 }],
  ['1.5', { type: 'decimal', value: 1.5 }],
  ['-1.250', { type: 'decimal', value: -1.25 }, '-1.25'],
  ['2.0', { type: 'decimal', value: 2 }],
  ['999999999999.999', { type: 'decimal', value: 999_999_999_999.999 }],
  ['""', { type: 'string', value: '' }],
  ['"a \\" \\\\ b"', { type: 'string', value: 'a " \\ b' }],
  ['foo123/456:*', { type: 'token', value: 'foo123/456:*' }],
  ['*x', { type: 'token', value: '*x' }],
  [':aGVsbG8=:', bytes('hello')],
  [':aGVsbG8:', bytes('hello'), ':aGVsbG8=:'],
  ['::', bytes('')],
  ['?1', { type: 'boolean', value: true }],
  ['?0', { type: 'boolean', value: false }],
  ['@1659578233', { type: 'date', value: 1_659_578_233 }],
  ['@-62135596800', { type: 'date', value: -62_135_596_800 }],
  ['%"f%c3%bc%c3%bc %22%25"', { type: 'display-string', value: 'füü "%' }],
  ['  1  ', { type: 'integer', value: 1 }, '1'],
])('the item %s', (text, bare, canonical = text) => {
  expect(parseItem(text)).toEqual(item(bare))
  expect(toItemText(item(bare))).toBe(canonical)
})

test.each([
  '',
  ' ',
  '-',
  '--1',
  '-a',
  '1000000000000000',
  '1.',
  '.1',
  '1.1234',
  '1234567890123.1',
  '1.2.3',
  '1a',
  '1 2',
  '"a',
  '"a\\',
  '"a\\b"',
  '"ü"',
  '"a\tb"',
  "'a'",
  'a"',
  'a b',
  'ü',
  '(a)',
  'a,b',
  ':a:',
  ':aGVsbG8=',
  ':aG VsbG8=:',
  ':=aGVs:',
  ':aGVsbG8-:',
  '?',
  '?2',
  '?true',
  '?',
  '@',
  '@1.5',
  '@a',
  '@@1',
  '%',
  '%"',
  '%"a',
  '%"%C3%BC"',
  '%"%c3"',
  '%"%zz"',
  '%"%"',
  '%a',
  '%"ü"',
  '%"%ed%a0%80"',
  '\t1',
  '1\t',
  '{',
  '\u0000',
  'a;',
  'a;B',
  'a;1',
  'a;b=',
  'a ;b',
  'a;b =1',
  'a;b= 1',
  'a;b=(1)',
])('%p is no item', (text) => expect(parseItem(text)).toBeNull())

test('parameters: spaces before the key alone, true when bare, the last of one name counts', () => {
  expect([...(parseItem('a;b;  c=2;d="x";b=?0')?.parameters ?? [])]).toEqual([
    ['b', { type: 'boolean', value: false }],
    ['c', { type: 'integer', value: 2 }],
    ['d', { type: 'string', value: 'x' }],
  ])
})

/** What is left when a member is written again: the shortest view of a list. */
test.each<[string, string | null]>([
  ['', ''],
  ['  ', ''],
  ['a', 'a'],
  ['a,b \t,\t c', 'a, b, c'],
  ['(a b);q=1, ( ), (  "x"   y;z )', '(a b);q=1, (), ("x" y;z)'],
  ['a,', null],
  ['a,,b', null],
  [',a', null],
  ['a b', null],
  ['(a', null],
  ['(a,b)', null],
  ['(a"b")', null],
  ['(a (b))', null],
  ['(a\tb)', null],
  ['a=1', null],
  ['a, ', null],
])('the list %p', (text, expected) => {
  const members = parseList(text)
  expect(members && toListText(members)).toBe(expected)
})

test.each<[string, string | null]>([
  ['', ''],
  ['a', 'a'],
  ['a=?1', 'a'],
  ['a=?0', 'a=?0'],
  ['a;x=1, b=(1 2);y, c="z"', 'a;x=1, b=(1 2);y, c="z"'],
  ['a=1,b=2,a=3', 'a=3, b=2'],
  ['a=1, a', 'a'],
  ['*a.b-c_d=1', '*a.b-c_d=1'],
  ['a=1,', null],
  ['A=1', null],
  ['1=1', null],
  ['a= 1', null],
  ['a =1', null],
  ['a=', null],
  ['a=1 b=2', null],
  ['a==1', null],
])('the dictionary %p', (text, expected) => {
  const members = parseDictionary(text)
  expect(members && toDictionaryText(members)).toBe(expected)
})

test.each<[BareItem, string | null]>([
  [{ type: 'integer', value: 1e15 }, null],
  [{ type: 'integer', value: 1.5 }, null],
  [{ type: 'integer', value: Number.NaN }, null],
  [{ type: 'decimal', value: 0.0025 }, '0.002'],
  [{ type: 'decimal', value: 0.0035 }, '0.004'],
  [{ type: 'decimal', value: -0.0025 }, '-0.002'],
  [{ type: 'decimal', value: -0.0001 }, '0.0'],
  [{ type: 'decimal', value: 1e12 }, null],
  [{ type: 'decimal', value: 999_999_999_999.9995 }, null],
  [{ type: 'decimal', value: Number.NaN }, null],
  [{ type: 'decimal', value: Number.POSITIVE_INFINITY }, null],
  [{ type: 'string', value: 'ü' }, null],
  [{ type: 'string', value: 'a\nb' }, null],
  [{ type: 'token', value: '' }, null],
  [{ type: 'token', value: '1a' }, null],
  [{ type: 'token', value: 'a b' }, null],
  [{ type: 'display-string', value: '\ud800' }, null],
  [{ type: 'display-string', value: '😀\n' }, '%"%f0%9f%98%80%0a"'],
])('%p is written as %p', (bare, expected) => expect(toItemText(item(bare))).toBe(expected))

test('a key that is none makes the whole unwritable', () => {
  expect(toDictionaryText(new Map([['A', item({ type: 'token', value: 'x' })]]))).toBeNull()
  const parameters = new Map<string, BareItem>([['', { type: 'boolean', value: true }]])
  expect(toItemText({ kind: 'item', bare: { type: 'token', value: 'x' }, parameters })).toBeNull()
})

const anyBare: fc.Arbitrary<BareItem> = fc.oneof(
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('decimal' as const), value: fc.integer().map((value) => value / 1000) }),
  fc.record({ type: fc.constant('string' as const), value: fc.string() }),
  fc.record({
    type: fc.constant('token' as const),
    value: fc.stringMatching(/^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/),
  }),
  fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array() }),
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('date' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('display-string' as const), value: fc.string({ unit: 'grapheme' }) }),
)
const anyKey = fc.stringMatching(/^[a-z*][a-z0-9_.*-]*$/)
const anyParameters = fc.array(fc.tuple(anyKey, anyBare), { maxLength: 3 }).map((entries) => new Map(entries))
const anyItem = fc.record({ kind: fc.constant('item' as const), bare: anyBare, parameters: anyParameters })
const anyMember: fc.Arbitrary<Member> = fc.oneof(
  anyItem,
  fc.record({
    kind: fc.constant('inner-list' as const),
    items: fc.array(anyItem, { maxLength: 3 }),
    parameters: anyParameters,
  }),
)

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 4 }), fc.array(anyKey, { maxLength: 4 }), (members, keys) => {
      const text = toListText(members)
      expect(text).not.toBeNull()
      expect(parseList(text ?? '')).toEqual(members)
      const dictionary = new Map(keys.map((key, at) => [key, members[at] ?? item({ type: 'boolean', value: true })]))
      expect(parseDictionary(toDictionaryText(dictionary) ?? '?')).toEqual(dictionary)
    }),
  )
})

test('any text is read or refused, and what is read is stable', () => {
  const pieces = fc.constantFrom(
    'a',
    'b=',
    '(',
    ')',
    ' ',
    ',',
    ';',
    '=',
    '"',
    '\\',
    ':',
    '?1',
    '1',
    '.',
    '-',
    '%"',
    '%c3',
    '@',
    '*',
    '\t',
  )
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: pieces })), (text) => {
      for (const [parse, write] of [
        [(given: string) => parseList(given), (value: unknown) => toListText(value as readonly Member[])],
        [(given: string) => parseDictionary(given), (value: unknown) => toDictionaryText(value as Map<string, Member>)],
        [(given: string) => parseItem(given), (value: unknown) => toItemText(value as Item)],
      ] as const) {
        const value = parse(text)
        if (value !== null) expect(parse(write(value) ?? 'unwritable!') as unknown).toEqual(value)
      }
    }),
    { numRuns: 500 },
  )
})

test.each(['(', '1', '"\\"', ';a', 'a,', '(a ', '%"', ':', 'a;a=', '%c3'])(
  '%p repeated is no work for long',
  (unit) => {
    const begun = performance.now()
    for (const text of [
      unit.repeat(20_000),
      `"${unit.repeat(20_000)}`,
      `%"${unit.repeat(20_000)}`,
      `:${unit.repeat(20_000)}`,
    ]) {
      parseList(text)
      parseDictionary(text)
      parseItem(text)
    }
    expect(performance.now() - begun).toBeLessThan(1000)
  },
)
