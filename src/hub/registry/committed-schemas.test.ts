import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { createRegistry } from './create-registry.ts'
import { exportSchema, printSchema, schemaFileName } from './export-schema.ts'
import { platformRegistry } from './platform.ts'
import { reviewSchemas, type SchemaReview } from './review-schemas.ts'

const DIRECTORY = join(import.meta.dir, '../../contracts/schemas')
const committed = new Map<string, unknown>(
  readdirSync(DIRECTORY).map((name) => [
    name.replace(/\.json$/, ''),
    JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')),
  ]),
)
const types = platformRegistry.types()
const isSame = ({ verdict }: SchemaReview): boolean => verdict === 'same'

/** A change that is compatible fails too, until it is written: the next one is to be compared with it. */
test('every event of the platform is as its committed schema says (else: tentpole schemas check --write)', () => {
  const reviews = reviewSchemas({ registry: platformRegistry, types, committed })
  expect(reviews.filter((review) => !isSame(review))).toEqual([])
  expect(reviews.length).toBeGreaterThanOrEqual(16)
})

test('the files are what --write prints', () => {
  for (const type of types)
    expect(readFileSync(join(DIRECTORY, schemaFileName(type)), 'utf8')).toBe(
      printSchema(exportSchema(platformRegistry, type)),
    )
})

const TYPE = 'tentpole.title.failed.v1'
const reviewOne = (schema: unknown): SchemaReview | undefined =>
  reviewSchemas({ registry: platformRegistry, types: [TYPE], committed: new Map([[TYPE, schema]]) })[0]
const kept = committed.get(TYPE) as { properties: Record<string, unknown>; required: string[] }

test('it does not let a change pass that would break a reader', () => {
  const withField = { ...kept, properties: { ...kept.properties, stage: { type: 'string' } } }
  expect(reviewOne(withField)).toMatchObject({
    verdict: 'incompatible',
    reasons: ['/data/stage field-removed: readers rely on it'],
  })
  const retyped = { ...kept, properties: { ...kept.properties, code: { type: 'integer' } } }
  expect(reviewOne(retyped)).toMatchObject({ verdict: 'incompatible', incompatibilities: [{ path: '/data/code' }] })
  const { code: _, ...fewer } = kept.properties
  const without = { ...kept, properties: fewer, required: kept.required.filter((name) => name !== 'code') }
  expect(reviewOne(without)).toMatchObject({ verdict: 'incompatible', incompatibilities: [{ code: 'made-required' }] })
})

test('what is new, gone, unreadable or only said otherwise is told apart', () => {
  expect(reviewOne({ ...kept, description: 'Refused or given up' })?.verdict).toBe('compatible')
  expect(reviewOne(3)?.verdict).toBe('unreadable')
  expect(reviewOne({ $ref: '#/$defs/none' })?.verdict).toBe('unreadable')
  const reviews = reviewSchemas({ registry: platformRegistry, types: [TYPE], committed: new Map([['a.b.v1', kept]]) })
  expect(reviews.map(({ type, verdict }) => [type, verdict])).toEqual([
    [TYPE, 'new'],
    ['a.b.v1', 'removed'],
  ])
})

test('an opaque payload has a schema too: its media types may become more, never less', () => {
  const toReview = (before: readonly string[] | null, after: readonly string[] | null): unknown => {
    const [old, now] = [before, after].map((contentTypes) =>
      createRegistry({ 'a.b.v1': { topic: 'x', data: null, ...(contentTypes && { contentTypes }) } }),
    )
    if (!old || !now) return null
    const files = new Map([['a.b.v1', exportSchema(old, 'a.b.v1')]])
    return reviewSchemas({ registry: now, types: ['a.b.v1'], committed: files })[0]?.verdict
  }
  expect(toReview(['image/png'], ['image/png', 'image/gif'])).toBe('compatible')
  expect(toReview(['image/png'], null)).toBe('compatible')
  expect(toReview(['image/png', 'image/gif'], ['image/png'])).toBe('incompatible')
  expect(toReview(null, ['image/png'])).toBe('incompatible')
  const text = createRegistry({ 'a.b.v1': { topic: 'x', data: z.string() } })
  const files = new Map([['a.b.v1', exportSchema(text, 'a.b.v1')]])
  const opaque = createRegistry({ 'a.b.v1': { topic: 'x', data: null } })
  expect(reviewSchemas({ registry: opaque, types: ['a.b.v1'], committed: files })[0]?.verdict).toBe('incompatible')
})
