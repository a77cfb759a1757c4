import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import type { RequestHeadRead } from './head.ts'
import { createHeadParser, findHeadEnd, type HeadParser, skipEmptyLines } from './parse-head.ts'

const read = (text: string, parser: HeadParser = createHeadParser(DEFAULT_LIMITS)): ReturnType<HeadParser['parse']> => {
  const bytes = Buffer.from(text, 'latin1')
  const start = skipEmptyLines(bytes, 0)
  const end = findHeadEnd(bytes, start, 0)
  return parser.parse(bytes, start, end < 0 ? bytes.length : end)
}
const accept = (text: string, parser?: HeadParser): RequestHeadRead => {
  const head = read(text, parser)
  if (!head.ok) throw new Error(`expected a head, got ${head.problem.code}`)
  return head
}
const check = (text: string, status: number, code: string): void => {
  const head = read(text)
  expect(head.ok ? 'accepted' : [head.problem.status, head.problem.code]).toEqual([status, code])
}
const get = (fields: string, line = 'GET / HTTP/1.1'): string => `${line}\r\nHost: a.tv\r\n${fields}\r\n`

describe('request line (RFC 9112, 3)', () => {
  test.each([
    ['GET / HTTP/1.1', 'GET', '/', ''],
    ['get /a HTTP/1.1', 'get', '/a', ''],
    ['M-SEARCH /a?b=c&d=/ HTTP/1.1', 'M-SEARCH', '/a', '?b=c&d=/'],
    ['POST /%7euser HTTP/1.1', 'POST', '/~user', ''],
    ['HEAD /a? HTTP/1.1', 'HEAD', '/a', '?'],
    ['OPTIONS * HTTP/1.1', 'OPTIONS', '*', ''],
    ['GET http://A.tv:80/x?y HTTP/1.1', 'GET', '/x', '?y'],
    ['GET HTTP://a.tv HTTP/1.1', 'GET', '/', ''],
    ['GET http://a.tv?y HTTP/1.1', 'GET', '/', '?y'],
    ['OPTIONS http://a.tv HTTP/1.1', 'OPTIONS', '*', ''],
    ['OPTIONS http://a.tv/ HTTP/1.1', 'OPTIONS', '/', ''],
    ['GET /x?"<>[]{}|^` HTTP/1.1', 'GET', '/x', '?"<>[]{}|^`'],
  ])('%s', (line, method, path, query) => {
    expect(accept(get('', line))).toMatchObject({ method, path, query, host: 'a.tv', minorVersion: 1 })
  })

  test.each([
    ['GET  / HTTP/1.1', 400, 'request-line-malformed'],
    [' GET / HTTP/1.1', 400, 'request-line-malformed'],
    ['GET / HTTP/1.1 ', 400, 'request-line-malformed'],
    ['GET /  HTTP/1.1', 400, 'request-line-malformed'],
    ['GET /a b HTTP/1.1', 400, 'request-line-malformed'],
    ['GET /', 400, 'request-line-malformed'],
    ['GET', 400, 'request-line-malformed'],
    ['GET / http/1.1', 400, 'request-line-malformed'],
    ['GET / HTTP/11', 400, 'request-line-malformed'],
    ['GET / HTTP/1.10', 400, 'request-line-malformed'],
    ['GET / HTTP /1.1', 400, 'request-line-malformed'],
    ['GET\t/ HTTP/1.1', 400, 'method-malformed'],
    ['GE\0T / HTTP/1.1', 400, 'method-malformed'],
    ['G(T / HTTP/1.1', 400, 'method-malformed'],
    [`${'M'.repeat(33)} / HTTP/1.1`, 501, 'method-unknown'],
    ['CONNECT a.tv:443 HTTP/1.1', 405, 'connect-unsupported'],
    ['CONNECT / HTTP/1.1', 405, 'connect-unsupported'],
    ['GET / HTTP/0.9', 505, 'version-unsupported'],
    ['GET / HTTP/1.2', 505, 'version-unsupported'],
    ['GET / HTTP/2.0', 505, 'version-unsupported'],
    ['GET / HTTP/3.0', 505, 'version-unsupported'],
    ['GET a.tv:80 HTTP/1.1', 400, 'target-malformed'],
    ['GET * HTTP/1.1', 400, 'target-malformed'],
    ['OPTIONS ** HTTP/1.1', 400, 'target-malformed'],
    ['GET a HTTP/1.1', 400, 'target-malformed'],
    ['GET ?a HTTP/1.1', 400, 'target-malformed'],
    ['GET /a#b HTTP/1.1', 400, 'target-malformed'],
    ['GET /a?b#c HTTP/1.1', 400, 'target-malformed'],
    ['GET //a HTTP/1.1', 400, 'target-malformed'],
    ['GET /a/../b HTTP/1.1', 400, 'target-malformed'],
    ['GET /a/%2e%2e/b HTTP/1.1', 400, 'target-malformed'],
    ['GET /a%2fb HTTP/1.1', 400, 'target-malformed'],
    ['GET /a%00 HTTP/1.1', 400, 'target-malformed'],
    ['GET /a\\b HTTP/1.1', 400, 'target-malformed'],
    ['GET /\xe4 HTTP/1.1', 400, 'target-malformed'],
    ['GET /a\tb HTTP/1.1', 400, 'target-malformed'],
    ['GET /a\0b HTTP/1.1', 400, 'target-malformed'],
    ['GET http:///x HTTP/1.1', 400, 'target-malformed'],
    ['GET http://u@a.tv/ HTTP/1.1', 400, 'target-malformed'],
    ['GET http://a.tv\\@b.tv/ HTTP/1.1', 400, 'target-malformed'],
    ['GET https://a.tv/ HTTP/1.1', 400, 'scheme-unsupported'],
    ['GET file:///etc HTTP/1.1', 400, 'scheme-unsupported'],
    ['GET http://b.tv/ HTTP/1.1', 400, 'host-differs'],
    ['GET http://a.tv:8080/ HTTP/1.1', 400, 'host-differs'],
    [`GET /${'a'.repeat(8192)} HTTP/1.1`, 414, 'target-too-long'],
  ])('%j: %i %s', (line, status, code) => check(get('', line), status, code))

  test('the preface of HTTP/2 is another version', () =>
    check('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'version-unsupported'))
  test('HTTP/1.0 needs no Host; an absolute target names one', () => {
    expect(accept('GET / HTTP/1.0\r\n\r\n')).toMatchObject({ host: '', minorVersion: 0 })
    expect(accept('GET http://A.tv/ HTTP/1.0\r\n\r\n')).toMatchObject({ host: 'a.tv' })
  })
  test('a 405 says what is allowed (RFC 9110, 15.5.6)', () => {
    const head = read(get('', 'CONNECT a:1 HTTP/1.1'))
    expect(!head.ok && head.problem.headers?.['allow']).toContain('GET')
  })
})

describe('lines (RFC 9112, 2.2 and 5)', () => {
  test.each([
    ['GET / HTTP/1.1\nHost: a.tv\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\rHost: a.tv\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nHost: a.tv\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nHost: a.tv\r\n\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\nHost: a.tv\n\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nHost: a.tv\nX: y\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nHost: a.tv\rX: y\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nHost: a.tv\r\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\nX\rY: z\r\nHost: a.tv\r\n\r\n', 'line-ending-malformed'],
    ['GET / HTTP/1.1\r\n Host: a.tv\r\n\r\n', 'field-folded'],
    [get('X: a\r\n b\r\n'), 'field-folded'],
    [get('X: a\r\n\tb: c\r\n'), 'field-folded'],
    [get('X : a\r\n'), 'field-name-malformed'],
    [get('X\t: a\r\n'), 'field-name-malformed'],
    [get(': a\r\n'), 'field-name-malformed'],
    [get('X\r\n'), 'field-name-malformed'],
    [get('X Y: a\r\n'), 'field-name-malformed'],
    [get('X(: a\r\n'), 'field-name-malformed'],
    [get('X\0: a\r\n'), 'field-name-malformed'],
    [get('\xe4: a\r\n'), 'field-name-malformed'],
    [get('X: a\0b\r\n'), 'field-value-malformed'],
    [get('X: a\x0bb\r\n'), 'field-value-malformed'],
    [get('X: \x7f\r\n'), 'field-value-malformed'],
    [get('X: \x1b[0m\r\n'), 'field-value-malformed'],
  ])('%j: %s', (text, code) => check(text, 400, code))

  test('values are taken without the white space around them, obs-text as Latin-1, an empty one as empty', () => {
    const { fields } = accept(get('A:b\r\nC: \t d e\t \r\nE:\r\nF:  \r\nG: \xfc\xa0\r\n'))
    expect(['a', 'c', 'e', 'f', 'g'].map((name) => fields.get(name))).toEqual(['b', 'd e', '', '', '\xfc\xa0'])
  })
  test('lines of a list are joined, and kept apart in `lines`', () => {
    const { fields } = accept(get('Accept: a\r\nX: 1\r\naccept: b\r\nX: 2\r\n'))
    expect([fields.get('accept'), fields.get('x'), fields.get('y')]).toEqual(['a, b', '1, 2', null])
    expect(fields.lines()).toEqual([
      ['host', 'a.tv'],
      ['accept', 'a'],
      ['x', '1'],
      ['accept', 'b'],
      ['x', '2'],
    ])
  })
  test('at most two empty lines come before a request', () => {
    expect(accept(`\r\n\r\n${get('')}`).path).toBe('/')
    check(`\r\n\r\n\r\n\r\n${get('')}`, 400, 'request-line-malformed')
  })
})

describe('limits (RFC 6585, 5; RFC 9110, 15.5.15)', () => {
  const xs = (count: number): string => Array.from({ length: count }, (_, index) => `X${index}: y\r\n`).join('')
  test('as many fields as may be, and one more', () => {
    expect(accept(get(xs(99))).ok).toBe(true)
    check(get(xs(100)), 431, 'fields-too-many')
  })
  test('a head as long as may be, and one longer', () => {
    const room = DEFAULT_LIMITS.edgeHeadBytesMax - get('X: \r\n').length
    expect(accept(get(`X: ${'y'.repeat(room)}\r\n`)).ok).toBe(true)
    check(get(`X: ${'y'.repeat(room + 1)}\r\n`), 431, 'head-too-large')
  })
  test('what came of a head that does not end', () => {
    check(`GET /${'a'.repeat(20_000)}`, 414, 'target-too-long')
    check(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`, 431, 'head-too-large')
    check('A'.repeat(20_000), 431, 'head-too-large')
  })
})

describe('host (RFC 9112, 3.2; RFC 9110, 7.2)', () => {
  const host = (value: string): string => `GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`
  test.each([
    ['Tentpole.TV', 'tentpole.tv'],
    ['a.tv:80', 'a.tv'],
    ['a.tv:8080', 'a.tv:8080'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:80', '[2001:db8::1]'],
    ['[::ffff:1.2.3.4]:65535', '[::ffff:1.2.3.4]:65535'],
    ['my_host-1', 'my_host-1'],
    [' \t a.tv \t', 'a.tv'],
  ])('%j is %s', (value, expected) => expect(accept(host(value)).host).toBe(expected))

  test.each([
    '',
    'a.tv.',
    '.a.tv',
    'a..tv',
    'a.tv:',
    'a.tv:0',
    'a.tv:080',
    'a.tv:65536',
    'a.tv:8x',
    'a.tv:80:80',
    'u@a.tv',
    'u:p@a.tv',
    'a.tv, b.tv',
    'a b',
    'a.tv/',
    'a.tv?x',
    'a.tv#x',
    'a%2etv',
    'a\\b',
    '\xe4.tv',
    '::1',
    '[::1',
    '::1]',
    '[::1]x',
    '[::1]x:80',
    '[::1%25eth0]',
    '[g::1]',
    '[]',
    '[v1.x]',
    '"a.tv"',
    `${'a'.repeat(254)}`,
  ])('%j is refused', (value) => check(host(value), 400, 'host-malformed'))

  test('none, two, two alike', () => {
    check('GET / HTTP/1.1\r\n\r\n', 400, 'host-missing')
    check('GET http://a.tv/ HTTP/1.1\r\n\r\n', 400, 'host-missing')
    check(get('Host: b.tv\r\n'), 400, 'host-repeated')
    check(get('hOST: a.tv\r\n'), 400, 'host-repeated')
    check('GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'host-repeated')
  })
})

describe('framing (RFC 9112, 6)', () => {
  test.each([
    ['', null],
    ['Content-Length: 0\r\n', { kind: 'length', bytes: 0 }],
    ['Content-Length:5\r\n', { kind: 'length', bytes: 5 }],
    ['Content-Length: 999999999999999\r\n', { kind: 'length', bytes: 999_999_999_999_999 }],
    ['Transfer-Encoding: chunked\r\n', { kind: 'chunked' }],
    ['Transfer-Encoding: Chunked\r\n', { kind: 'chunked' }],
  ])('%j', (fields, framing) => expect(accept(get(fields)).framing).toEqual(framing as never))

  test.each([
    ['Content-Length: 5\r\nContent-Length: 5\r\n', 400, 'content-length-repeated'],
    ['Content-Length: 5\r\nContent-length: 6\r\n', 400, 'content-length-repeated'],
    ...['5, 5', '5,5', '+5', '-5', '0x5', '5a', '', '5 5', '5.0', '1e3', '05', '1000000000000000', '\xb2'].map(
      (value) => [`Content-Length: ${value}\r\n`, 400, 'content-length-malformed'] as const,
    ),
    ...['', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked,', 'identity', 'xchunked'].map(
      (value) => [`Transfer-Encoding: ${value}\r\n`, 501, 'transfer-encoding-unsupported'] as const,
    ),
    ['Transfer-Encoding: chunked;q=1\r\n', 501, 'transfer-encoding-unsupported'],
    ['Transfer-Encoding: "chunked"\r\n', 501, 'transfer-encoding-unsupported'],
    ['Transfer-Encoding: \x0bchunked\r\n', 400, 'field-value-malformed'],
    ['Transfer-Encoding : chunked\r\n', 400, 'field-name-malformed'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 400, 'transfer-encoding-repeated'],
    ['Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n', 400, 'transfer-encoding-repeated'],
    ['Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', 400, 'framing-ambiguous'],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 400, 'framing-ambiguous'],
  ] as const)('%j: %i %s', (fields, status, code) => check(get(fields), status, code))

  test('HTTP/1.0 has no transfer codings', () =>
    check(get('Transfer-Encoding: chunked\r\n', 'POST / HTTP/1.0'), 400, 'transfer-encoding-unexpected'))
})

describe('connection and expectation (RFC 9112, 9.3; RFC 9110, 7.6.1 and 10.1.1)', () => {
  test.each([
    ['', 1, true],
    ['', 0, false],
    ['Connection: close\r\n', 1, false],
    ['Connection: CLOSE\r\n', 1, false],
    ['Connection: keep-alive\r\n', 0, true],
    ['Connection: te, Close ,\r\n', 1, false],
    ['Connection: te\r\nConnection: close\r\n', 1, false],
    ['Connection: keep-alive, close\r\n', 0, false],
    ['Connection: ,upgrade,keep-alive\r\n', 0, true],
    ['Connection:\r\n', 1, true],
    ['Connection: closed\r\n', 1, true],
  ])('%j in HTTP/1.%i: %p', (fields, minor, keepsAlive) =>
    expect(accept(get(fields, `GET / HTTP/1.${minor}`)).keepsAlive).toBe(keepsAlive),
  )

  test.each(['a b', '"close"', 'close;x', 'a, b c', 'a/b'])('Connection: %s is refused', (value) =>
    check(get(`Connection: ${value}\r\n`), 400, 'connection-malformed'),
  )

  test.each([
    ['Expect: 100-continue\r\nContent-Length: 1\r\n', 1, true],
    ['Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n', 1, true],
    ['Expect: 100-continue\r\nContent-Length: 1\r\n', 0, false],
    ['Expect: 100-continue\r\nContent-Length: 0\r\n', 1, false],
    ['Expect: 100-continue\r\n', 1, false],
  ])('%j in HTTP/1.%i: %p', (fields, minor, expected) =>
    expect(accept(get(fields, `POST / HTTP/1.${minor}`)).expectsContinue).toBe(expected),
  )

  test.each(['', '200-ok', '100-continue, x', '100-continue\r\nExpect: 100-continue'])('Expect: %j: 417', (value) =>
    check(get(`Expect: ${value}\r\n`), 417, 'expectation-unknown'),
  )
})

describe('fields that are no lists come once (RFC 9110, 5.3)', () => {
  test.each([
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'From',
    'Origin',
    'Referer',
    'User-Agent',
    'Range',
    'If-Range',
    'If-Modified-Since',
    'If-Unmodified-Since',
    'Max-Forwards',
    'Content-Type',
    'Content-Range',
    'Content-Location',
    'Date',
  ])('%s', (name) => {
    expect(accept(get(`${name}: x\r\n`)).ok).toBe(true)
    check(get(`${name}: x\r\nX: y\r\n${name.toUpperCase()}: x\r\n`), 400, 'field-repeated')
  })
  test.each(['Accept', 'If-None-Match', 'Cache-Control', 'Via', 'X-Forwarded-For', 'Priority'])('%s may not', (name) =>
    expect(accept(get(`${name}: x\r\n${name}: y\r\n`)).fields.get(name.toLowerCase())).toBe('x, y'),
  )
})

describe('one parser for a connection', () => {
  test('fields that come again are the same, for another target too', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    const one = accept(get('X: y\r\n', 'GET /a HTTP/1.1'), parser)
    const two = accept(get('X: y\r\n', 'GET /b HTTP/1.1'), parser)
    expect(two.fields).toBe(one.fields)
    expect(two.path).toBe('/b')
  })
  test('what is remembered never answers for other bytes, another version or another target', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    accept(get('Connection: te\r\nX: y\r\n'), parser)
    expect(accept(get('Connection: te\r\nX: z\r\n'), parser).fields.get('x')).toBe('z')
    expect(accept(get('Connection: te\r\nX: z\r\n', 'GET / HTTP/1.0'), parser).keepsAlive).toBe(false)
    expect(accept(get('Connection: te\r\nX: z\r\n'), parser).keepsAlive).toBe(true)
    expect(read(get('Connection: te\r\nX: z\r\n', 'GET http://b.tv/ HTTP/1.1'), parser).ok).toBe(false)
    expect(read(get('Connection: te\r\nX : z\r\n'), parser).ok).toBe(false)
  })
  test('what was read stays when the bytes it came in are used again', () => {
    const bytes = Buffer.from(get('X: secret\r\n'))
    const parser = createHeadParser(DEFAULT_LIMITS)
    const head = parser.parse(bytes, 0, bytes.length)
    bytes.fill(120)
    expect(head.ok && head.fields.get('x')).toBe('secret')
  })
})

describe('properties', () => {
  const tokens = [..."!#$%&'*+-.^_`|~09azAZ"]
  const token = fc.string({ unit: fc.constantFrom(...tokens), minLength: 1, maxLength: 12 })
  const value = fc
    .string({ unit: fc.constantFrom('a', ' ', '\t', ':', ',', '"', '\xff', '\x80', '~'), maxLength: 20 })
    .map((text) => text.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  const lines = fc.array(
    fc.tuple(
      token.map((name) => `x${name}`),
      value,
    ),
    { maxLength: 20 },
  )

  test('a head made of valid parts is read back to them, alone and after others', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    fc.assert(
      fc.property(token, lines, fc.constantFrom('', ' ', '\t '), (name, pairs, space) => {
        fc.pre(name !== 'CONNECT')
        const text = `${name} /a?b HTTP/1.1\r\nHost: a.tv\r\n${pairs.map(([key, content]) => `${key}:${space}${content}${space}\r\n`).join('')}\r\n`
        const expected = [['host', 'a.tv'], ...pairs.map(([key, content]) => [key.toLowerCase(), content])]
        for (const head of [accept(text), accept(text, parser), accept(text, parser)]) {
          expect(head.method).toBe(name)
          expect(head.fields.lines()).toEqual(expected as never)
        }
      }),
    )
  })

  const pieces = fc.constantFrom(
    ...['GET', ' ', '/', 'HTTP/1.1', '\r\n', '\r', '\n', 'Host', ':', 'a.tv', 'Content-Length', 'Transfer-Encoding'],
    ...['chunked', '5', ',', '\t', '\0', '\x80', 'http://', '[::1]', '*', 'Connection', 'Expect', '%', '#', '..'],
  )
  const near = fc.array(pieces, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''), 'latin1'))
  const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  test('any bytes are read or refused, at any bounds; nothing throws', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    fc.assert(
      fc.property(fc.oneof(near, any), fc.nat(40), fc.nat(400), (bytes, from, to) => {
        const start = Math.min(from, bytes.length)
        const end = Math.min(Math.max(start, to), bytes.length)
        expect(typeof parser.parse(bytes, start, end).ok).toBe('boolean')
        findHeadEnd(bytes, start, end)
        skipEmptyLines(bytes, start)
      }),
      { numRuns: 2000 },
    )
  })
  test('one octet changed in a head: refused, or read as those bytes say', () => {
    const text = get('Content-Length: 5\r\nAuthorization: b\r\nConnection: close\r\n', 'POST /a HTTP/1.1')
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), (at, octet) => {
        const head = read(text.slice(0, at) + String.fromCharCode(octet) + text.slice(at + 1))
        if (!head.ok) return
        for (const [name, content] of head.fields.lines()) {
          expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9a-z]+$/)
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
          expect(content).not.toMatch(/[\0-\x08\x0a-\x1f\x7f]/)
        }
      }),
      { numRuns: 2000 },
    )
  })
  test('the end of a head is the same wherever its bytes are split', () => {
    const bytes = Buffer.from(`${get('X: y\r\n')}rest`)
    const expected = findHeadEnd(bytes, 0, 0)
    expect(expected).toBe(bytes.length - 4)
    for (let split = 0; split < expected; split += 1) {
      expect(findHeadEnd(bytes.subarray(0, split), 0, 0)).toBe(-1)
      expect(findHeadEnd(bytes, 0, split)).toBe(expected)
    }
  })
})
