import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { z } from 'zod'
import { Fault } from '../../kernel/index.ts'
import { createRegistry } from './create-registry.ts'
import { checkClaimed, decodeRecord, parseEvent } from './parse-event.ts'

const registry = createRegistry({
  'com.example.order.v1': { topic: 'orders', data: z.object({ count: z.int(), note: z.unknown() }) },
  'com.example.scan.v1': { topic: 'scans', data: null, contentTypes: ['image/png'] },
  'com.example.film.v1': { topic: 'films', data: null },
})
const order = {
  specversion: '1.0',
  id: 'e1',
  source: 'https://example.com/shop#1',
  type: 'com.example.order.v1',
  subject: 'Bestellung №7 – früh',
  time: '2026-11-21T20:15:00.123456789+01:00',
  data: { count: 1, note: null },
}
const claim = { dataref: 'claims/2026-11-21/x', datasize: 9, datadigest: `sha-256=${'0a'.repeat(32)}` }
const { data: _, ...envelope } = order
const scan = { ...envelope, ...claim, type: 'com.example.scan.v1', datacontenttype: 'image/png' }

const good: readonly (readonly [string, object])[] = [
  ['its least', order],
  ['extensions', { ...order, traceparent: '00-ab-01', priority: -3, urgent: true, causedby: 'raw:0:7', empty: '' }],
  ['a content type with a parameter', { ...order, datacontenttype: 'application/json; charset="utf-8"' }],
  ['JSON of another name', { ...order, datacontenttype: 'application/vnd.order+json' }],
  ['a leap second', { ...order, time: '2016-12-31t23:59:60z' }],
  ['a leap day', { ...order, time: '2024-02-29T00:00:00Z' }],
  ['data by reference', { ...envelope, ...claim }],
  ['an opaque payload', scan],
  ['an opaque payload of any type', { ...scan, type: 'com.example.film.v1', datacontenttype: 'video/MP4' }],
]
test.each(good)('an event with %s passes, and stays as it is', (_name, event) => {
  const text = JSON.stringify(event)
  for (const input of [event, text, Buffer.from(text)]) expect(parseEvent(registry, input)).toEqual(event as never)
  expect(decodeRecord(registry, { value: Buffer.from(text) })).toEqual(event as never)
})

test('an attribute that is null is none, and what was given stays untouched', () => {
  const given = { ...order, priority: null, data: { count: 1, note: 2, more: 3 } }
  expect(parseEvent(registry, given)).toEqual({ ...order, data: { count: 1, note: 2 } } as never)
  expect(given.data).toEqual({ count: 1, note: 2, more: 3 })
})

const bad: readonly (readonly [string, object, ...string[]])[] = [
  ['no id', { ...order, id: null }, 'id'],
  ['nothing at all', { type: order.type }, 'specversion', 'id', 'source', 'subject', 'time', 'data'],
  ['an older version', { ...order, specversion: '0.3' }, 'specversion'],
  ['a source with a space', { ...order, source: 'my shop' }, 'source'],
  ['a control character', { ...order, id: 'a\nb' }, 'id'],
  ['half a surrogate pair', { ...order, subject: 'a\ud800' }, 'subject'],
  ['a long id', { ...order, id: 'a'.repeat(256) }, 'id'],
  ['a day', { ...order, time: '2026-11-21' }, 'time'],
  ['a day that is none', { ...order, time: '2026-02-29T00:00:00Z' }, 'time'],
  ['no zone', { ...order, time: '2026-11-21T20:15:00' }, 'time'],
  ['an extension with capitals', { ...order, traceParent: 'x' }, 'traceParent'],
  ['an extension with an underscore', { ...order, trace_parent: 'x' }, 'trace_parent'],
  ['an extension that is an object', { ...order, trace: {} }, 'trace'],
  ['an extension beyond 32 bits', { ...order, number: 2 ** 31 }, 'number'],
  ['an extension of half', { ...order, number: 0.5 }, 'number'],
  ['data in base 64', { ...order, data_base64: 'AA==' }, 'data_base64'],
  ['a content type that is none', { ...order, datacontenttype: 'json' }, 'datacontenttype', 'datacontenttype'],
  ['data that is no JSON', { ...order, datacontenttype: 'text/xml' }, 'datacontenttype'],
  ['data and a reference', { ...order, ...claim }, 'data'],
  ['a reference alone', { ...envelope, dataref: 'claims/x' }, 'datasize', 'datadigest'],
  ['a size below 0', { ...envelope, ...claim, datasize: -1 }, 'datasize'],
  ['another digest', { ...envelope, ...claim, datadigest: 'md5=00' }, 'datadigest'],
  ['an opaque payload in itself', { ...order, type: 'com.example.film.v1' }, 'dataref'],
  ['another media type', { ...scan, datacontenttype: 'image/gif' }, 'datacontenttype'],
  ['no media type', { ...scan, datacontenttype: null }, 'datacontenttype'],
  ['faults of envelope and data', { ...order, id: 7, data: { count: 'x', note: 1 } }, 'id', 'data.count'],
]
const faultOf = (act: () => unknown): Fault => {
  try {
    act()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('expected a Fault')
}
test.each(bad)('an event with %s is refused, and each field at fault is named', (_name, event, ...paths) => {
  const fault = faultOf(() => parseEvent(registry, JSON.stringify(event)))
  expect(fault.code).toBe('event-invalid')
  expect((fault.detail['errors'] as { path: string }[]).map(({ path }) => path)).toEqual(paths)
  for (const path of paths) expect(fault.message).toContain(`${path}: `)
})

test.each([
  ['toString', 'event-unknown'],
  ['__proto__', 'event-unknown'],
  ['com.example.order.v2', 'event-unknown'],
  ['', 'event-invalid'],
])('the type %j is %s', (type, code) => {
  expect(faultOf(() => parseEvent(registry, { ...order, type })).code).toBe(code)
})

test('names that objects are made of change no object', () => {
  const inData = `{"count":1,"note":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"__proto__":{"polluted":1}}`
  const text = JSON.stringify({ ...order, data: 0 }).replace('"data":0', `"data":${inData}`)
  const event = parseEvent(registry, text)
  expect(Object.keys(event.data as object)).toEqual(['count', 'note'])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  const outside = text.replace('{"spec', '{"__proto__":{"id":"e2"},"spec')
  expect(faultOf(() => parseEvent(registry, outside)).message).toContain('__proto__: ')
})

test('a byte order mark and bytes that are no UTF-8 are no JSON', () => {
  for (const start of [[0xef, 0xbb, 0xbf], [0xff]]) {
    const bytes = Buffer.concat([Buffer.from(start), Buffer.from(JSON.stringify(order))])
    expect(faultOf(() => parseEvent(registry, bytes)).code).toBe('event-invalid')
  }
})

test('what is wrong a thousand times is told in few words', () => {
  const names = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`Name${n}`, 1]))
  const fault = faultOf(() => parseEvent(registry, { ...order, ...names }))
  expect((fault.detail['errors'] as unknown[]).length).toBeLessThanOrEqual(20)
})

const CODES = ['event-invalid', 'event-unknown']
const isEventOrFault = (input: unknown): void => {
  try {
    expect(parseEvent(registry, input).specversion).toBe('1.0')
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    expect(CODES).toContain(error.code)
  }
}

test('arbitrary bytes are never anything but an event or a Fault', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isEventOrFault), { numRuns: 300 })
  fc.assert(fc.property(fc.json(), isEventOrFault), { numRuns: 300 })
  isEventOrFault(`${'['.repeat(200_000)}`)
  isEventOrFault(JSON.stringify(order).replace('null', `${'['.repeat(20_000)}${']'.repeat(20_000)}`))
})

const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
test.each([
  [499, true],
  [500, false],
  [8_000, false],
  [50_000, false],
  [1_000_000, false],
])('data %i deep is %p, and soon', (depth, isGood) => {
  const text = JSON.stringify(order).replace('null', nest(depth - 1))
  const begunAtMs = performance.now()
  if (isGood) expect(parseEvent(registry, text).type).toBe(order.type)
  else expect(faultOf(() => parseEvent(registry, Buffer.from(text))).message).toContain('inside one another')
  const bytes = Buffer.from(`{"count":1,"note":${nest(depth - 1)}}`)
  const claimed = { ...envelope, ...claim, specversion: '1.0' } as const
  if (isGood) expect(checkClaimed(registry, claimed, bytes).type).toBe(order.type)
  else expect(faultOf(() => checkClaimed(registry, claimed, bytes)).message).toContain('data: expected')
  expect(performance.now() - begunAtMs).toBeLessThan(200)
})

test('an event damaged in any one place is an event or a Fault', () => {
  const bytes = Buffer.from(JSON.stringify(order))
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, value, cut) => {
      const damaged = Buffer.from(cut ? bytes.subarray(0, at) : bytes)
      if (!cut) damaged[at] = value
      isEventOrFault(damaged)
    }),
    { numRuns: 300 },
  )
})

test('any attribute at all is taken as CloudEvents allows it, or refused', () => {
  const names = fc.constantFrom(...Object.keys(scan), 'data', 'data_base64', 'dataschema', 'extra', '__proto__')
  fc.assert(
    fc.property(fc.dictionary(names, fc.jsonValue()), (over) => isEventOrFault({ ...order, ...over })),
    { numRuns: 300 },
  )
})
