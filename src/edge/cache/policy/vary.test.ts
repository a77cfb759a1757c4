import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Fields, request } from './testing.ts'
import { decideVariant, NO_VARIANTS, toLookupKey, type VariantIndex } from './variants.ts'
import { matchesVariant, parseVary, toVariantKey } from './vary.ts'

test.each([
  [null, []],
  ['', []],
  ['Accept-Encoding', ['accept-encoding']],
  ['b, A ,b,', ['a', 'b']],
  ['*', null],
  ['a, *', null],
  ['a b', null],
])('Vary %p', (value, expected) => expect(parseVary(value)).toEqual(expected))

type Pair = readonly [field: string, one: Fields[string] | null, other: Fields[string] | null, same: boolean]

const PAIRS: readonly Pair[] = [
  ['accept-encoding', 'gzip, br', 'br,gzip', true],
  ['accept-encoding', 'gzip;q=0.5, br', 'BR;q=1.0 , GZIP', true],
  ['accept-encoding', 'gzip', 'x-gzip', true],
  ['accept-encoding', ['gzip', 'br'], 'br, gzip', true],
  ['accept-encoding', 'identity', '', true],
  ['accept-encoding', 'gzip, identity;q=0.5', 'gzip', true],
  ['accept-encoding', 'gzip, identity;q=0', 'gzip', false],
  ['accept-encoding', 'gzip;q=0', '', true],
  ['accept-encoding', 'gzip, br;q=0', 'gzip', true],
  ['accept-encoding', '*, br;q=0', '*', false],
  ['accept-encoding', '*;q=0', '', false],
  ['accept-encoding', '*;q=0, identity', '*;q=0', false],
  ['accept-encoding', 'gzip, foo', 'gzip', false],
  ['accept-encoding', 'gzip;q=nonsense', 'gzip', false],
  ['accept-encoding', 'gzip', 'br', false],
  ['accept-encoding', '', null, false],
  ['accept-language', 'de-DE, en ; q=0.5', 'DE-de,en;q=0.5', true],
  ['accept-language', 'de;q=1', 'de', true],
  ['accept-language', 'de, en', 'en, de', false],
  ['user-agent', ' x ', 'x', true],
  ['user-agent', 'x', 'X', false],
  ['user-agent', '', null, false],
  ['cookie', 'a=1', 'a=1', true],
  ['cookie', 'a=1', 'a=2', false],
]

test.each(PAIRS)('%s: %p and %p: %p', (field, one, other, same) => {
  const asked = (value: Fields[string] | null) => request(value === null ? {} : { [field]: value })
  const stored = { varyFields: [field], key: toVariantKey([field], asked(one)) }
  expect(matchesVariant(stored, asked(other))).toBe(same)
  expect(matchesVariant(stored, asked(one))).toBe(true)
})

test.each(['authorization', 'cookie', 'proxy-authorization'])('the value of %s is not in the key', (field) => {
  expect(toVariantKey([field], request({ [field]: 'secret' }))).not.toContain('secret')
})

test('keys are short, and differ where a field that is not normalised differs', () => {
  const value = fc.option(fc.oneof(fc.string({ maxLength: 400 }), fc.constantFrom('#', 'a', 'a\nb')))
  const asked = (a: string | null, b: string | null) =>
    request({ ...(a === null ? {} : { 'x-a': a }), ...(b === null ? {} : { 'x-b': b }) })
  const trimmed = (text: string | null): string | null => text?.trim() ?? null
  fc.assert(
    fc.property(value, value, value, value, (a, b, c, d) => {
      const [one, other] = [asked(a, b), asked(c, d)].map((head) => toVariantKey(['x-a', 'x-b'], head))
      expect(one === other).toBe(trimmed(a) === trimmed(c) && trimmed(b) === trimmed(d))
      expect(one?.length).toBeLessThan(600)
    }),
  )
})

test('any Accept-Encoding and Accept-Language is normalised without throwing, and once for all', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('accept-encoding', 'accept-language'),
      (value, field) => {
        expect(toVariantKey([field], request({ [field]: value }))).toBeString()
      },
    ),
  )
})

const LIMITS = { variantsMax: 3, varyFieldsMax: 2 }
const add = (index: VariantIndex, varyFields: readonly string[], fields: Fields) =>
  decideVariant(index, { varyFields, request: request(fields) }, LIMITS)

test('what is stored is found again, by a request that matches only', () => {
  const { index, key, drop } = add(NO_VARIANTS, ['x-a'], { 'x-a': '1' })
  expect(drop).toEqual([])
  expect(toLookupKey(index, request({ 'x-a': '1' }))).toBe(key)
  expect(index.keys).not.toContain(toLookupKey(index, request({ 'x-a': '2' })))
})

test('answers that vary by other fields are kept under all of them', () => {
  const first = add(NO_VARIANTS, ['x-b'], { 'x-b': '1' })
  const second = add(first.index, ['x-a'], { 'x-a': '2' })
  expect(second.index.fields).toEqual(['x-a', 'x-b'])
  expect(second.drop).toEqual([first.key])
  expect(add(second.index, [], {}).index.fields).toEqual(['x-a', 'x-b'])
  expect(add(second.index, ['x-c'], {})).toMatchObject({ index: { fields: ['x-c'] }, drop: [second.key] })
})

test('no more variants than the limit, the oldest goes', () => {
  let index = NO_VARIANTS
  const keys: string[] = []
  for (const value of ['1', '2', '3', '1', '4']) {
    const decision = add(index, ['x-a'], { 'x-a': value })
    index = decision.index
    keys.push(decision.key)
    expect(decision.drop).toEqual(value === '4' ? [keys[1] ?? ''] : [])
  }
  expect(index.keys).toEqual([keys[2] ?? '', keys[0] ?? '', keys[4] ?? ''])
})
