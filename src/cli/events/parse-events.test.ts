import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { faultCode } from '../../kernel/index.ts'
import { parseEvents, toBatches } from './parse-events.ts'

const places = (text: string): string[] => parseEvents(text, {}).map(({ place }) => place)

test('one event, an array of them, or one on each line', () => {
  expect(places('{"a":1}')).toEqual(['the event'])
  expect(places('{\n "a": 1\n}\n')).toEqual(['the event'])
  expect(places('[{},{}]')).toEqual(['event 1', 'event 2'])
  expect(places('{"a":1}\n\n{"a":2}\r\n')).toEqual(['line 1', 'line 3'])
  expect(places('')).toEqual([])
})

test('what an event does not say it is given, and an id in any case', () => {
  const [sent] = parseEvents('{"id":"x","type":"own.v1"}', { type: 'given.v1', subject: 's' })
  expect(sent?.event).toEqual({ specversion: '1.0', id: 'x', type: 'own.v1', subject: 's' })
  const [first, second] = parseEvents('{}\n{}', {})
  expect(first?.event['id']).not.toBe(second?.event['id'])
})

test.each([
  ['{"a":1}\n{', 'line 2'],
  ['5', 'the event'],
  ['[{},[]]', 'event 2'],
  ['{}\nnull', 'line 2'],
])('%j names the place', (text, place) => {
  expect(() => parseEvents(text, {})).toThrow(place)
})

test('batches keep the order, lose nothing, and fit', () => {
  const events = fc.array(fc.string({ maxLength: 40 }), { maxLength: 60 })
  fc.assert(
    fc.property(
      events,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 10, max: 400 }),
      (texts, eventsMax, bytesMax) => {
        const all = texts.map((data) => ({ place: '', event: { data } }))
        const batches = toBatches(all, { eventsMax, bytesMax })
        expect(batches.flat()).toEqual(all)
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(eventsMax)
          const bytes = Buffer.byteLength(JSON.stringify(batch.map(({ event }) => event)))
          expect(batch.length === 1 || bytes <= bytesMax).toBe(true)
        }
      },
    ),
  )
})

test('any text is events or a fault that says so', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseEvents(text, {})
      } catch (error) {
        expect(faultCode(error)).toBe('event-invalid')
      }
    }),
  )
})
