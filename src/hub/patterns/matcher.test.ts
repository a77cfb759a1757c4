import { describe, expect, test } from 'bun:test'
import { PATTERN_LIMITS } from '../../kernel/index.ts'
import { createMatcher } from './matcher.ts'
import { matchesNaively, toBytes, toPattern } from './testing.ts'

/** By all three: from bytes, parsed, and by trying the rule out. */
function check(pattern: unknown, event: unknown, expected: boolean): void {
  const matcher = createMatcher()
  const rule = toPattern(pattern)
  matcher.add('rule', rule)
  const names = expected ? ['rule'] : []
  const found = { bytes: matcher.match(toBytes(event)), parsed: matcher.matchParsed(event) }
  expect({ pattern, event, ...found }).toEqual({ pattern, event, bytes: names, parsed: names })
  expect({ pattern, event, naive: matchesNaively(rule, event) }).toEqual({ pattern, event, naive: expected })
}

type Values = readonly unknown[]
const tests: readonly (readonly [test: unknown, passed: Values, failed: Values])[] = [
  ['a', ['a', ['b', 'a'], [['a']]], ['A', 'aa', '', null, [], {}, { a: 'a' }]],
  ['', [''], [null, [], 'a']],
  ['true', ['true'], [true]],
  [true, [true], ['true', 1, false]],
  [null, [null, [null]], ['null', '', 0, []]],
  [300, [300, 3e2, 300.0, [1, 300]], ['300', 301, 300.5]],
  [123456789012, [123456789012], [123456789013]],
  ['é', ['é'], ['e', 'É']],
  ['10.0.0.1', ['10.0.0.1', '010.00.0.001'], ['10.0.0.2', '10.0.0.1 ', '10.0.0.0x1']],
  ['2001:db8::1', ['2001:db8::1', '2001:0DB8:0::0001'], ['2001:db8::2']],
  [{ exactly: 'a' }, ['a'], ['A']],
  [{ prefix: 'ab' }, ['ab', 'abc', ['x', 'abc']], ['a', 'Ab', 'xab', 12, null]],
  [{ prefix: '' }, ['', 'a'], [1, null, true, []]],
  [{ prefix: { 'equals-ignore-case': 'aB' } }, ['ab', 'ABc', 'Abé'], ['a', 'xab']],
  [{ suffix: 'bc' }, ['bc', 'abc'], ['c', 'aBC', 'bcd', 12]],
  [{ suffix: { 'equals-ignore-case': '.PnG' } }, ['a.png', '.PNG'], ['png', 'a.png ']],
  [{ 'equals-ignore-case': 'Straße' }, ['straße', 'STRASSE', 'sTRAßE'], ['strase']],
  [{ wildcard: '*' }, ['', 'a'], [1, null]],
  [{ wildcard: 'a*c' }, ['ac', 'abc', 'abcc'], ['a', 'c', 'abcd', 'xac']],
  [{ wildcard: 'aa*aa' }, ['aaaa', 'aaxaa'], ['aaa', 'aa']],
  [{ wildcard: '*ab*ba*' }, ['abba', 'xabxbax'], ['aba', 'baab']],
  [{ wildcard: '*.m*8' }, ['x.m3u8', '.m8'], ['x.m3u', '.m']],
  [{ wildcard: 'a\\*\\\\' }, ['a*\\'], ['ab\\', 'a\\*\\\\']],
  [{ numeric: ['=', 301.8] }, [301.8, 3.018e2], [301.80001, '301.8']],
  [{ numeric: ['>', 0, '<=', 5] }, [1e-300, 5, [9, 3]], [0, 5.000001, -1, '3', null, true]],
  [{ numeric: ['<', 0] }, [-1, -1e300], [0, 1]],
  [{ numeric: ['>=', 5e9] }, [5e9, 1e300], [4999999999.999999]],
  [
    { cidr: '10.0.0.77/24' },
    ['10.0.0.0', '10.0.0.255'],
    ['10.0.1.0', '10.0.0', '10.0.0.256', '10.0.0.1/32', 167772160],
  ],
  [{ cidr: '0.0.0.0/0' }, ['1.2.3.4', '::ffff:1.2.3.4'], ['::1', '']],
  [{ cidr: '2001:db8::/33' }, ['2001:db8::', '2001:db8:7fff::1'], ['2001:db8:8000::', '32.1.13.184']],
  [{ exists: true }, ['a', '', 0, null, false, [1], [[], 1]], [{}, [], [[]], { x: 1 }, [{ x: 1 }]]],
  [{ exists: false }, [{}, [], { x: 1 }], ['a', null, [1]]],
  [{ 'anything-but': 'a' }, ['b', '', 1, null, false, ['a', 'b']], ['a', ['a'], [], {}]],
  [{ 'anything-but': ['a', 'b'] }, ['c', 1], ['a', 'b']],
  [{ 'anything-but': 1 }, [2, '1', null], [1, 1.0]],
  [{ 'anything-but': [1, 2] }, [3, '1'], [1, 2]],
  [{ 'anything-but': { prefix: 'a' } }, ['b', 1, null], ['a', 'ab']],
  [{ 'anything-but': { suffix: ['a', 'b'] } }, ['c', ''], ['xa', 'b']],
  [{ 'anything-but': { 'equals-ignore-case': ['a', 'b'] } }, ['c', 1], ['A', 'b']],
  [{ 'anything-but': { wildcard: ['a*c', ''] } }, ['ab', 1], ['ac', 'abc', '']],
]
test.each(tests)('%j', (each, passed, failed) => {
  const pattern = { outer: { field: [each] } }
  for (const value of passed) check(pattern, { before: 1, outer: { field: value, after: [{}] } }, true)
  for (const value of failed) check(pattern, { before: 1, outer: { field: value, after: [{}] } }, false)
})

const events: readonly (readonly [what: string, pattern: unknown, event: unknown, expected: boolean])[] = [
  ['all fields must hold', { a: [1], b: [2] }, { a: 1, b: 2 }, true],
  ['one does not', { a: [1], b: [2] }, { a: 1, b: 3 }, false],
  ['one is not there', { a: [1], b: [2] }, { a: 1 }, false],
  ['any value of a field', { a: ['x', { prefix: 'y' }, { exists: false }] }, { a: 'yes' }, true],
  ['or none', { a: ['x', { exists: false }] }, { b: 1 }, true],
  ['or another', { a: ['x', { exists: false }] }, { a: 'y' }, false],
  ['keys are told by case', { A: [1] }, { a: 1 }, false],
  ['text that is JSON is text', { a: { b: [1] } }, { a: '{"b":1}' }, false],
  ['dots in a rule', { 'a.b': [1] }, { a: { b: 1 } }, true],
  ['dots in an event', { a: { b: [1] } }, { 'a.b': 1 }, true],
  ['dots in part', { a: { 'b.c': { d: [1] } } }, { 'a.b': { 'c.d': 1 } }, true],
  ['dots that lead elsewhere', { a: { b: [1] } }, { 'a.b': { b: 1 } }, false],
  ['keys of no characters', { '': { '': [1] } }, { '': { '': 1 } }, true],
  ['keys with quotes and lines', { 'a"\n\\': [1] }, { 'a"\n\\': 1 }, true],
  ['keys in other scripts', { ключ: [1] }, { ключ: 1 }, true],
  ['keys of prototypes', { __proto__x: [1], constructor: [{ exists: false }] }, { __proto__x: 1 }, true],
  ['$or, one way', { $or: [{ a: [1] }, { b: [2] }] }, { a: 0, b: 2 }, true],
  ['$or, no way', { $or: [{ a: [1] }, { b: [2] }] }, { a: 2, b: 1 }, false],
  ['$or and a field', { c: [3], $or: [{ a: [1] }, { b: [2] }] }, { a: 1, c: 4 }, false],
  ['$or as a field', { $or: [{ prefix: 'x' }] }, { $or: 'xy' }, true],
]
test.each(events)('%s', (_, pattern, event, expected) => check(pattern, event, expected))

describe('arrays of objects: two fields, one element', () => {
  const two = { d: { a: [1], b: [2] } }
  const cases: readonly (readonly [what: string, pattern: unknown, event: unknown, expected: boolean])[] = [
    ['in one', two, { d: [{ a: 1, b: 2 }] }, true],
    ['in two', two, { d: [{ a: 1 }, { b: 2 }] }, false],
    ['in the last', two, { d: [{ a: 1 }, { b: 2 }, { a: [3, 1], b: [2] }] }, true],
    ['in arrays of arrays', two, { d: [[{ a: 1 }, { a: 1, b: 2 }], [{ b: 2 }]] }, true],
    ['apart in arrays of arrays', two, { d: [[{ a: 1 }], [{ b: 2 }]] }, false],
    ['one of them outside', { d: { a: [1] }, e: [2] }, { d: [{ a: 0 }, { a: 1 }], e: [1, 2] }, true],
    ['in different arrays', { d: { a: [1] }, e: { b: [2] } }, { d: [{ a: 1 }], e: [{}, { b: 2 }] }, true],
    ['deeper', { u: { n: ['x'], t: { k: [1], v: [2] } } }, { u: [{ n: 'x', t: [{ k: 1 }, { k: 1, v: 2 }] }] }, true],
    ['deeper, apart', { u: { n: ['x'], t: { k: [1], v: [2] } } }, { u: [{ n: 'x', t: [{ k: 1 }, { v: 2 }] }] }, false],
    ['deeper, another’s', { u: { n: ['x'], t: { k: [1] } } }, { u: [{ n: 'x' }, { n: 'y', t: [{ k: 1 }] }] }, false],
    ['absent there', { d: { a: [1], b: [{ exists: false }] } }, { d: [{ a: 1 }, { b: 2 }] }, true],
    ['not absent there', { d: { a: [1], b: [{ exists: false }] } }, { d: [{ a: 1, b: 2 }, { a: 3 }] }, false],
    ['absent, asked first', { d: { a: [{ exists: false }], b: [1] } }, { d: [{ b: 1 }, { a: 2 }] }, false],
    [
      'anything-but of another',
      { d: { a: [1], b: [{ 'anything-but': 2 }] } },
      { d: [{ a: 1, b: 2 }, { b: 3 }] },
      false,
    ],
  ]
  test.each(cases)('%s', (_, pattern, event, expected) => check(pattern, event, expected))

  test('in an array of thousands, in time', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => ({ a: 1, b: 0, c: [{ x: at }, { y: at }] }))
    const matcher = createMatcher()
    matcher.add('two', toPattern(two))
    matcher.add('three', toPattern({ d: { a: [1], c: { x: [{ exists: true }], y: [{ exists: true }] } } }))
    const started = performance.now()
    expect(matcher.matchParsed({ d: many })).toEqual([])
    expect(matcher.matchParsed({ d: [...many, { a: 1, b: 2 }] })).toEqual(['two'])
    expect(performance.now() - started).toBeLessThan(5_000)
  }, 10_000)
})

describe('bytes', () => {
  const matcher = createMatcher()
  matcher.add('a', toPattern({ a: [1, 'é', 'x"y', { prefix: '\u0001' }] }))
  matcher.add('no b', toPattern({ b: [{ exists: false }] }))
  const find = (text: string) => [...matcher.match(new Uint8Array(Buffer.from(text)))].sort()

  const found: readonly (readonly [string, string[]])[] = [
    [' \n{ "a" : 1 , "z" : [ { } , [ ] , "\\u00e9\\n" , -0.5E+3 , null ] }\t', ['a', 'no b']],
    ['{"\\u0061":1}', ['a', 'no b']],
    ['{"a":"\\u00E9"}', ['a', 'no b']],
    ['{"a":"é"}', ['a', 'no b']],
    ['{"a":"x\\"y"}', ['a', 'no b']],
    ['{"a":"\\u0001"}', ['a', 'no b']],
    ['{"a":1e0}', ['a', 'no b']],
    ['{"a":10e-1}', ['a', 'no b']],
    ['{"a":1.000000000000000000000}', ['a', 'no b']],
    ['{"a":-1}', ['no b']],
    ['{"a":1,"a":2}', ['no b']],
    ['{"a":2,"\\u0061":1}', ['a', 'no b']],
    ['{"b":{},"c":{"b":1,"b":2}}', ['no b']],
    ['{}', ['no b']],
  ]
  test.each(found)('%s', (text, names) => expect(find(text)).toEqual(names))

  const nothing = [
    '',
    ' ',
    '1',
    '[]',
    '[{"a":1}]',
    'null',
    '"a"',
    '{',
    '{"a":1',
    '{"a":1}}',
    '{"a":1} x',
    '{"a":1,}',
    '{a:1}',
  ]
  const broken = [
    '{"a":01}',
    '{"a":1.}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1e}',
    '{"a":"\n"}',
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
  ]
  const deep = [
    '{"z":[1,]}',
    '{"z":[}',
    '{"z":{]}',
    '{"z":{"y"}}',
    '{"z":tru}',
    '{"z":nul}',
    '{"z":[[[[]]]}',
    '\ufeff{"a":1}',
  ]
  test.each([...nothing, ...broken, ...deep])('%j is no event', (text) => expect(find(text)).toEqual([]))

  test('text that is no UTF-8 is no event where a rule looks', () => {
    const bytes = new Uint8Array(Buffer.from('{"a":"??"}'))
    bytes.set([0xc3, 0x28], 6)
    expect(matcher.match(bytes)).toEqual([])
  })

  test('depth costs no stack where no rule looks, and is bounded where one does', () => {
    const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(find(`{"a":1,"z":${nest(200_000)}}`)).toEqual(['a', 'no b'])
    expect(find(`{"a":${nest(PATTERN_LIMITS.eventDepthMax - 1)}}`)).toEqual(['no b'])
    expect(find(`{"a":${nest(PATTERN_LIMITS.eventDepthMax)}}`)).toEqual([])
    expect(matcher.matchParsed(JSON.parse(`{"a":${nest(PATTERN_LIMITS.eventDepthMax - 1)}}`))).toEqual(['no b'])
    expect(matcher.matchParsed(JSON.parse(`{"a":${nest(PATTERN_LIMITS.eventDepthMax)}}`))).toEqual([])
  })

  test('the bytes may be used again, and names that were given stay as they are', () => {
    const buffer = Buffer.from('{"x":1,"a":1}')
    const names = matcher.match(buffer)
    buffer.write('{"a":1,"b":1}')
    expect([...matcher.match(buffer)]).toEqual(['a'])
    buffer.write('{"x":1,"b":1}')
    expect(matcher.match(buffer)).toEqual([])
    buffer.write('{"x":1,"a":1}')
    expect([...matcher.match(buffer)].sort()).toEqual(['a', 'no b'])
    expect([...names].sort()).toEqual(['a', 'no b'])
  })

  test('keys in another order, or others, than in the event before', () => {
    const orders = [
      '{"a":1,"z":0,"b":2}',
      '{"z":0,"a":1}',
      '{"b":2,"a":2}',
      '{"ab":1,"a":1}',
      '{"a\\u0000":1}',
      '{"a.b":1,"a":1}',
    ]
    const expected = [['a'], ['a', 'no b'], [], ['a', 'no b'], ['no b'], ['a', 'no b']]
    for (const order of [orders, orders.toReversed()]) expect(order.map(find).sort()).toEqual(expected.toSorted())
    for (const text of orders) expect([...matcher.matchParsed(JSON.parse(text))].sort()).toEqual(find(text))
  })

  test('an event may lie in the middle of other bytes', () => {
    const all = new Uint8Array(Buffer.from('{"a":"x"}{"a":"\u00e9"}{"a":"x"}'))
    expect([...matcher.match(all.subarray(9, 19))].sort()).toEqual(['a', 'no b'])
  })
})

describe('rules', () => {
  test('one of the same name replaces the other; one that is removed is gone', () => {
    const matcher = createMatcher()
    matcher.add('rule', toPattern({ a: [1] }))
    expect(matcher.matchParsed({ a: 1 })).toEqual(['rule'])
    matcher.add('rule', toPattern({ a: [2] }))
    expect([matcher.matchParsed({ a: 1 }), matcher.matchParsed({ a: 2 }), matcher.rules]).toEqual([[], ['rule'], 1])
    expect([matcher.remove('rule'), matcher.remove('rule'), matcher.rules]).toEqual([true, false, 0])
    expect(matcher.matchParsed({ a: 2 })).toEqual([])
  })

  test('two matchers know nothing of one another', () => {
    const [one, other] = [createMatcher(), createMatcher()]
    one.add('one', toPattern({ a: [1] }))
    other.add('other', toPattern({ a: [{ exists: true }] }))
    expect([one.matchParsed({ a: 1 }), other.matchParsed({ a: 1 })]).toEqual([['one'], ['other']])
  })

  test('a rule is named once, in however many ways it matches', () => {
    const matcher = createMatcher()
    matcher.add('rule', toPattern({ $or: [{ a: [1, { numeric: ['>', 0] }] }, { a: [{ exists: true }] }] }))
    expect(matcher.matchParsed({ a: [1, 2, 3, 1] })).toEqual(['rule'])
  })

  /** Hundreds on the same few values, so that nodes fill and send on. */
  test('rules that differ in one field of several are told apart', () => {
    const matcher = createMatcher()
    const value = (at: number) => ({ a: at % 3, b: `b${at % 5}`, c: { prefix: `c${at % 7}-` }, d: `d${at}` })
    for (let at = 0; at < 315; at += 1) {
      const { a, b, c, d } = value(at)
      const tail = at % 2 === 0 ? { d: [d, 'every'] } : { d: [{ wildcard: `*${d}` }, 'every'] }
      matcher.add(String(at), toPattern({ a: [a], b: [b], c: [c], ...tail }))
    }
    for (let at = 0; at < 315; at += 1) {
      const { a, b, c, d } = value(at)
      const event = { a, b, c: `${c.prefix}x`, d }
      const expected = Array.from({ length: 315 }, (_, each) => each).filter((each) => each % 105 === at % 105)
      expect([...matcher.match(toBytes({ ...event, d: 'every' }))].map(Number).sort((x, y) => x - y)).toEqual(expected)
      expect(matcher.matchParsed(event)).toContain(String(at))
    }
    for (let at = 0; at < 315; at += 2) matcher.remove(String(at))
    for (let at = 0; at < 315; at += 1) {
      const { a, b, c } = value(at)
      const left = Array.from({ length: 315 }, (_, each) => each).filter(
        (each) => each % 105 === at % 105 && each % 2 > 0,
      )
      const found = matcher.matchParsed({ a, b, c: `${c.prefix}x`, d: 'every' })
      expect([...found].map(Number).sort((x, y) => x - y)).toEqual(left)
    }
  })
})
