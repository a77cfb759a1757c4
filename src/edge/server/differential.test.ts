/**
 * What the edge accepts, another parser must read alike: Node's own (llhttp), in a process of the system's Node. A request
 * that is understood differently by two hops is how one client's request becomes part of another's.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createChunkedDecoder } from './chunked.ts'
import type { Framing } from './head.ts'
import { createHeadParser, findHeadEnd } from './parse-head.ts'

type Reading = {
  readonly method: string
  readonly target: string
  readonly lines: readonly (readonly string[])[]
  readonly content: string
}

const ECHO = `
const server = require('node:http').createServer((request, response) => {
  const pieces = []
  request.on('data', (piece) => pieces.push(piece))
  request.on('end', () => {
    const { method, url: target, rawHeaders: raw } = request
    const lines = []
    for (let i = 0; i < raw.length; i += 2) lines.push([raw[i].toLowerCase(), raw[i + 1]])
    response.setHeader('connection', 'close')
    response.end(JSON.stringify({ method, target, lines, content: Buffer.concat(pieces).toString('latin1') }))
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
`
const WAIT_MS = 2_000

/** As the edge reads it, and where it ends; null when it refuses it, or when it has not all come. */
function readHere(bytes: Buffer): { readonly reading: Reading; readonly end: number } | null {
  const headEnd = findHeadEnd(bytes, 0, 0)
  if (headEnd < 0) return null
  const head = createHeadParser(DEFAULT_LIMITS).parse(bytes, 0, headEnd)
  if (!head.ok) return null
  const body = readContent(bytes.subarray(headEnd), head.framing)
  if (body === null) return null
  const target = bytes.toString('latin1', 0, bytes.indexOf('\r')).split(' ')[1] ?? ''
  const reading = { method: head.method, target, lines: head.fields.lines(), content: body.content }
  return { reading, end: headEnd + body.end }
}

function readContent(bytes: Buffer, framing: Framing): { readonly content: string; readonly end: number } | null {
  if (framing === null) return { content: '', end: 0 }
  if (framing.kind === 'length') {
    const end = framing.bytes
    return bytes.length < end ? null : { content: bytes.toString('latin1', 0, end), end }
  }
  const read = createChunkedDecoder(DEFAULT_LIMITS).push(bytes)
  return read.ok && read.done ? { content: Buffer.concat(read.data).toString('latin1'), end: read.consumed } : null
}

/** As Node reads it; the status line when it refuses it. */
function readThere(port: number, bytes: Buffer): Promise<Reading | string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const pieces: Buffer[] = []
    socket.setTimeout(WAIT_MS, () => socket.destroy())
    socket.on('data', (piece: Buffer) => pieces.push(piece))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(parseEcho(Buffer.concat(pieces).toString())))
  })
}

function parseEcho(text: string): Reading | string {
  const answer = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
  if (!answer.startsWith('HTTP/1.1 200 ')) return answer.split('\r\n')[0] || 'no answer'
  const json = answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)
  // An answer to HEAD has no content: the tests send none.
  return JSON.parse(json)
}

const node = Bun.which('node')

// Skipped where the system has no Node beside Bun: there is nothing to compare with.
describe.skipIf(node === null)('beside Node', () => {
  let port = 0
  let child: Bun.Subprocess<'pipe', 'pipe', 'inherit'>
  beforeAll(async () => {
    child = Bun.spawn([node ?? 'node', '-e', ECHO], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
    for await (const piece of child.stdout) {
      port = Number(Buffer.from(piece).toString())
      break
    }
  })
  afterAll(async () => {
    child.kill()
    await child.exited
  })

  const check = async (text: string): Promise<boolean> => {
    const bytes = Buffer.from(text, 'latin1')
    const here = readHere(bytes)
    // What follows is another request: of this one, Node must miss nothing and find nothing left over.
    if (here !== null) expect(await readThere(port, bytes.subarray(0, here.end))).toEqual(here.reading)
    return here !== null
  }
  const get = (fields: string, line = 'GET / HTTP/1.1'): string => `${line}\r\nHost: a.tv\r\n${fields}\r\n`

  test.each([
    get(''),
    get('', 'GET /a/b.c?d=e&f=%20"<>[]{}|^` HTTP/1.1'),
    get('', 'GET http://a.tv/x?y HTTP/1.1'),
    get('', 'GET http://A.tv:80 HTTP/1.1'),
    get('', 'OPTIONS * HTTP/1.1'),
    get('', 'DELETE /a HTTP/1.0'),
    'GET / HTTP/1.0\r\n\r\n',
    'GET / HTTP/1.1\r\nhOST: \t[::1]:8080 \t\r\n\r\n',
    get('A:b\r\nC: \t d e\t \r\nE:\r\nF:  \r\nG: \xfc\xa0\x80\r\n'),
    get("!#$%&'*+-.^_`|~09: y\r\n"),
    get('Accept: a\r\naccept: b\r\nX: 1\r\nX: 2\r\n'),
    get('Connection: te, Close ,\r\n'),
    get('Connection: ,keep-alive\r\n', 'GET / HTTP/1.0'),
    get('Connection: upgrade\r\nUpgrade: websocket\r\n'),
    get('Content-Length: 0\r\n'),
    `${get('Content-Length: 5\r\n', 'POST / HTTP/1.1')}abcde`,
    `${get('Content-Length: 5\r\n', 'GET / HTTP/1.1')}abcdefgh`,
    `${get('Content-Length: 5\r\n', 'POST / HTTP/1.0')}abcde`,
    `${get('Content-Length: 5\r\nExpect: 100-continue\r\n', 'PUT / HTTP/1.1')}abcde`,
    `${get('Transfer-Encoding: Chunked\r\n', 'POST / HTTP/1.1')}5\r\nabcde\r\n0\r\n\r\n`,
    `${get('Transfer-Encoding:chunked \r\n', 'POST / HTTP/1.1')}00A\r\n0123456789\r\n1;a;b=c;d="e; f"\r\nx\r\n000\r\n\r\n`,
    `${get('Transfer-Encoding: chunked\r\nTrailer: X\r\n', 'POST / HTTP/1.1')}2\r\n\r\n\r\n0;x\r\nX: y\r\nZ:\r\n\r\nGET`,
  ])('%j is accepted, and read alike there', async (text) => expect(await check(text)).toBe(true))

  test('a method that Node does not know is refused there, not read as another', async () => {
    for (const method of ['get', 'NEWS', 'M'])
      expect(await readThere(port, Buffer.from(get('', `${method} / HTTP/1.1`)))).toStartWith('HTTP/1.1 400 ')
  })

  const field = fc.constantFrom(
    ...[
      'Content-Length: 5',
      'Content-Length: 0',
      'Transfer-Encoding: chunked',
      'Connection: close',
      'X: y',
      'X:\t\xff ',
    ],
    ...['Connection: keep-alive', 'Cookie: a=b; c', 'Range: bytes=0-', 'Accept: */*', 'TE: trailers', 'Host: a.tv'],
  )
  const line = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'),
      fc.constantFrom('/', '/a?b', '*', 'http://a.tv/', '/%41', '/a%20b?c d'),
      fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    )
    .map((parts) => parts.join(' '))
  const content = fc.constantFrom(
    '',
    'abcde',
    '5\r\nabcde\r\n0\r\n\r\n',
    '1;a=b\r\nx\r\n0\r\nT: u\r\n\r\n',
    '0\r\n\r\n',
  )
  const request = fc
    .tuple(line, fc.array(field, { maxLength: 3 }), content)
    .map(([first, fields, rest]) => get(fields.map((text) => `${text}\r\n`).join(''), first) + rest)
  const odd = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ',',
    ';',
    '"',
    '\x7f',
    '\x80',
    '0',
    'a',
    '%',
    '',
    '\r\n\r\n',
  )
  const damage = fc.record({ at: fc.nat(400), cut: fc.nat(2), put: odd })

  test('requests made of parts, whole and damaged', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(request, fc.array(damage, { maxLength: 2 }), async (text, damages) => {
        const sent = damages.reduce((present, { at, cut, put }) => {
          const place = at % present.length
          return present.slice(0, place) + put + present.slice(place + cut)
        }, text)
        // Node knows its methods by heart; the test above is about others.
        fc.pre(/^(?:GET|POST|PUT|DELETE|OPTIONS|PATCH|PROPFIND) /.test(sent))
        if (await check(sent)) accepted += 1
      }),
      { numRuns: 600 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
})
