import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAnswerReader } from './open-loop-answer.ts'

const CASES = [
  { text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', expected: { status: 200, bodyBytes: 5 } },
  { text: 'HTTP/1.1 304 Not Modified\r\ncontent-length:0\r\n\r\n', expected: { status: 304, bodyBytes: 0 } },
  {
    text: 'HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    expected: { status: 200, bodyBytes: 0 },
  },
  {
    text: 'HTTP/1.1 503 \r\ntransfer-encoding: chunked\r\n\r\nA;x=1\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\n',
    expected: { status: 503, bodyBytes: 11 },
  },
] as const

test('an answer is read the same however it is cut up, and the next on the connection too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...CASES), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      (cases, sizes) => {
        const reader = createAnswerReader()
        for (const { text, expected } of cases) {
          let last: ReturnType<typeof reader.push> = null
          let at = 0
          for (let turn = 0; at < text.length; turn++) {
            expect(last).toBeNull()
            const size = sizes[turn % sizes.length] ?? 1
            last = reader.push(Buffer.from(text.slice(at, at + size), 'latin1'))
            at += size
          }
          expect(last).toEqual(expected)
        }
      },
    ),
  )
})

test('what is no answer, or more than one, is never taken for one', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'nonsense\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1',
  ])
    expect(createAnswerReader().push(Buffer.from(text, 'latin1'))).toBe('unreadable')
})

test('no bytes whatever make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chunks) => {
      const reader = createAnswerReader()
      for (const chunk of chunks) reader.push(Buffer.from(chunk))
    }),
  )
})
