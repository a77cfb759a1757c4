import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type AttackBed, echo, openAttackBed } from './bed.ts'
import { ask, send, statusOf } from './raw-client.ts'

let bed: AttackBed
let victim: AttackBed
beforeAll(async () => {
  bed = await openAttackBed(echo)
  victim = await openAttackBed(echo, { ignoresContent: true })
})
afterAll(async () => {
  await bed.close()
  await victim.close()
})

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: edge.test\r\n\r\n'
const get = (line: string, fields = ''): string => `${line}\r\nHost: edge.test\r\n${fields}\r\n`
const post = (fields: string, body: string): string => get('POST /x HTTP/1.1', fields) + body

/** Refused once, nothing after it is heard, the origin hears of neither, and the next client is served as ever. */
const checkRefused = async (attack: string): Promise<void> => {
  const before = bed.origin.received().length
  const { answers, rest, closed } = await send(bed.port, attack + SMUGGLED)
  expect(answers.map(statusOf).map((status) => status >= 400 && status < 600)).toEqual([true])
  expect({ rest, closed }).toEqual({ rest: '', closed: true })
  expect(answers[0]?.body ?? '').not.toContain('<html')
  expect(bed.origin.received().slice(before)).toBe('')
  expect((await ask(bed.port, '/innocent')).body).toBe('for GET /innocent HTTP/1.1')
}

/** What two hops could take for two different requests. */
const LENGTHS: readonly (readonly [name: string, attack: string])[] = [
  ['two lengths that agree', post('Content-Length: 4\r\nContent-Length: 4\r\n', 'abcd')],
  ['two lengths that differ', post('Content-Length: 4\r\nContent-Length: 0\r\n', 'abcd')],
  ['a list of lengths', post('Content-Length: 4, 4\r\n', 'abcd')],
  ['a length with a sign', post('Content-Length: +4\r\n', 'abcd')],
  ['a negative length', post('Content-Length: -4\r\n', 'abcd')],
  ['a length in hexadecimal', post('Content-Length: 0x4\r\n', 'abcd')],
  ['a length with a space inside', post('Content-Length: 4 4\r\n', 'abcd')],
  ['an empty length', post('Content-Length: \r\n', 'abcd')],
  ['a length that no number holds', post('Content-Length: 99999999999999999999\r\n', 'abcd')],
  ['a length with a leading zero', post('Content-Length: 04\r\n', 'abcd')],
  ['a space before the colon of a length', post('Content-Length : 4\r\n', 'abcd')],
]
const CODINGS: readonly (readonly [name: string, attack: string])[] = [
  ['CL.TE', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `2e\r\n${SMUGGLED}\r\n0\r\n\r\n`)],
  ['TE.TE, two lines', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n')],
  ['TE.TE, two lines alike', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['chunked before identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n')],
  ['identity before chunked', post('Transfer-Encoding: identity, chunked\r\n', '0\r\n\r\n')],
  ['a coding that is none', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  ['a quoted coding', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
  ['a coding with a parameter', post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n')],
  ['a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['a space before the colon of a coding', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
  ['an empty coding', post('Transfer-Encoding: \r\n', '0\r\n\r\n')],
  ['a coding in HTTP/1.0', `${get('POST /x HTTP/1.0', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`],
  ['a coding behind a bare LF', post('X: y\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['a coding behind a bare CR', post('X: y\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
]
const LINES: readonly (readonly [name: string, attack: string])[] = [
  ['a folded field', get('GET /x HTTP/1.1', 'X: a\r\n b\r\n')],
  ['a folded length', post('Content-Length:\r\n 4\r\n', 'abcd')],
  ['a space before the first field', 'GET /x HTTP/1.1\r\n Host: edge.test\r\n\r\n'],
  ['a field without a name', get('GET /x HTTP/1.1', ': y\r\n')],
  ['a field without a colon', get('GET /x HTTP/1.1', 'X\r\n')],
  ['a space in a field name', get('GET /x HTTP/1.1', 'X Y: z\r\n')],
  ['a NUL in a value', get('GET /x HTTP/1.1', 'X: a\0b\r\n')],
  ['a bare CR in a value', get('GET /x HTTP/1.1', 'X: a\rb\r\n')],
  ['lines that end with LF', 'GET /x HTTP/1.1\nHost: edge.test\n\n'],
  ['two spaces in the request line', get('GET  /x HTTP/1.1')],
  ['a tab in the request line', get('GET\t/x HTTP/1.1')],
  ['a request line with four words', get('GET /x y HTTP/1.1')],
  ['a version of another protocol', get('GET /x HTTP/2.0')],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a version in lower case', get('GET /x http/1.1')],
  ['a method with a separator', get('G(T /x HTTP/1.1')],
  ['a tunnel', 'CONNECT edge.test:80 HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
  ['an asterisk that is not for OPTIONS', get('GET * HTTP/1.1')],
  ['two credentials', get('GET /x HTTP/1.1', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n')],
  ['more fields than are taken', get('GET /x HTTP/1.1', 'X: y\r\n'.repeat(150))],
  ['a head larger than is taken', get('GET /x HTTP/1.1', `X: ${'y'.repeat(20_000)}\r\n`)],
  ['a target longer than is taken', get(`GET /${'y'.repeat(9_000)} HTTP/1.1`)],
]
const HOSTS: readonly (readonly [name: string, attack: string])[] = [
  ['no host', 'GET /x HTTP/1.1\r\n\r\n'],
  ['two hosts', 'GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['two hosts that agree', 'GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ...['', 'a, b', 'a b', 'a/b', 'a?b', 'u:p@a', 'a@b', 'a:99999', 'a:80x', 'a:-1', '[::1', 'a<>b', 'a\\b', 'a%00'].map(
    (host) => [`the host ${JSON.stringify(host)}`, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`] as const,
  ),
  ['a target of another host', 'GET http://evil.test/x HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
  ['a target of another port', 'GET http://edge.test:81/x HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
  ['a target with credentials', 'GET http://u:p@edge.test/x HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
  ['a target of another scheme', 'GET https://edge.test/x HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
  ['a target that is a file', 'GET file:///etc/passwd HTTP/1.1\r\nHost: edge.test\r\n\r\n'],
]
const PATHS = ['/a/../b', '/a/./b', '/..', '/a%2e%2e/../b', '/%2e%2e/b', '/a/%2E%2e/b', '/a%2fb', '/a%2Fb', '/a%5cb']
  .concat(['/a\\b', '//b', '/a//b', '/a%00', '/a%0d%0aX:y', '/a%252e', '/a#b', '/a?b#c', '/a\xe9', '/a%', '/a%zz', 'a'])
  .map((path) => [`the path ${JSON.stringify(path)}`, get(`GET ${path} HTTP/1.1`)] as const)

test.each([...LENGTHS, ...CODINGS, ...LINES, ...HOSTS, ...PATHS])(
  '%s is refused, and what follows is no request',
  (_, attack) => checkRefused(attack),
)

/** The head may be on its way already: what must not happen is a whole request, or one of the attacker's making. */
const CHUNKS: readonly (readonly [name: string, body: string])[] = [
  ['a size with 0x', '0x5\r\nabcde\r\n0\r\n\r\n'],
  ['a size with a sign', '+5\r\nabcde\r\n0\r\n\r\n'],
  ['a negative size', '-5\r\nabcde\r\n0\r\n\r\n'],
  ['a size with a space before it', ' 5\r\nabcde\r\n0\r\n\r\n'],
  ['a size with an underscore', '1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n'],
  ['no size', '\r\nabcde\r\n0\r\n\r\n'],
  ['a size that overflows', 'ffffffffffffffff5\r\nabcde\r\n0\r\n\r\n'],
  ['a size that wraps at 64 bits', '10000000000000005\r\nabcde\r\n0\r\n\r\n'],
  ['a size line that ends with LF', '5\nabcde\r\n0\r\n\r\n'],
  ['a size line that ends with CR', '5\rabcde\r\n0\r\n\r\n'],
  ['an extension with an LF', '5;x=\ny\r\nabcde\r\n0\r\n\r\n'],
  ['data longer than its size', '5\r\nabcdefg\r\n0\r\n\r\n'],
  ['data that ends with LF', '5\r\nabcde\n0\r\n\r\n'],
  ['a trailer with a bare LF', '0\r\nX: y\nZ: z\r\n\r\n'],
]
test.each(CHUNKS)('chunks with %s never become a whole request', async (_, body) => {
  const before = bed.origin.seen.length
  const { answers, closed } = await send(bed.port, post('Transfer-Encoding: chunked\r\n', body) + SMUGGLED)
  expect(answers.map(statusOf).every((status) => status >= 400)).toBe(true)
  expect({ atMostOne: answers.length <= 1, closed }).toEqual({ atMostOne: true, closed: true })
  expect(bed.origin.seen.slice(before)).toEqual([])
  expect((await ask(bed.port, '/innocent')).body).toBe('for GET /innocent HTTP/1.1')
})

test('trailers stay here: they are no fields of the request', async () => {
  const body = '5;ext=1\r\nabcde\r\n0\r\nX-Trailer: evil\r\nContent-Length: 99\r\n\r\n'
  const { answers } = await send(bed.port, post('Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n', body), 1)
  expect(answers.map(statusOf)).toEqual([200])
  const [last] = bed.origin.seen.slice(-1)
  expect(last?.body).toBe('abcde')
  expect(`${last?.head}`).not.toMatch(/trailer|evil|99/i)
})

test.each(['POST', 'GET', 'OPTIONS', 'FROBNICATE'])(
  '%s with content to an origin that takes it for a request: nobody is given the answer to it (CL.0)',
  async (method) => {
    const attack = get(`${method} /x HTTP/1.1`, `Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED
    const { answers } = await send(victim.port, attack, 1)
    expect(answers.map(({ body }) => body)).toEqual([`for ${method} /x HTTP/1.1`])
    for (let client = 0; client < 5; client++)
      expect((await ask(victim.port, `/innocent-${client}`)).body).toBe(`for GET /innocent-${client} HTTP/1.1`)
  },
)

test('requests in one write are answered in their order, each its own', async () => {
  const paths = Array.from({ length: 20 }, (_, at) => `/n${at}`)
  const { answers } = await send(bed.port, paths.map((path) => get(`GET ${path} HTTP/1.1`)).join(''), paths.length)
  expect(answers.map(({ body }) => body)).toEqual(paths.map((path) => `for GET ${path} HTTP/1.1`))
})

const HOPS =
  'Connection: X-Secret, Authorization, Cache-Control\r\nX-Secret: s\r\nAuthorization: Bearer a\r\nTE: trailers\r\n'
test('a client cannot have its credentials taken away, nor speak to the next hop about the connection', async () => {
  await send(
    bed.port,
    get('GET /hops HTTP/1.1', `${HOPS}Keep-Alive: 1\r\nProxy-Authorization: p\r\nUpgrade: h2c\r\n`),
    1,
  )
  const head = bed.origin.seen.at(-1)?.head ?? ''
  expect(head).toMatch(/^authorization: Bearer a$/im)
  expect(head).not.toMatch(/^(?:x-secret|te|keep-alive|proxy-authorization|upgrade):/im)
})

test('a length or a coding in a spelling that some origins take for the real one goes no further', async () => {
  await send(bed.port, post('Content_Length: 9\r\nTransfer_Encoding: chunked\r\nContent-Length: 4\r\n', 'abcd'), 1)
  const seen = bed.origin.seen.at(-1)
  expect(seen?.body).toBe('abcd')
  expect(seen?.head).not.toMatch(/content_length|transfer_encoding/i)
})

test('the origin reads what was routed: one host, one path, each in one form', async () => {
  const { answers } = await send(
    bed.port,
    'GET http://EDGE.test:80/%61%7Eb?c=%2f HTTP/1.1\r\nHost: edge.test\r\n\r\n',
    1,
  )
  expect(answers.map(({ body }) => body)).toEqual(['for GET /a~b?c=%2f HTTP/1.1'])
  expect(bed.origin.seen.at(-1)?.head.match(/^host: .*$/gim)).toEqual(['host: edge.test'])
})
