import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { z } from 'zod'
import { createRegistry } from './create-registry.ts'
import { decodeRecord } from './parse-event.ts'
import { findRepublishErrors } from './republish.ts'

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  plain: z.object({ a: z.string(), b: z.number().optional() }),
  trimmed: z.object({ a: z.string().trim() }),
  longer: z.object({ a: z.string().overwrite((text) => `${text}!`) }),
  before: z.object({ a: z.preprocess((text) => `x${String(text)}`, z.string()) }),
  forced: z.object({ a: z.coerce.number() }),
  anything: z.unknown(),
  dated: z.object({ at: z.any().refine((value) => value instanceof Date) }),
}
const registry = createRegistry(
  Object.fromEntries(Object.entries(SCHEMAS).map(([name, data]) => [`a.${name}.v1`, { topic: 't', data }])),
)
const loop: { self?: unknown } = {}
loop.self = { loop }

const cases: readonly (readonly [type: string, given: unknown, isGood: boolean])[] = [
  ['plain', { a: 'x', b: 1 }, true],
  ['plain', { a: 'x', b: undefined, c: 'dropped' }, true],
  ['trimmed', { a: ' x ' }, true],
  ['forced', { a: '12' }, true],
  ['longer', { a: 'x' }, false],
  ['before', { a: 'x' }, false],
  ['dated', { at: new Date(0) }, false],
  ['anything', { at: new Date(0) }, true],
  ['anything', 12n, false],
  ['anything', () => 1, false],
  ['anything', undefined, true],
  ['anything', { a: { toJSON: () => 1n } }, false],
]
test.each(cases)('%s %p may be published: %p', (name, given, isGood) => {
  const type = `a.${name}.v1`
  const checked = registry.check(type, given)
  if (!checked.ok) throw new Error('expected it to pass its schema')
  const errors = findRepublishErrors(registry, type, { given, checked: checked.data })
  expect(errors.map(({ path }) => path.split('.')[0])).toEqual(isGood ? [] : ['data'])
})

test('what may be published is what is read', () => {
  const field = fc.oneof(fc.string(), fc.double(), fc.constant(undefined), fc.date(), fc.jsonValue())
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(SCHEMAS)), fc.record({ a: field, b: field }), (name, given) => {
      const type = `a.${name}.v1`
      const checked = registry.check(type, given)
      if (!checked.ok || findRepublishErrors(registry, type, { given, checked: checked.data }).length > 0) return
      const event = { specversion: '1.0', id: 'i', source: 's', type, subject: 'x', time: '2026-01-01T00:00:00Z' }
      const text = JSON.stringify({ ...event, data: checked.data })
      const read = decodeRecord(registry, { value: Buffer.from(text) })
      expect(JSON.stringify(read.data)).toBe(JSON.stringify(checked.data))
    }),
    { numRuns: 500 },
  )
})
