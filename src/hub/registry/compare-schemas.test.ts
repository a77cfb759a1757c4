import { expect, test } from 'bun:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { z } from 'zod'
import { EVENTS } from '../../contracts/index.ts'
import { faultCode } from '../../kernel/index.ts'
import { compareSchemas } from './compare-schemas.ts'
import type { JsonSchema } from './schema-alternatives.ts'

const toSchema = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: 'input' })
/** What is found, as `code path`. */
const compare = (before: z.ZodType, after: z.ZodType): string[] => compareJson(toSchema(before), toSchema(after))
const compareJson = (before: JsonSchema, after: JsonSchema): string[] =>
  compareSchemas(before, after).map(({ code, path }) => `${code} ${path}`)

const film = z.object({ name: z.string(), year: z.int() })
const shape = (kind: string, field: z.ZodRawShape) => z.object({ kind: z.literal(kind), ...field })
const square = shape('square', { edge: z.number() })
const circle = shape('circle', { radius: z.number() })
const line = shape('line', { length: z.number() })
type Tree = { value: number; children: Tree[] }
const treeOf = (value: z.ZodType<number>): z.ZodType<Tree> => {
  const tree: z.ZodType<Tree> = z.lazy(() => z.object({ value, children: z.array(tree) }))
  return tree
}

const compatible: readonly (readonly [string, z.ZodType, z.ZodType])[] = [
  ['a new optional field', film, film.extend({ country: z.string().optional() })],
  ['a new field with a default', film, film.extend({ country: z.string().default('') })],
  ['a required field that gets a default', film, film.extend({ year: z.int().default(0) })],
  ['an optional field that gets a default', film.partial(), film.partial().extend({ year: z.int().default(0) })],
  [
    'other words',
    film,
    film.extend({
      name: z
        .string()
        .describe('its title')
        .meta({ examples: ['Up'] }),
    }),
  ],
  ['fields in another order', film, z.object({ year: z.int(), name: z.string() })],
  ['a new value of an enum', z.enum(['a', 'b']), z.enum(['b', 'c', 'a'])],
  ['a literal that becomes an enum', z.literal('a'), z.enum(['a', 'b'])],
  ['an enum that becomes any string', z.enum(['a', 'b']), z.string()],
  ['wider bounds', z.string().min(2).max(5), z.string().min(1).max(6)],
  ['no bounds any more', z.array(z.int()).min(2).max(5), z.array(z.int())],
  ['positive that becomes non-negative', z.int().positive(), z.int().nonnegative()],
  ['the same integer bound, said otherwise', z.int().positive(), z.int().min(1)],
  ['a divisor of the step', z.int().multipleOf(6), z.int().multipleOf(3)],
  ['a pattern that goes', z.string().regex(/a/), z.string()],
  ['closed that becomes open', z.strictObject({ a: z.int() }), z.object({ a: z.int() })],
  ['closed that gains a field', z.strictObject({ a: z.int() }), z.strictObject({ a: z.int(), b: z.int().optional() })],
  ['a loose object that names a field of any type', z.looseObject({}), z.looseObject({ a: z.unknown().optional() })],
  ['one more of a union of objects', z.union([square, circle]), z.union([line, circle, square])],
  ['nullable, as before', z.object({ a: z.nullable(film) }), z.object({ a: z.union([z.null(), film]) })],
  ['a recursive schema, as before', treeOf(z.number().min(1)), treeOf(z.number().min(0))],
  ['anything, as before', z.record(z.string(), z.unknown()), z.record(z.string(), z.any())],
]
test.each(compatible)('%s is compatible', (_, before, after) => {
  expect(compare(before, after)).toEqual([])
})

const incompatible: readonly (readonly [string, z.ZodType, z.ZodType, ...string[]])[] = [
  ['a field removed', film, film.omit({ year: true }), 'field-removed /data/year'],
  [
    'a field renamed',
    film,
    z.object({ title: z.string(), year: z.int() }),
    'field-removed /data/name',
    'made-required /data/title',
  ],
  ['a field retyped', film, film.extend({ year: z.string() }), 'retyped /data/year'],
  ['an integer that becomes any number', z.int(), z.number(), 'retyped /data'],
  ['anything that gets a type', z.object({ a: z.unknown() }), z.object({ a: z.string() }), 'retyped /data/a'],
  ['a type that becomes anything', z.object({ a: z.string() }), z.object({ a: z.unknown() }), 'retyped /data/a'],
  ['a new required field', film, film.extend({ id: z.string() }), 'made-required /data/id'],
  ['a field made required', film.partial(), film, 'made-required /data/name', 'made-required /data/year'],
  ['a field made optional', film, film.partial({ name: true }), 'made-optional /data/name'],
  [
    'a default that goes',
    z.object({ a: z.int().default(1) }),
    z.object({ a: z.int().optional() }),
    'made-optional /data/a',
  ],
  ['a value of an enum removed', z.enum(['a', 'b']), z.enum(['b']), 'value-removed /data'],
  ['any string that becomes an enum', z.string(), z.enum(['b']), 'tightened /data'],
  ['a greater minimum', z.int().min(1), z.int().min(2), 'tightened /data'],
  ['a smaller maximum', z.number().max(9), z.number().max(8), 'tightened /data'],
  ['a bound that becomes exclusive', z.number().max(9), z.number().lt(9), 'tightened /data'],
  ['a new bound', z.string(), z.string().max(9), 'tightened /data'],
  ['a new least length', z.array(z.int()), z.array(z.int()).min(1), 'tightened /data'],
  ['another step', z.int().multipleOf(3), z.int().multipleOf(6), 'tightened /data'],
  ['another pattern', z.string().regex(/a/), z.string().regex(/b/), 'tightened /data'],
  ['one more pattern', z.string().regex(/a/), z.string().regex(/a/).regex(/b/), 'tightened /data'],
  ['a new format', z.string(), z.url(), 'tightened /data'],
  ['an object closed', z.object({ a: film }), z.object({ a: film.strict() }), 'closed /data/a'],
  [
    'a nested field',
    z.object({ a: z.object({ b: film }) }),
    z.object({ a: z.object({ b: film.omit({ name: true }) }) }),
    'field-removed /data/a/b/name',
  ],
  ['a field of a list', z.array(film), z.array(film.omit({ name: true })), 'field-removed /data/*/name'],
  ['a list of something else', z.array(z.int()), z.array(z.string()), 'retyped /data/*'],
  [
    'a pair that becomes a triple',
    z.tuple([z.int(), z.int()]),
    z.tuple([z.int(), z.int(), z.int()]),
    'tightened /data',
    'changed /data',
  ],
  ['a place of a pair', z.tuple([z.int(), z.int()]), z.tuple([z.int(), z.string()]), 'retyped /data/1'],
  ['values of a record', z.record(z.string(), z.int()), z.record(z.string(), z.string()), 'retyped /data/*'],
  [
    'values of a record that may be anything',
    z.record(z.string(), z.int()),
    z.record(z.string(), z.unknown()),
    'retyped /data/*',
  ],
  ['names of a record', z.record(z.string(), z.int()), z.record(z.string().max(3), z.int()), 'tightened /data'],
  ['a record that becomes closed', z.record(z.string(), z.int()), z.strictObject({}), 'closed /data'],
  ['one less of a union', z.union([square, circle, line]), z.union([square, line]), 'alternative-removed /data'],
  ['a union where there was none', square, z.union([square, circle]), 'alternative-added /data'],
  [
    'null where there was none',
    z.object({ a: z.string() }),
    z.object({ a: z.string().nullable() }),
    'alternative-added /data/a',
  ],
  [
    'no null any more',
    z.object({ a: z.string().nullable() }),
    z.object({ a: z.string() }),
    'alternative-removed /data/a',
  ],
  [
    'inside of a union',
    z.union([square, circle]),
    z.union([square, shape('circle', { radius: z.string() })]),
    'retyped /data/radius',
  ],
  ['inside of what may be null', z.nullable(film), z.nullable(film.omit({ name: true })), 'field-removed /data/name'],
  [
    'inside of an intersection',
    z.intersection(square, film),
    z.intersection(square, film.omit({ year: true })),
    'field-removed /data/year',
  ],
  [
    'deep in a recursive schema',
    treeOf(z.number()),
    treeOf(z.number().max(1)),
    'tightened /data/value',
    'tightened /data/children/*/value',
  ],
  [
    'a loose object that gives a type to what it let through',
    z.looseObject({}),
    z.looseObject({ a: z.int().optional() }),
    'retyped /data/a',
  ],
  ['a name with a slash', z.object({ 'a/b~': z.int() }), z.object({}), 'field-removed /data/a~1b~0'],
]
test.each(incompatible)('%s is incompatible', (_, before, after, ...expected) => {
  expect(compare(before, after)).toEqual(expected)
})

const byHand: readonly (readonly [string, JsonSchema, JsonSchema, readonly string[]])[] = [
  ['a keyword nobody here knows', { not: { type: 'null' } }, { not: { type: 'string' } }, ['changed /data']],
  [
    'a shared definition',
    { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { type: 'string' } } },
    { type: 'object', properties: { a: { $ref: '#/$defs/B' } }, $defs: { B: { type: 'string', maxLength: 3 } } },
    ['tightened /data/a'],
  ],
  ['a definition under another name', { $ref: '#/$defs/A', $defs: { A: { type: 'null' } } }, { type: 'null' }, []],
  ['allOf that says the same', { allOf: [{ type: 'string' }, { maxLength: 3 }] }, { type: 'string', maxLength: 3 }, []],
  ['types that go', { type: ['string', 'integer'] }, { type: 'string' }, ['alternative-removed /data']],
  ['a boolean schema', { type: 'array', items: true }, { type: 'array', items: {} }, []],
  [
    'an object without its type',
    { properties: { a: { type: 'null' } } },
    { properties: {} },
    ['field-removed /data/a'],
  ],
  ['a media type more', { type: 'string', contentMediaType: 'a/b' }, { type: 'string' }, []],
]
test.each(byHand)('written by hand: %s', (_, before, after, expected) => {
  expect(compareJson(before, after)).toEqual([...expected])
})

test('every schema of the platform is compatible with itself, and never with one of its fields gone', () => {
  for (const { data } of Object.values(EVENTS)) {
    expect(compare(data, data)).toEqual([])
    for (const name of Object.keys(data.shape)) {
      const without = z.object(Object.fromEntries(Object.entries(data.shape).filter(([each]) => each !== name)))
      expect(compare(data, without)).toEqual([`field-removed /data/${name}`])
    }
  }
})

const unreadable: readonly JsonSchema[] = [
  { $ref: '#/$defs/none' },
  { $ref: 'https://example.com/schema' },
  { $ref: '#' },
  { $ref: '#/%' },
  { allOf: [3] },
  { allOf: Array.from({ length: 40 }, () => ({ anyOf: [{ minLength: 1 }, { maxLength: 9 }] })) },
]
test.each(unreadable)('%j cannot be compared, and says so', (schema) => {
  expect(() => compareSchemas(schema, schema)).not.toThrow()
  const copy = structuredClone(schema)
  let thrown: unknown
  try {
    compareSchemas(schema, copy)
  } catch (error) {
    thrown = error
  }
  expect(faultCode(thrown)).toBe('schema-unreadable')
})

test('a schema that comes to refer to itself where nothing was said before is compared', () => {
  const itself = { additionalProperties: { $ref: '#' } }
  for (const [before, after] of [
    [{}, itself],
    [itself, {}],
    [true as unknown as JsonSchema, itself],
  ] as const)
    expect(Array.isArray(compareSchemas(before, after))).toBe(true)
  let deep: JsonSchema = {}
  for (let level = 0; level < 20_000; level++) deep = { items: deep }
  expect(() => compareSchemas({}, deep)).toThrow('levels deep')
})

test('whatever is in a schema file, it is compared or refused', () => {
  const schema: fc.Arbitrary<JsonSchema> = fc.letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.dictionary(
      fc.constantFrom(
        'type',
        'anyOf',
        'allOf',
        '$ref',
        'enum',
        'items',
        'properties',
        'required',
        'minimum',
        'const',
        'additionalProperties',
        'propertyNames',
        'pattern',
      ),
      fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.constantFrom('#', 'object', 'string', ['null', 'array']),
        tie('schema'),
        fc.array(tie('schema'), { maxLength: 3 }),
      ),
      { maxKeys: 4 },
    ),
  })).schema
  fc.assert(
    fc.property(schema, schema, (before, after) => {
      try {
        for (const { path } of compareSchemas(before, after)) expect(path).toStartWith('/data')
      } catch (error) {
        expect(faultCode(error)).toBe('schema-unreadable')
      }
    }),
    { numRuns: 150 },
  )
})

type Pair = readonly [before: z.ZodType, after: z.ZodType]
const both = (pair: Pair, make: (schema: z.ZodType) => z.ZodType): Pair => [make(pair[0]), make(pair[1])]
const LEAVES: readonly z.ZodType[] = [
  ...[z.int(), z.int().min(1), z.int().max(1), z.int().multipleOf(2), z.int().gt(0), z.number(), z.number().lt(1)],
  ...[z.string(), z.string().max(1), z.string().min(1), z.string().regex(/a/), z.literal('a'), z.enum(['a', 'b'])],
  ...[z.enum(['a', 'b', 'c']), z.null(), z.boolean(), z.unknown(), z.literal(['a', 1])],
]
const PRESENCES = [
  (schema: z.ZodType): z.ZodType => schema,
  (schema: z.ZodType): z.ZodType => schema.optional(),
  (schema: z.ZodType): z.ZodType => (schema.safeParse('a').success ? schema.default('a') : schema),
]
const OBJECTS = [z.object, z.strictObject, z.looseObject]
const toObject = (make: (shape: z.ZodRawShape) => z.ZodType, fields: readonly (readonly [string, z.ZodType])[]) =>
  make(Object.fromEntries(fields))
/** Twice the same, or nearly always. */
const alike = <T>(values: readonly T[]): fc.Arbitrary<readonly [T, T]> => {
  const any = fc.constantFrom(...values)
  return fc.oneof(
    { weight: 4, arbitrary: any.map((value) => [value, value] as const) },
    { weight: 1, arbitrary: fc.tuple(any, any) },
  )
}
/** A small schema and what might have become of it, over a few names and values. */
const changed: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair }>((tie) => {
  const field = fc.tuple(tie('pair'), alike(PRESENCES), alike([true, true, true, false]))
  const object = fc.tuple(fc.dictionary(fc.constantFrom('a', 'b'), field, { maxKeys: 2 }), alike(OBJECTS))
  const union = fc.tuple(tie('pair'), tie('pair'), fc.constantFrom('same', 'swapped', 'more'))
  return {
    pair: fc.oneof(
      { maxDepth: 3 },
      alike(LEAVES),
      object.map(([fields, [makeBefore, makeAfter]]): Pair => {
        const sides = ([0, 1] as const).map((side) =>
          Object.entries(fields)
            .filter(([, [, , kept]]) => kept[side])
            .map(([name, [pair, presence]]) => [name, presence[side](pair[side])] as const),
        )
        return [toObject(makeBefore, sides[0] ?? []), toObject(makeAfter, sides[1] ?? [])]
      }),
      tie('pair').map((pair) => both(pair, (items) => z.array(items))),
      tie('pair').map((pair) => both(pair, (values) => z.record(z.string(), values))),
      union.map(([one, other, how]): Pair => {
        const after = how === 'swapped' ? [other[1], one[1]] : [one[1], other[1]]
        return [how === 'more' ? one[0] : z.union([one[0], other[0]]), z.union(after)]
      }),
    ),
  }
}).pair
const smallValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom<unknown>('a', 'b', 'c', 'aa', '', 0, 1, 2, -1, 0.5, null, true),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
})).value

test('what an archive holds by one schema passes every schema that is called compatible', () => {
  let pairs = 0
  fc.assert(
    fc.property(changed, fc.array(smallValue, { minLength: 8, maxLength: 8 }), ([before, after], values) => {
      if (isDeepStrictEqual(toSchema(before), toSchema(after)) || compare(before, after).length > 0) return
      pairs += 1
      for (const value of values) {
        const kept = before.safeParse(value)
        if (kept.success) expect(after.safeParse(JSON.parse(JSON.stringify(kept.data))).success).toBe(true)
      }
    }),
    { numRuns: 1_500 },
  )
  expect(pairs).toBeGreaterThan(20)
})
