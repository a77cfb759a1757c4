import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { z } from 'zod'
import { EVENTS } from '../../contracts/index.ts'
import { compileQuickCheck } from './quick-check.ts'

/** Whatever it takes, Zod takes, and changes nothing. */
function agrees(schema: z.ZodType, data: unknown): 'taken' | 'unsure' {
  if (!compileQuickCheck(schema)(data)) return 'unsure'
  const checked = schema.safeParse(data)
  expect(checked.success).toBe(true)
  expect(checked.data).toStrictEqual(data)
  return 'taken'
}

const tree = z.object({
  name: z.string(),
  get branches() {
    return z.array(tree).optional()
  },
})
const nested = z.object({
  id: z.string().min(2).max(5),
  tags: z
    .array(z.enum(['a', 'b']))
    .min(1)
    .max(3),
  size: z.int().nonnegative().max(10),
  score: z.number().gt(-5).lt(5).nullable(),
  note: z.string().optional(),
  kind: z.literal(['x', 1, null]),
  deep: z.object({ on: z.boolean(), '2': z.string(), '1': z.string() }).optional(),
  code: z.string().regex(/^[a-c]{1,3}$/),
})

const CASES: readonly (readonly [name: string, schema: z.ZodType, data: unknown, expected: 'taken' | 'unsure'])[] = [
  ['a field too many is left out', z.object({ a: z.int() }), { b: 1, a: 2 }, 'unsure'],
  ['a field too few', z.object({ a: z.int() }), {}, 'unsure'],
  ['an optional one that is not there', z.object({ a: z.int().optional() }), {}, 'taken'],
  ['an optional one without a value', z.object({ a: z.int().optional() }), { a: undefined }, 'unsure'],
  ['a text that needs no trimming', z.object({ a: z.string().trim() }), { a: 'b' }, 'taken'],
  ['a loose object that has no more', z.looseObject({ a: z.int() }), { a: 1 }, 'taken'],
  ['a strict object that has no more', z.strictObject({ a: z.int() }), { a: 1 }, 'taken'],
  ['a text in the end of itself', tree, { name: 'a' }, 'taken'],
  ['a coerced number that is one', z.coerce.number(), 1, 'taken'],
  ['a default for what is not there', z.object({ a: z.int().default(1) }), {}, 'unsure'],
  ['a default for what is there', z.object({ a: z.int().default(1) }), { a: 2 }, 'taken'],
  ['an optional default', z.object({ a: z.int().default(1).optional() }), {}, 'unsure'],
  ['null where nothing may be', z.object({ a: z.int().optional() }), { a: null }, 'unsure'],
  ['a field of the prototype', z.object({ constructor: z.string() }), {}, 'unsure'],
  [
    'a field called __proto__',
    z.object(
      Object.fromEntries([
        ['__proto__', z.int()],
        ['a', z.int()],
      ]),
    ),
    JSON.parse('{"__proto__":2,"a":1}'),
    'unsure',
  ],
  ['an array for an object', z.object({}), [], 'unsure'],
  ['nothing for an object', z.object({}), null, 'unsure'],
  ['a strict object', z.strictObject({ a: z.int() }), { a: 1, b: 2 }, 'unsure'],
  ['a loose object', z.looseObject({ a: z.int() }), { a: 1, b: 2 }, 'unsure'],
  ['a rule of its own', z.object({ a: z.int() }).refine(({ a }) => a > 1), { a: 1 }, 'unsure'],
  [
    'a rule of its own within',
    z.object({ o: z.object({ a: z.int() }).refine(({ a }) => a > 1) }),
    { o: { a: 2 } },
    'unsure',
  ],
  ['a transformation', z.object({ a: z.string().transform((text) => text.length) }), { a: 'abc' }, 'unsure'],
  ['a text that is trimmed', z.object({ a: z.string().trim() }), { a: ' b ' }, 'unsure'],
  ['a text in lower case', z.string().toLowerCase().max(3), 'ABC', 'unsure'],
  ['a coerced number', z.object({ a: z.coerce.number() }), { a: '1' }, 'unsure'],
  ['a coerced text', z.coerce.string(), 1, 'unsure'],
  ['two units in one character, at the most', z.string().max(1), '😀', 'unsure'],
  ['two units in one character, at the least', z.string().min(2), '😀', 'unsure'],
  ['four units in two characters', z.string().min(2), '😀😀', 'taken'],
  ['an expression that remembers', z.string().regex(/a/g), 'a', 'taken'],
  ['an address', z.object({ a: z.url() }), { a: 'http://example.com/' }, 'taken'],
  ['no number', z.number(), Number.NaN, 'unsure'],
  ['no end', z.number(), Number.POSITIVE_INFINITY, 'unsure'],
  ['not whole', z.int(), 1.5, 'unsure'],
  ['too large to be exact', z.int(), 2 ** 53, 'unsure'],
  ['less than nothing', z.int().nonnegative(), -0, 'taken'],
  ['a multiple', z.number().multipleOf(2), 3, 'unsure'],
  ['32 bits', z.int32(), 2 ** 31, 'unsure'],
  ['one of several', z.union([z.int(), z.string()]), 'a', 'taken'],
  ['one of several kinds', z.discriminatedUnion('k', [z.object({ k: z.literal('a') })]), { k: 'a', b: 1 }, 'unsure'],
  ['a hole in an array', z.array(z.int()), Object.assign([1], { 2: 2 }), 'unsure'],
  ['by name', z.record(z.string(), z.int()), { a: 1 }, 'unsure'],
  ['read only', z.object({ a: z.object({ b: z.int() }).readonly() }), { a: { b: 1 } }, 'unsure'],
  ['anything', z.object({ a: z.unknown() }), { a: { b: [1] } }, 'taken'],
  [
    'one that holds itself',
    tree,
    { name: 'a', branches: [{ name: 'b', branches: [{ name: 'c', more: 1 }] }] },
    'unsure',
  ],
  ['one that holds what is none', tree, { name: 'a', branches: [{ name: 'b', branches: [{}] }] }, 'unsure'],
  ['an object of a class', z.object({ href: z.string() }), new URL('http://a/'), 'unsure'],
]

test.each(CASES)('%s', (_, schema, data, expected) => {
  expect(agrees(schema, data)).toBe(expected)
})

const part = fc.oneof(
  fc.constantFrom<unknown>(
    'x',
    1,
    null,
    undefined,
    true,
    '',
    'a',
    'ab',
    'abc',
    '😀',
    'abcdef',
    0,
    -0,
    1.5,
    11,
    Number.NaN,
  ),
  fc.string(),
  fc.jsonValue(),
)
const nearly = fc.record(
  {
    id: fc.oneof(fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }), part),
    tags: fc.oneof(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }), part),
    size: fc.oneof(fc.integer({ min: -1, max: 11 }), part),
    score: fc.oneof(fc.double({ min: -6, max: 6 }), part),
    note: part,
    kind: fc.oneof(fc.constantFrom('x', 1, null), part),
    deep: fc.oneof(fc.record({ on: fc.boolean(), '2': fc.string(), '1': fc.string(), more: part }), part),
    code: fc.oneof(fc.stringMatching(/^[a-d]{1,3}$/), part),
    more: part,
  },
  { requiredKeys: [] },
)

test('what it takes Zod takes, and makes the same of, whatever the data', () => {
  fc.assert(
    fc.property(nearly, (data) => void agrees(nested, data)),
    { numRuns: 2_000 },
  )
})

test('data that is good in the plain way is taken', () => {
  const data = {
    id: 'abcd',
    tags: ['a'],
    size: 1,
    score: null,
    kind: 'x',
    code: 'abc',
    deep: { '1': '', '2': '', on: true },
  }
  expect(agrees(nested, data)).toBe('taken')
  expect(agrees(nested, { ...data, note: 'n', score: 4.9 })).toBe('taken')
  expect(agrees(nested, { ...data, more: {} })).toBe('unsure')
})

test('the platform’s own events: the same as Zod, of whatever looks like them', () => {
  for (const { data } of Object.values(EVENTS)) {
    const json = z.toJSONSchema(data, { unrepresentable: 'any', io: 'input' })
    const names = Object.keys(json.properties ?? {})
    const like = fc.record(Object.fromEntries(names.map((name) => [name, part])), { requiredKeys: [] })
    fc.assert(
      fc.property(like, (given) => void agrees(data, given)),
      { numRuns: 50 },
    )
  }
})
