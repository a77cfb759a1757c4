import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isJsonTextDeep, isJsonValueDeep } from './json-depth.ts'

const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

const cases: readonly (readonly [string, string, boolean])[] = [
  ['as deep as may be, arrays', arrays(500), false],
  ['one deeper, arrays', arrays(501), true],
  ['as deep as may be, objects', objects(500), false],
  ['one deeper, objects', objects(501), true],
  ['many side by side', `[${Array.from({ length: 2_000 }, () => '{}').join(',')}]`, false],
  ['brackets in a text', JSON.stringify('['.repeat(5_000)), false],
  ['brackets behind an escaped quote', JSON.stringify(`"${'['.repeat(5_000)}`), false],
  ['brackets behind a text that ends in a backslash', `["\\\\",${arrays(500)}]`, true],
]
test.each(cases)('%s', (_name, text, isDeep) => {
  expect(isJsonTextDeep(text, 500)).toBe(isDeep)
  expect(isJsonValueDeep(JSON.parse(text), 500)).toBe(isDeep)
})

test('text and value agree, whatever the value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 8 }), (value, depthMax) => {
      expect(isJsonTextDeep(JSON.stringify(value), depthMax)).toBe(isJsonValueDeep(value, depthMax))
    }),
  )
})

test('a text of 8 MB costs no stack and little time, whatever is in it', () => {
  const texts = ['['.repeat(8e6), '"'.repeat(8e6), `"${'\\'.repeat(8e6)}`, `"${'\\"'.repeat(4e6)}`, '[],'.repeat(2.6e6)]
  for (const text of texts) {
    const begunAtMs = performance.now()
    isJsonTextDeep(text, 500)
    expect(performance.now() - begunAtMs).toBeLessThan(500)
  }
})
