import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createResponseHeadParser } from './response-head.ts'
import { createResponseReader } from './response-reader.ts'

const parseHead = createResponseHeadParser()
const HEAD_BYTES_MAX = 4_096

type Outcome = { readonly status: number; readonly text: string; readonly done: boolean } | 'refused' | 'unfinished'

/** Reads the text cut at these places, then the end of the connection. */
function read(text: string, cuts: readonly number[] = [], method = 'GET'): Outcome {
  const reader = createResponseReader({ method, headBytesMax: HEAD_BYTES_MAX, parseHead })
  const bytes = Buffer.from(text, 'latin1')
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let status = 0
  let content = ''
  let from = 0
  for (const to of [...places, bytes.length]) {
    const result = reader.push(Buffer.from(bytes.subarray(from, to)))
    from = to
    if (!result.ok) return 'refused'
    status = result.head?.status ?? status
    for (const piece of result.data) content += Buffer.from(piece).toString('latin1')
    if (result.done) return { status, text: content, done: true }
  }
  return status === 0 ? 'unfinished' : { status, text: content, done: reader.end() }
}
const ok = (text: string, status = 200): Outcome => ({ status, text, done: true })
const cut = (text: string): Outcome => ({ status: 200, text, done: false })

const CASES: readonly [name: string, text: string, expected: Outcome, method?: string][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', ok('hi')],
  ['a length, more follows', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi there', ok('hi')],
  ['a length, less follows', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi', cut('hi')],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n1;a=b\r\ni\r\n0\r\nX: y\r\n\r\n',
    ok('hi'),
  ],
  ['chunks without the last', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n', cut('hi')],
  ['a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'refused'],
  ['the end of the connection', 'HTTP/1.1 200 OK\r\n\r\nhi', ok('hi')],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhi', ok('hi')],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ok('')],
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', ok(''), 'HEAD'],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', ok('', 304)],
  [
    'interim answers',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204 No\r\n\r\n',
    ok('', 204),
  ],
  ['interim answers without end', 'HTTP/1.1 103 Early\r\n\r\n'.repeat(17), 'refused'],
  ['another protocol', 'HTTP/1.1 101 Switching\r\n\r\n', 'refused'],
  ['a status line that is none', 'ICY 200 OK\r\n\r\n', 'refused'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n', 'refused'],
  ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'refused'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'refused'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi', 'refused'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 'refused'],
  ['a bare CR', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n', 'refused'],
  ['a bare LF', 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n', 'refused'],
  ['bare LFs alone', 'HTTP/1.1 200 OK\nX: a\n\n', 'refused'],
  ['NUL', 'HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n', 'refused'],
  ['two lengths alike', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi', 'refused'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi', 'refused'],
  ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi', 'refused'],
  ['a length of nothing', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi', 'refused'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n', 'refused'],
  ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'refused'],
  ['chunks twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', 'refused'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'refused'],
  [
    'chunks with a 304, and a length',
    'HTTP/1.1 304 No\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
    'refused',
  ],
  ['a head above the limit', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(HEAD_BYTES_MAX)}\r\n\r\n`, 'refused'],
  ['a head above the limit, without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(HEAD_BYTES_MAX)}`, 'refused'],
  ['half a head', 'HTTP/1.1 200 OK\r\nX: a', 'unfinished'],
]

for (const [name, text, expected, method] of CASES)
  test(`an answer with ${name} is read alike in one piece and byte by byte`, () => {
    expect(read(text, [], method)).toEqual(expected)
    expect(
      read(
        text,
        Array.from(text, (_, at) => at),
        method,
      ),
    ).toEqual(expected)
  })

test('lines stay apart and in order, in lower case, values without white space around them', () => {
  const text =
    'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-A:\t b \r\nSet-Cookie:c\r\nX-E:\r\nX-N: \xa0d\xa0\r\nContent-Length: 0\r\n\r\n'
  const bytes = Buffer.from(text, 'latin1')
  for (let again = 0; again < 2; again += 1) {
    const head = parseHead(bytes, 0, bytes.length, 'GET')
    expect(head.ok && head.lines).toEqual([
      ['set-cookie', 'a'],
      ['x-a', 'b'],
      ['set-cookie', 'c'],
      ['x-e', ''],
      ['x-n', '\xa0d\xa0'],
      ['content-length', '0'],
    ])
  }
})

const PERSISTENT: readonly [head: string, persists: boolean][] = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-close\r\n\r\n', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n', false],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a\r\nConnection: b ,close , c\r\n\r\n', false],
  ['HTTP/1.1 200 OK\r\n\r\n', false],
  ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', false],
]
test('whether a connection may be used again', () => {
  for (const [text, persists] of PERSISTENT) {
    const bytes = Buffer.from(text)
    expect([text, parseHead(bytes, 0, bytes.length, 'GET')]).toMatchObject([text, { ok: true, persists }])
  }
})

const token = fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Connection', 'X-A', 'content-length', 'X A', '')
const value = fc.oneof(
  fc.constantFrom('2', 'chunked', '0', 'close', 'a\r\n b', '5, 5', '\0'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const line = fc.tuple(token, fc.constantFrom(': ', ':', ' : ', ''), value, fc.constantFrom('\r\n', '\n', '\r', ''))
const answer = fc
  .tuple(
    fc.constantFrom('HTTP/1.1 200 OK\r\n', 'HTTP/1.0 200 OK\r\n', 'HTTP/1.1 103 E\r\n', 'HTTP/1.1 304 N\r\n', 'x'),
    fc.array(line, { maxLength: 6 }),
    fc.constantFrom('\r\n', '\n', ''),
    fc.oneof(fc.constantFrom('2\r\nhi\r\n0\r\n\r\n', 'hi', ''), fc.string({ unit: 'binary', maxLength: 60 })),
  )
  .map(([first, lines, end, content]) => first + lines.map((parts) => parts.join('')).join('') + end + content)

test('garbage never throws nor loops, and is read alike however it is cut', () => {
  const garbage = fc.oneof(answer, fc.string({ unit: 'binary', maxLength: 200 }))
  fc.assert(
    fc.property(garbage, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
      const latin1 = Buffer.from(text, 'latin1').toString('latin1')
      expect(read(latin1, cuts)).toEqual(read(latin1))
    }),
    { numRuns: 2_000 },
  )
})

test('no line of an answer can hold another line', () => {
  fc.assert(
    fc.property(answer, (text) => {
      const bytes = Buffer.from(text, 'latin1')
      const head = parseHead(bytes, 0, bytes.length, 'GET')
      if (!head.ok) return
      expect(head.lines.flat().join('')).not.toMatch(/[\r\n\0]/)
      expect(head.lines.map(([name]) => name)).not.toContain('transfer-encoding')
    }),
    { numRuns: 2_000 },
  )
})
