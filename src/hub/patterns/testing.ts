import fc from 'fast-check'
import { contains } from '../../contracts/index.ts'
import { readAddress } from './address.ts'
import { type PatternParsed, parsePattern } from './parse-pattern.ts'
import type { Condition, Pattern, Scalar, Test } from './pattern.ts'

/** The pattern, or a test that fails with the reason. */
export function toPattern(json: unknown): Pattern {
  const parsed: PatternParsed = parsePattern(json)
  if (!parsed.ok) throw new Error(`${JSON.stringify(json)}: ${parsed.detail}`)
  return parsed.pattern
}

export const toBytes = (event: unknown): Uint8Array => new Uint8Array(Buffer.from(JSON.stringify(event)))

/** What event patterns mean, tried out one by one: every choice of values, each value against every test. */
export function matchesNaively(pattern: Pattern, event: unknown): boolean {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false
  const leaves = flatten(event)
  return pattern.branches.some((branch) => choose(branch, leaves, new Map()))
}

/** For each array that it lies in as part of an object or another array, the index of its element. */
type Membership = ReadonlyMap<unknown, number>
type Leaf = { readonly path: string; readonly value: Scalar; readonly membership: Membership }

function flatten(json: unknown, keys: readonly string[] = [], membership: Membership = new Map()): Leaf[] {
  if (typeof json !== 'object' || json === null) return [{ path: keys.join('.'), value: json as Scalar, membership }]
  if (!Array.isArray(json))
    return Object.entries(json).flatMap(([key, value]) => flatten(value, [...keys, key], membership))
  return json.flatMap((each, index) => {
    const isScalar = typeof each !== 'object' || each === null
    return flatten(each, keys, isScalar ? membership : new Map(membership).set(json, index))
  })
}

function choose(conditions: readonly Condition[], leaves: readonly Leaf[], chosen: Membership): boolean {
  const [condition, ...others] = conditions
  if (!condition) return true
  const there = leaves.filter(({ path, membership }) => path === condition.path && areConsistent(chosen, membership))
  if (there.length === 0 && condition.tests.some((test) => test.kind === 'exists' && !test.exists))
    if (choose(others, leaves, chosen)) return true
  return there.some(
    ({ value, membership }) =>
      condition.tests.some((test) => passesNaively(test, value)) &&
      choose(others, leaves, new Map([...chosen, ...membership])),
  )
}

const areConsistent = (chosen: Membership, membership: Membership): boolean =>
  [...membership].every(([array, index]) => (chosen.get(array) ?? index) === index)

function passesNaively(test: Test, value: Scalar): boolean {
  if (test.kind === 'equals') return test.value === value
  if (test.kind === 'exists') return test.exists
  if (test.kind === 'anything-but') return !test.except.some((each) => passesNaively(each, value))
  if (test.kind === 'numeric') {
    const { low, high, isLowOpen, isHighOpen } = test.range
    const isInside = typeof value === 'number' && value >= low && value <= high
    return isInside && !(isLowOpen && value === low) && !(isHighOpen && value === high)
  }
  if (typeof value !== 'string') return false
  const quote = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const toExpression = (): string => {
    if (test.kind === 'prefix') return `^${quote(test.text)}`
    if (test.kind === 'suffix') return `${quote(test.text)}$`
    if (test.kind === 'wildcard') return `^${test.segments.map(quote).join('[^]*')}$`
    return ''
  }
  if (test.kind === 'equals-ignore-case') return value.toUpperCase() === test.folded
  if (test.kind === 'prefix-ignore-case') return value.toUpperCase().indexOf(test.folded) === 0
  if (test.kind === 'suffix-ignore-case') return new RegExp(`${quote(test.folded)}$`).test(value.toUpperCase())
  if (test.kind === 'cidr') {
    const address = readAddress(value)
    return address !== null && contains(test.network, address)
  }
  return new RegExp(toExpression()).test(value)
}

/** Few keys, letters and numbers, so that random rules and events meet. */
const keys = fc.constantFrom('a', 'b', 'c', 'a.b')
const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'é', '*', '"'), maxLength: 4 }),
  fc.constantFrom('10.0.0.1', '010.0.0.01', '10.0.1.1', '::1', '0:0:0:0:0:0:0:1', 'ab', 'aab', 'abab', 'ß', 'SS'),
)
const numbers = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.constantFrom(0.5, 1e10, -0, 5e-324, 123456789012))
const scalars: fc.Arbitrary<Scalar> = fc.oneof(texts, texts, numbers, fc.boolean(), fc.constant(null))

const wildcards = fc
  .array(fc.constantFrom('a', 'b', 'ab', '\\*', ''), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('*').replace(/\*\*+/g, '*'))

const numerics = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), numbers),
  fc
    .tuple(fc.constantFrom('>', '>='), numbers, fc.constantFrom('<', '<='), fc.integer({ min: 1, max: 9 }))
    .map(([begins, low, ends, width]) => [begins, low, ends, low + width]),
)

const oneOrMore = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(each, fc.array(each, { minLength: 1, maxLength: 3 }))
const full = texts.filter((text) => text !== '')

const operators = fc.oneof(
  texts.map((prefix) => ({ prefix })),
  texts.map((suffix) => ({ suffix })),
  texts.map((text) => ({ prefix: { 'equals-ignore-case': text } })),
  texts.map((text) => ({ suffix: { 'equals-ignore-case': text } })),
  texts.map((text) => ({ 'equals-ignore-case': text })),
  wildcards.map((wildcard) => ({ wildcard })),
  numerics.map((numeric) => ({ numeric })),
  fc.constantFrom('10.0.0.0/24', '10.0.0.0/8', '::/0', '0.0.0.0/0').map((cidr) => ({ cidr })),
  fc.boolean().map((exists) => ({ exists })),
  oneOrMore(texts).map((text) => ({ 'anything-but': text })),
  oneOrMore(fc.integer({ min: 0, max: 3 })).map((number) => ({ 'anything-but': number })),
  oneOrMore(full).map((prefix) => ({ 'anything-but': { prefix } })),
  oneOrMore(full).map((suffix) => ({ 'anything-but': { suffix } })),
  oneOrMore(texts).map((text) => ({ 'anything-but': { 'equals-ignore-case': text } })),
  oneOrMore(wildcards).map((wildcard) => ({ 'anything-but': { wildcard } })),
)

type Json = Scalar | readonly Json[] | { readonly [key: string]: Json }

const { object } = fc.letrec<{ object: object; field: unknown; fields: object }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 2 },
    { weight: 3, arbitrary: fc.array(fc.oneof(scalars, operators), { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: tie('object') },
  ),
  fields: fc.dictionary(keys, tie('field'), { minKeys: 1, maxKeys: 3 }),
  object: fc
    .tuple(tie('fields'), fc.nat({ max: 5 }), fc.array(tie('fields'), { minLength: 2, maxLength: 3 }))
    .map(([fields, chance, $or]) => (chance === 0 ? { ...fields, $or } : fields)),
}))

/** Patterns that are none because of their wildcards or `$or` are thrown away. */
export const anyPattern: fc.Arbitrary<Pattern> = object
  .map(parsePattern)
  .filter((parsed) => parsed.ok)
  .map(({ pattern }) => pattern)

const { json } = fc.letrec<{ json: Json; values: Json }>((tie) => ({
  values: fc.oneof({ maxDepth: 4 }, scalars, scalars, fc.array(tie('values'), { maxLength: 3 }), tie('json')),
  json: fc.dictionary(keys, tie('values'), { maxKeys: 3 }),
}))

export const anyEvent: fc.Arbitrary<Json> = json
