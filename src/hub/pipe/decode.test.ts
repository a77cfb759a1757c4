import { expect, test } from 'bun:test'
import { decodeJson } from './decode.ts'

const context = { key: '', headers: {} }

test('JSON is decoded up to the depth that patterns see; deeper, it is refused before it is parsed', () => {
  const nest = (depth: number): Uint8Array => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  expect(decodeJson(nest(500), context)).toBeArray()
  const begunAtMs = performance.now()
  for (const depth of [501, 50_000, 4_000_000])
    expect(() => decodeJson(nest(depth), context)).toThrow('at most 500 objects and arrays inside one another')
  expect(performance.now() - begunAtMs).toBeLessThan(200)
})

test('what is no JSON, or no UTF-8, is refused', () => {
  expect(() => decodeJson(Buffer.from('{'), context)).toThrow()
  expect(() => decodeJson(Uint8Array.of(0x22, 0xff, 0x22), context)).toThrow()
})
