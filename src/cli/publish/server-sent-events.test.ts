import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createEventParser } from './server-sent-events.ts'

const TEXT =
  ': hello\n\nid: 7\nevent: title\ndata: {"a":1}\n\ndata: one\r\ndata: two\r\n\r\nevent: lost\n\ndata:tight\n\n'
const EVENTS = [
  { event: 'title', data: '{"a":1}', id: '7' },
  { event: 'message', data: 'one\ntwo', id: '7' },
  { event: 'message', data: 'tight', id: '7' },
]

function parse(pieces: readonly string[]): unknown[] {
  const events: unknown[] = []
  const read = createEventParser((event) => events.push(event))
  for (const piece of pieces) read(piece)
  return events
}

test('events, comments and both line ends', () => expect(parse([TEXT])).toEqual(EVENTS))

test('cut anywhere, it reads the same', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: TEXT.length })), (cuts) => {
      const at = [0, ...cuts.sort((left, right) => left - right), TEXT.length]
      expect(parse(at.slice(1).map((end, index) => TEXT.slice(at[index], end)))).toEqual(EVENTS)
    }),
  )
})
