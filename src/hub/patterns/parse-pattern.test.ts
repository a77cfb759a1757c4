import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PATTERN_LIMITS } from '../../kernel/index.ts'
import { parsePattern } from './parse-pattern.ts'
import type { PatternFaultCode } from './pattern.ts'

const taken: readonly (readonly [what: string, tests: readonly unknown[]])[] = [
  ['values of every kind', ['a', '', 1, -2.5, 1e300, true, false, null]],
  ['exactly', [{ exactly: 'a' }]],
  ['prefix and suffix, also empty', [{ prefix: 'a' }, { suffix: 'a' }, { prefix: '' }, { suffix: '' }]],
  ['affixes of any case', [{ prefix: { 'equals-ignore-case': 'a' } }, { suffix: { 'equals-ignore-case': '' } }]],
  ['equals-ignore-case', [{ 'equals-ignore-case': '' }]],
  ['wildcards', [{ wildcard: '' }, { wildcard: '*' }, { wildcard: 'a*b*' }, { wildcard: '\\*\\\\*' }]],
  ['anything-but', [{ 'anything-but': 'a' }, { 'anything-but': ['a', ''] }, { 'anything-but': [1, 2] }]],
  ['anything-but affixes', [{ 'anything-but': { prefix: 'a' } }, { 'anything-but': { suffix: ['a', 'b'] } }]],
  [
    'anything-but texts',
    [{ 'anything-but': { wildcard: ['', 'a*'] } }, { 'anything-but': { 'equals-ignore-case': '' } }],
  ],
  ['numbers compared', [{ numeric: ['=', 1] }, { numeric: ['<', 1] }, { numeric: ['>=', -1e12] }]],
  ['ranges', [{ numeric: ['>', 0, '<=', 5] }, { numeric: ['>=', 0, '<', 1e-9] }]],
  ['networks', [{ cidr: '10.0.0.7/24' }, { cidr: '0.0.0.0/0' }, { cidr: '2001:db8::/127' }]],
  ['exists', [{ exists: true }, { exists: false }]],
]
test.each(taken)('%s: taken', (_, tests) => {
  for (const each of tests) expect(parsePattern({ a: [each] })).toMatchObject({ ok: true })
})

const refusedTests: readonly (readonly [what: string, code: PatternFaultCode, tests: readonly unknown[]])[] = [
  ['an array in an array', 'pattern-field', [[], ['a']]],
  ['no operator', 'pattern-operator-unknown', [{}, { regex: 'a' }, { Prefix: 'a' }, { constructor: 'a' }]],
  ['two operators', 'pattern-operand', [{ prefix: 'a', suffix: 'b' }]],
  ['no string', 'pattern-operand', ['prefix', 'suffix', 'wildcard', 'equals-ignore-case', 'exactly'].flatMap(notText)],
  ['another operator in an affix', 'pattern-operand', [{ prefix: { suffix: 'a' } }, { suffix: { wildcard: 'a' } }]],
  ['stars and escapes', 'pattern-operand', [{ wildcard: 'a**' }, { wildcard: '\\a' }, { wildcard: 'a\\' }]],
  ['anything-but nothing', 'pattern-operand', [{ 'anything-but': [] }, { 'anything-but': { prefix: [] } }]],
  ['anything-but of two kinds', 'pattern-operand', [{ 'anything-but': ['a', 1] }, { 'anything-but': [1, null] }]],
  ['anything-but what is no text', 'pattern-operand', [{ 'anything-but': null }, { 'anything-but': true }]],
  [
    'anything-but every text',
    'pattern-operand',
    [{ 'anything-but': { prefix: '' } }, { 'anything-but': { suffix: ['a', ''] } }],
  ],
  ['anything-but an operator', 'pattern-operand', [{ 'anything-but': { numeric: ['=', 1] } }, { 'anything-but': {} }]],
  ['anything-but two', 'pattern-operand', [{ 'anything-but': { prefix: 'a', suffix: 'b' } }]],
  [
    'anything-but an affix of any case',
    'pattern-operand',
    [{ 'anything-but': { prefix: { 'equals-ignore-case': 'a' } } }],
  ],
  ['no comparison', 'pattern-operand', [1, [], ['='], ['==', 1], ['=', '1'], [1, '='], ['<>', 1]].map(numeric)],
  [
    'no range',
    'pattern-operand',
    [
      ['<', 1, '>', 0],
      ['>', 1, '<', 1],
      ['>', 2, '<', 1],
      ['=', 1, '<', 2],
    ].map(numeric),
  ],
  [
    'half a range',
    'pattern-operand',
    [
      ['>', 0, '<'],
      ['>', 0, '<', 1, '<', 2],
      ['>', 0, '<', 'a'],
    ].map(numeric),
  ],
  [
    'no network',
    'pattern-operand',
    ['10.0.0.0', '10.0.0/8', '10.0.0.0/33', 'a/8', '10.0.0.0/8/8', '::1/a', 8].map(cidr),
  ],
  ['one address', 'pattern-operand', ['10.0.0.1/32', '::1/128'].map(cidr)],
  ['exists something', 'pattern-operand', [{ exists: 'true' }, { exists: 1 }, { exists: null }]],
]
function notText(operator: string): unknown[] {
  return [1, null, ['a'], true].map((operand) => ({ [operator]: operand }))
}
function numeric(operand: unknown): unknown {
  return { numeric: operand }
}
function cidr(operand: unknown): unknown {
  return { cidr: operand }
}
test.each(refusedTests)('%s: refused as %s', (_, code, tests) => {
  for (const each of tests) expect([each, parsePattern({ a: ['x', each] })]).toMatchObject([each, { ok: false, code }])
})

const refused: readonly (readonly [pattern: unknown, code: PatternFaultCode, detail: string])[] = [
  ['{', 'pattern-not-object', 'expected a JSON object'],
  [undefined, 'pattern-not-object', 'expected a JSON object'],
  [[], 'pattern-not-object', 'got []'],
  ['"a"', 'pattern-not-object', 'got "a"'],
  [{}, 'pattern-empty', 'expected at least one field'],
  [{ a: {} }, 'pattern-empty', 'a: expected at least one field'],
  [{ a: { b: [] } }, 'pattern-empty', 'a.b: expected at least one value'],
  [{ a: { b: 'c' } }, 'pattern-field', 'a.b: expected an object or an array, got "c"'],
  [{ a: null }, 'pattern-field', 'a: '],
  [{ a: ['x'.repeat(PATTERN_LIMITS.patternCharactersMax)] }, 'pattern-too-long', 'at most 4096 characters'],
  [{ $or: [{ a: ['x'] }] }, 'pattern-or', 'at least two'],
  [{ $or: [{ a: ['x'] }, {}] }, 'pattern-empty', 'at least one field'],
  [{ b: { $or: [{ a: ['x'] }, 'y'] } }, 'pattern-or', 'b: $or: expected an array of at least two objects'],
  [{ $or: [{ a: ['x'] }, { b: { prefix: ['y'] } }] }, 'pattern-or', 'b.prefix: expected a field'],
]
test.each(refused)('%j is refused as %s', (pattern, code, detail) => {
  expect(parsePattern(pattern)).toMatchObject({ ok: false, code, detail: expect.stringContaining(detail) })
})

test('what refers to itself is refused as no JSON', () => {
  const pattern: Record<string, unknown> = {}
  pattern['a'] = pattern
  expect(parsePattern(pattern)).toMatchObject({ ok: false, code: 'pattern-not-object' })
})

describe('$or', () => {
  const pathsOf = (pattern: unknown): string[][] | null => {
    const parsed = parsePattern(pattern)
    return parsed.ok ? parsed.pattern.branches.map((branch) => branch.map(({ path }) => path)) : null
  }
  const [x, y] = [['x'], ['y']]
  const cases: readonly (readonly [what: string, pattern: unknown, paths: string[][]])[] = [
    ['two ways', { $or: [{ a: x }, { b: y }] }, [['a'], ['b']]],
    [
      'beside a field',
      { c: x, $or: [{ a: x }, { b: y }] },
      [
        ['a', 'c'],
        ['b', 'c'],
      ],
    ],
    ['within an object', { o: { $or: [{ a: x }, { b: y, c: x }] } }, [['o.a'], ['o.b', 'o.c']]],
    [
      'twice',
      { $or: [{ a: x }, { b: x }], o: { $or: [{ c: x }, { d: x }] } },
      [
        ['a', 'o.c'],
        ['b', 'o.c'],
        ['a', 'o.d'],
        ['b', 'o.d'],
      ],
    ],
    ['in itself', { $or: [{ a: x }, { b: x, $or: [{ c: x }, { d: x }] }] }, [['a'], ['b', 'c'], ['b', 'd']]],
    ['a field before an object', { $or: { a: x } }, [['$or.a']]],
    ['a field with values', { $or: ['x', null] }, [['$or']]],
    ['a field with operators', { $or: [{ prefix: 'x' }, { exists: false }] }, [['$or']]],
  ]
  test.each(cases)('%s', (_, pattern, paths) => expect(pathsOf(pattern)?.toSorted()).toEqual(paths.toSorted()))

  test('of two conditions on one path the last counts', () => {
    const inside = { $or: [{ a: ['inside'] }, { b: x }] }
    const values = (pattern: unknown) => {
      const parsed = parsePattern(pattern)
      return parsed.ok ? parsed.pattern.branches.map(([first]) => first?.tests[0]) : null
    }
    const equals = (value: string) => ({ kind: 'equals', value }) as const
    expect(values({ a: ['outside'], ...inside })).toEqual([equals('inside'), equals('outside')])
    expect(values({ ...inside, a: ['outside'] })).toEqual([equals('outside'), equals('outside')])
  })

  test('a thousand combinations at most', () => {
    const ways = (count: number) => Array.from({ length: count }, (_, at) => ({ [`f${at}`]: x }))
    const pattern = (last: number) => ({ a: { $or: ways(10) }, b: { $or: ways(10) }, c: { $or: ways(last) } })
    expect(pathsOf(pattern(10))).toHaveLength(1_000)
    expect(parsePattern(pattern(11))).toMatchObject({ ok: false, code: 'pattern-too-complex' })
  })
})

describe('wildcards that are too complex', () => {
  const cases: readonly (readonly [wildcards: readonly string[], isTaken: boolean])[] = [
    [['*'], true],
    [['a*b*c*d*e*f*g*h'], true],
    [['a*b*c*d*e*f*g*h*i*j*k'], false],
    [['*a*a*a*'], true],
    [['*a*a*a*a*a*a'], false],
    [['*aaaaaaaa'], true],
    [['*aaaaaaaaaa'], false],
    [['*:one/*', '*:two/*', '*:six/*'], true],
    [['*:one/*', '*:two/*', '*:six/*', '*:ten/*'], false],
  ]
  test.each(cases)('%j: taken %p', (wildcards, isTaken) => {
    const pattern = { a: wildcards.map((wildcard) => ({ wildcard })) }
    expect(parsePattern(pattern)).toMatchObject(isTaken ? { ok: true } : { ok: false, code: 'pattern-too-complex' })
  })

  test('those of anything-but count as one, those of different ways not together', () => {
    const wildcard = ['*:one/*', '*:two/*', '*:six/*', '*:ten/*']
    expect(parsePattern({ a: [{ 'anything-but': { wildcard } }] })).toMatchObject({ ok: true })
    const ways = wildcard.map((each, at) => ({ a: [at], b: [{ wildcard: each }] }))
    expect(parsePattern({ $or: ways })).toMatchObject({ ok: true })
  })

  test('any wildcards are judged in time', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*'), minLength: 500, maxLength: 3_000 })
    const anyWildcard = text.map((each) => each.replace(/\*\*+/g, '*'))
    fc.assert(
      fc.property(anyWildcard, (wildcard) => void parsePattern({ a: [{ wildcard }] })),
      { numRuns: 20 },
    )
  }, 20_000)
})

test('anything at all gets an answer', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.anything()), (json) => {
      const parsed = parsePattern(json)
      expect(parsed.ok || (parsed.code.startsWith('pattern-') && parsed.detail.length > 0)).toBe(true)
    }),
  )
})
