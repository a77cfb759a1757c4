import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSseParser, type SseMessage } from './sse.ts'

const encoder = new TextEncoder()
const parse = (text: string, cuts: readonly number[] = []): SseMessage[] => {
  const bytes = encoder.encode(text)
  const parser = createSseParser()
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.flatMap((end, at) => parser.feed(bytes.subarray(ends[at - 1] ?? 0, end)))
}

const cases: readonly (readonly [string, readonly SseMessage[]])[] = [
  ['', []],
  [': beat\n\n', []],
  ['data: a\n\n', [{ event: 'message', id: '', data: 'a' }]],
  ['data:a\r\n\r\n', [{ event: 'message', id: '', data: 'a' }]],
  ['data: a\rdata:  b\r\r', [{ event: 'message', id: '', data: 'a\n b' }]],
  [
    'event: delivery\nid: 7\ndata: {}\n\ndata: x\n\n',
    [
      { event: 'delivery', id: '7', data: '{}' },
      { event: 'message', id: '7', data: 'x' },
    ],
  ],
  ['event: x\n\ndata: y\n\n', [{ event: 'message', id: '', data: 'y' }]],
  ['\uFEFFdata: ü€😀\n\n', [{ event: 'message', id: '', data: 'ü€😀' }]],
  ['data\n\n', [{ event: 'message', id: '', data: '' }]],
  ['retry: 5\nfoo: bar\nid: a\0b\ndata: z\n\n', [{ event: 'message', id: '', data: 'z' }]],
  ['data: not ended\n', []],
]
test.each(cases)('%j', (text, messages) => expect(parse(text)).toEqual([...messages]))

test('where the bytes are cut makes no difference', () => {
  const field = fc.constantFrom(
    'data: ',
    'data:',
    'event: ',
    'id: ',
    ': ',
    'x',
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    'ü😀',
    '{"a":1}',
  )
  fc.assert(
    fc.property(fc.array(field, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 6 }), (parts, cuts) => {
      const text = parts.join('')
      expect(parse(text, cuts)).toEqual(parse(text))
    }),
  )
})

test('arbitrary bytes never throw, and of what is too long the rest is told', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void createSseParser().feed(bytes)))
  const long = ['data: 1\n'.repeat(40), `data: ${'x'.repeat(500)}\n`, `x${'data: y'.repeat(50)}\n`]
  for (const part of long) {
    const text = `event: delivery\nid: 7\n${part}data: z\n\ndata: next\n\n`
    for (const size of [1, 7, 70, 1_000]) {
      const parser = createSseParser(64)
      const bytes = encoder.encode(text)
      const got: SseMessage[] = []
      for (let at = 0; at < bytes.length; at += size) got.push(...parser.feed(bytes.subarray(at, at + size)))
      expect(got).toEqual([
        { event: 'delivery', id: '7', data: '', isCut: true },
        { event: 'message', id: '7', data: 'next' },
      ])
    }
  }
})
