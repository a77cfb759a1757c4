import { expect, test } from 'bun:test'
import { z } from 'zod'
import type { EventDefinition, EventDefinitions } from '../../contracts/index.ts'
import { Fault } from '../../kernel/index.ts'
import { createRegistry } from './create-registry.ts'
import { checkClaimed, decodeRecord } from './parse-event.ts'
import { platformDefinitions } from './platform.ts'

const empty = z.object({})
const first: EventDefinition = { topic: 'orders', data: empty }
const after = (from: string, data: z.ZodType | null = empty): EventDefinition => ({
  topic: 'orders',
  data,
  upcasts: { from, upcast: (each) => each },
})
const faultOf = (act: () => unknown): Fault => {
  try {
    act()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('expected a Fault')
}

const wrong: readonly (readonly [string, EventDefinitions, string])[] = [
  ['no version', { 'com.example.order': first }, 'com.example.order: expected a type such as'],
  ['version 0', { 'com.example.order.v0': first }, 'expected a type such as'],
  ['a single word', { 'order.v1': first }, 'expected a type such as'],
  ['capitals', { 'com.Example.order.v1': first }, 'expected a type such as'],
  ['a bad topic', { 'a.b.v1': { ...first, topic: 'My Orders' } }, 'a.b.v1: topic: expected'],
  ['unknown before', { 'a.b.v2': after('a.b.v1') }, 'a.b.v2: upcasts.from: "a.b.v1" is no version before it'],
  ['itself before', { 'a.b.v1': after('a.b.v1') }, 'a.b.v1: upcasts.from'],
  ['another event', { 'a.b.v1': first, 'a.c.v1': first, 'a.b.v2': after('a.c.v1') }, 'the version before it, a.b.v1'],
  [
    'not the version before',
    { 'a.b.v1': first, 'a.b.v2': after('a.b.v1'), 'a.b.v3': after('a.b.v1') },
    'a.b.v3: upcasts.from: expected the version before it, a.b.v2, got "a.b.v1"',
  ],
  [
    'two newest',
    { 'a.b.v1': first, 'a.b.v2': first },
    'a.b.v2: upcasts: expected it to say how it is made from a.b.v1',
  ],
  ['opaque after data', { 'a.b.v1': first, 'a.b.v2': after('a.b.v1', null) }, 'opaque'],
  ['media types of data', { 'a.b.v1': { ...first, contentTypes: ['video/mp4'] } }, 'contentTypes: expected none'],
  ...[
    z.object({ cents: z.string().transform(Number) }),
    z.object({ at: z.date() }),
    z.string().transform((text) => `x${text}`),
    z.stringbool(),
    z.string().pipe(z.coerce.number()),
    z.map(z.string(), z.string()),
    z.instanceof(Uint8Array),
    z.string().refine(async () => true),
    z.object({ a: z.array(z.string().refine(async () => Promise.reject(new Error('down')))) }),
  ].map((data): (typeof wrong)[number] => [
    'a schema that changes what it is given, or waits',
    { 'a.b.v1': { ...first, data } },
    'a.b.v1: data: expected',
  ]),
  ['a bad media type', { 'a.b.v1': { topic: 'x', data: null, contentTypes: ['mp4'] } }, 'expected a media type'],
]
test.each(wrong)('definitions with %s are refused', (_, definitions, words) => {
  const fault = faultOf(() => createRegistry(definitions))
  expect(fault.code).toBe('registry-invalid')
  expect(fault.message).toContain(words)
})

test('defaults, rules and what is dropped are no change; the platform’s own schemas are all of this kind', () => {
  const data = z.object({
    a: z.string().trim().default('x'),
    b: z.coerce.number().catch(4),
    c: z.record(z.string(), z.unknown()).optional(),
    d: z.discriminatedUnion('k', [z.object({ k: z.literal(1) }), z.object({ k: z.literal(2), e: z.iso.datetime() })]),
  })
  expect(createRegistry(platformDefinitions, { 'a.b.v1': { ...first, data } }).types()).toContain('a.b.v1')
})

test('all that is wrong is told at once, and a type may be defined by one source only', () => {
  const fault = faultOf(() =>
    createRegistry(platformDefinitions, { Bad: first, 'a.b.v1': { ...first, topic: '' } }, { 'a.b.v1': first }),
  )
  expect(fault.detail['faults']).toHaveLength(3)
  expect(fault.message).toContain('a.b.v1: expected one definition, got two')
})

/** A count that was a text; then its unit was added. */
const definitions: EventDefinitions = {
  'com.example.stock.v1': { topic: 'stock', data: z.object({ count: z.string() }) },
  'com.example.stock.v2': {
    topic: 'stock',
    data: z.object({ count: z.int() }),
    upcasts: { from: 'com.example.stock.v1', upcast: (data) => ({ count: Number((data as { count: string }).count) }) },
  },
  'com.example.stock.v3': {
    topic: 'stock',
    data: z.object({ count: z.int().max(1_000), unit: z.string() }),
    upcasts: { from: 'com.example.stock.v2', upcast: (data) => ({ ...(data as object), unit: 'piece' }) },
  },
  'com.example.scan.v1': { topic: 'scans', data: null, contentTypes: ['image/png'] },
  'com.example.scan.v2': {
    topic: 'scans',
    data: null,
    upcasts: {
      from: 'com.example.scan.v1',
      upcast: () => {
        throw new Error('nobody looks into an opaque payload')
      },
    },
  },
}
const registry = createRegistry(definitions)
const envelope = {
  specversion: '1.0',
  id: 'e1',
  source: '/shop',
  type: 'com.example.stock.v1',
  subject: 'apples',
  time: '2026-11-21T20:15:00Z',
  tracestate: 'kept',
} as const
const claim = { dataref: 'claims/2026-11-21/x', datasize: 9, datadigest: `sha-256=${'0'.repeat(64)}` }
const toRecord = (event: object) => ({ value: Buffer.from(JSON.stringify(event)) })

test('bytes of version 1 from an old archive are read as version 3', () => {
  expect(decodeRecord(registry, toRecord({ ...envelope, data: { count: '7' } }))).toEqual({
    ...envelope,
    type: 'com.example.stock.v3',
    data: { count: 7, unit: 'piece' },
  })
  const v2 = { ...envelope, type: 'com.example.stock.v2', data: { count: 8 } }
  expect(decodeRecord(registry, toRecord(v2)).data).toEqual({ count: 8, unit: 'piece' })
  const v3 = { ...envelope, type: 'com.example.stock.v3', data: { count: 9, unit: 'kg' } }
  expect(decodeRecord(registry, toRecord(v3))).toEqual(v3)
  for (const version of [1, 2, 3]) expect(registry.newest(`com.example.stock.v${version}`)).toBe('com.example.stock.v3')
})

test.each([
  ['2000', 'com.example.stock.v3, made by its upcaster from com.example.stock.v2: data.count:'],
  ['many', 'com.example.stock.v2, made by its upcaster from com.example.stock.v1: data.count:'],
])('what an upcaster makes is checked, so that %s reaches nobody', (count, words) => {
  const fault = faultOf(() => decodeRecord(registry, toRecord({ ...envelope, data: { count } })))
  expect(fault.code).toBe('event-invalid')
  expect(fault.message).toContain(words)
})

test('data by reference stays in its version until it is loaded; then it is given by value', () => {
  const event = decodeRecord(registry, toRecord({ ...envelope, ...claim }))
  expect(event).toEqual({ ...envelope, ...claim })
  const loaded = checkClaimed(registry, event, Buffer.from('{"count":"7"}'))
  expect(loaded).toEqual({ ...envelope, type: 'com.example.stock.v3', data: { count: 7, unit: 'piece' } })

  const newest = { ...envelope, ...claim, type: 'com.example.stock.v3' }
  const data = { count: 7, unit: 'kg' }
  expect(checkClaimed(registry, newest, Buffer.from(JSON.stringify(data)))).toEqual({ ...newest, data })
  const bad = faultOf(() => checkClaimed(registry, newest, Buffer.from('{"count":7}')))
  expect(bad.detail['errors']).toMatchObject([{ path: 'data.unit' }])
  expect(faultOf(() => checkClaimed(registry, newest, Buffer.from('{'))).code).toBe('event-invalid')
})

test('an opaque payload changes its version without being looked into', () => {
  const event = { ...envelope, ...claim, type: 'com.example.scan.v1', datacontenttype: 'image/png' }
  expect(decodeRecord(registry, toRecord(event))).toEqual({ ...event, type: 'com.example.scan.v2' })
  expect(registry.jsonSchema('com.example.scan.v1')).toBeNull()
})

test('a check names what is wrong, drops what is unknown, and never throws', () => {
  const strange = createRegistry({
    'a.throws.v1': {
      topic: 'x',
      data: z.unknown().refine(() => {
        throw new Error('oh')
      }),
    },
    'a.waits.v1': { topic: 'x', data: z.unknown().refine(() => Promise.resolve(true)) },
    'a.list.v1': { topic: 'x', data: z.array(z.int()) },
  })
  expect(registry.check('com.example.stock.v2', { count: 1, more: 2 })).toEqual({ ok: true, data: { count: 1 } })
  expect(registry.check('toString', {})).toMatchObject({ ok: false, errors: [{ path: 'type' }] })
  expect(strange.check('a.throws.v1', 1)).toMatchObject({ ok: false, errors: [{ path: 'data' }] })
  expect(strange.check('a.waits.v1', 1)).toMatchObject({ ok: false, errors: [{ path: 'data' }] })
  const many = strange.check('a.list.v1', new Array(1_000).fill('x'))
  expect(many.ok ? [] : many.errors).toHaveLength(21)
})

test('types and topics are listed without repeats', () => {
  expect(registry.types()).toEqual(Object.keys(definitions))
  expect(registry.topics()).toEqual(['stock', 'scans'])
  expect(registry.get('com.example.none.v1')).toBeUndefined()
})
