import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Fault } from '../../../kernel/index.ts'
import { parseBinary, parseStructured } from './cloud-event-http.ts'

const attribute = fc.constantFrom(
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'data',
  'dataref',
  '__proto__',
)
const eventLike = fc.dictionary(attribute, fc.oneof(fc.constant('1.0'), fc.string(), fc.jsonValue()), { maxKeys: 9 })
const text = fc.oneof(
  fc.string(),
  fc.json(),
  fc.array(eventLike, { maxLength: 4 }).map((each) => JSON.stringify(each)),
  eventLike.map((each) => JSON.stringify(each)),
)

test('whatever comes, it is events or a Fault that names what is wrong', () => {
  fc.assert(
    fc.property(text, fc.boolean(), (body, isBatch) => {
      const parsed = parseOrFault(() => parseStructured(body, { isBatch, eventsMax: 3 }))
      if (parsed instanceof Fault) {
        expect(['event-invalid', 'payload-too-large']).toContain(parsed.code)
        return
      }
      for (const event of parsed) {
        expect([typeof event.type, typeof event.subject]).toEqual(['string', 'string'])
        expect([event.type, event.subject]).not.toContain('')
        expect(
          Object.keys(event).every((key) => ['type', 'subject', 'id', 'source', 'time', 'data'].includes(key)),
        ).toBe(true)
      }
    }),
  )
})

test('attributes in headers, percent-encoded or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (subject) => {
      const headers = new Headers({
        'ce-specversion': '1.0',
        'ce-type': 'a.b.v1',
        'ce-subject': encodeURIComponent(subject),
      })
      expect(parseBinary(headers, new Blob([]).stream())).toMatchObject({ type: 'a.b.v1', subject })
    }),
  )
  const broken = new Headers({ 'ce-specversion': '1.0', 'ce-type': 'a.b.v1', 'ce-subject': '100%' })
  expect(parseBinary(broken, new Blob([]).stream()).subject).toBe('100%')
})

test('what nests deeper than patterns see is refused before it is parsed', () => {
  for (const depth of [500, 4_000_000]) {
    const body = `{"specversion":"1.0","type":"a.b.v1","subject":"s","data":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const begunAtMs = performance.now()
    expect(parseOrFault(() => parseStructured(body, { isBatch: false, eventsMax: 1 }))).toMatchObject({
      code: 'event-invalid',
      message: expect.stringContaining('inside one another'),
    })
    expect(performance.now() - begunAtMs).toBeLessThan(100)
  }
})

test('what is wrong a hundred thousand times is told in few words', () => {
  const names = Array.from({ length: 100_000 }, (_, n) => `,"${n}${'x'.repeat(20)}":1`).join('')
  const one = `{"specversion":"1.0","type":"a.b.v1","subject":"s"${names},"${'y'.repeat(1_000_000)}":1}`
  const many = `[${Array.from({ length: 1_000 }, () => '{"a":1,"b":2}').join(',')}]`
  for (const body of [one, many]) {
    const fault = parseOrFault(() => parseStructured(body, { isBatch: body === many, eventsMax: 1_000 }))
    if (!(fault instanceof Fault)) throw new Error('expected a Fault')
    expect((fault.detail['errors'] as unknown[]).length).toBeLessThanOrEqual(100)
    expect(JSON.stringify([fault.message, fault.detail]).length).toBeLessThan(40_000)
  }
})

function parseOrFault<T>(parse: () => T): T | Fault {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}
