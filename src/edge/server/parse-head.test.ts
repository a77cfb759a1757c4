import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createHeadParser, findHeadEnd, skipEmptyLines } from './parse-head.ts'
import { acceptHead, checkRefused, readHead, toHeadText } from './testing/heads.ts'

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
    expect(acceptHead(toHeadText('', line))).toMatchObject({ method, path, query, host: 'a.tv', minorVersion: 1 })
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
  ])('%j: %i %s', (line, status, code) => checkRefused(toHeadText('', line), status, code))

  test('the preface of HTTP/2 is another version', () =>
    checkRefused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'version-unsupported'))
  test('HTTP/1.0 needs no Host; an absolute target names one', () => {
    expect(acceptHead('GET / HTTP/1.0\r\n\r\n')).toMatchObject({ host: '', minorVersion: 0 })
    expect(acceptHead('GET http://A.tv/ HTTP/1.0\r\n\r\n')).toMatchObject({ host: 'a.tv' })
  })
  test('a 405 says what is allowed (RFC 9110, 15.5.6)', () => {
    const head = readHead(toHeadText('', 'CONNECT a:1 HTTP/1.1'))
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
    [toHeadText('X: a\r\n b\r\n'), 'field-folded'],
    [toHeadText('X: a\r\n\tb: c\r\n'), 'field-folded'],
    [toHeadText('X : a\r\n'), 'field-name-malformed'],
    [toHeadText('X\t: a\r\n'), 'field-name-malformed'],
    [toHeadText(': a\r\n'), 'field-name-malformed'],
    [toHeadText('X\r\n'), 'field-name-malformed'],
    [toHeadText('X Y: a\r\n'), 'field-name-malformed'],
    [toHeadText('X(: a\r\n'), 'field-name-malformed'],
    [toHeadText('X\0: a\r\n'), 'field-name-malformed'],
    [toHeadText('\xe4: a\r\n'), 'field-name-malformed'],
    [toHeadText('X: a\0b\r\n'), 'field-value-malformed'],
    [toHeadText('X: a\x0bb\r\n'), 'field-value-malformed'],
    [toHeadText('X: \x7f\r\n'), 'field-value-malformed'],
    [toHeadText('X: \x1b[0m\r\n'), 'field-value-malformed'],
  ])('%j: %s', (text, code) => checkRefused(text, 400, code))

  test('values are taken without the white space around them, obs-text as Latin-1, an empty one as empty', () => {
    const { fields } = acceptHead(toHeadText('A:b\r\nC: \t d e\t \r\nE:\r\nF:  \r\nG: \xfc\xa0\r\n'))
    expect(['a', 'c', 'e', 'f', 'g'].map((name) => fields.get(name))).toEqual(['b', 'd e', '', '', '\xfc\xa0'])
  })
  test('lines of a list are joined, and kept apart in `lines`', () => {
    const { fields } = acceptHead(toHeadText('Accept: a\r\nX: 1\r\naccept: b\r\nX: 2\r\n'))
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
    expect(acceptHead(`\r\n\r\n${toHeadText('')}`).path).toBe('/')
    checkRefused(`\r\n\r\n\r\n\r\n${toHeadText('')}`, 400, 'request-line-malformed')
  })
})

describe('limits (RFC 6585, 5; RFC 9110, 15.5.15)', () => {
  const xs = (count: number): string => Array.from({ length: count }, (_, index) => `X${index}: y\r\n`).join('')
  test('as many fields as may be, and one more', () => {
    expect(acceptHead(toHeadText(xs(99))).ok).toBe(true)
    checkRefused(toHeadText(xs(100)), 431, 'fields-too-many')
  })
  test('a head as long as may be, and one longer', () => {
    const room = DEFAULT_LIMITS.edgeHeadBytesMax - toHeadText('X: \r\n').length
    expect(acceptHead(toHeadText(`X: ${'y'.repeat(room)}\r\n`)).ok).toBe(true)
    checkRefused(toHeadText(`X: ${'y'.repeat(room + 1)}\r\n`), 431, 'head-too-large')
  })
  test('what came of a head that does not end', () => {
    checkRefused(`GET /${'a'.repeat(20_000)}`, 414, 'target-too-long')
    checkRefused(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`, 431, 'head-too-large')
    checkRefused('A'.repeat(20_000), 431, 'head-too-large')
  })
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
    expect(acceptHead(toHeadText(`${name}: x\r\n`)).ok).toBe(true)
    checkRefused(toHeadText(`${name}: x\r\nX: y\r\n${name.toUpperCase()}: x\r\n`), 400, 'field-repeated')
  })
  test.each(['Accept', 'If-None-Match', 'Cache-Control', 'Via', 'X-Forwarded-For', 'Priority'])('%s may not', (name) =>
    expect(acceptHead(toHeadText(`${name}: x\r\n${name}: y\r\n`)).fields.get(name.toLowerCase())).toBe('x, y'),
  )
})

describe('one parser for a connection', () => {
  test('fields that come again are the same, for another target too', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    const one = acceptHead(toHeadText('X: y\r\n', 'GET /a HTTP/1.1'), parser)
    const two = acceptHead(toHeadText('X: y\r\n', 'GET /b HTTP/1.1'), parser)
    expect(two.fields).toBe(one.fields)
    expect(two.path).toBe('/b')
  })
  test('what is remembered never answers for other bytes, another version or another target', () => {
    const parser = createHeadParser(DEFAULT_LIMITS)
    acceptHead(toHeadText('Connection: te\r\nX: y\r\n'), parser)
    expect(acceptHead(toHeadText('Connection: te\r\nX: z\r\n'), parser).fields.get('x')).toBe('z')
    expect(acceptHead(toHeadText('Connection: te\r\nX: z\r\n', 'GET / HTTP/1.0'), parser).keepsAlive).toBe(false)
    expect(acceptHead(toHeadText('Connection: te\r\nX: z\r\n'), parser).keepsAlive).toBe(true)
    expect(readHead(toHeadText('Connection: te\r\nX: z\r\n', 'GET http://b.tv/ HTTP/1.1'), parser).ok).toBe(false)
    expect(readHead(toHeadText('Connection: te\r\nX : z\r\n'), parser).ok).toBe(false)
  })
  test('what was read stays when the bytes it came in are used again', () => {
    const bytes = Buffer.from(toHeadText('X: secret\r\n'))
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
        for (const head of [acceptHead(text), acceptHead(text, parser), acceptHead(text, parser)]) {
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
    const text = toHeadText('Content-Length: 5\r\nAuthorization: b\r\nConnection: close\r\n', 'POST /a HTTP/1.1')
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), (at, octet) => {
        const head = readHead(text.slice(0, at) + String.fromCharCode(octet) + text.slice(at + 1))
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
  test('a head with any other end than its own is refused, whatever bytes follow', () => {
    const bytes = Buffer.from(`${toHeadText('X: y\r\n')}\r\n\r\n`)
    const end = findHeadEnd(bytes, 0, 0)
    for (let other = 0; other <= bytes.length; other += 1)
      expect(createHeadParser(DEFAULT_LIMITS).parse(bytes, 0, other).ok).toBe(other === end)
  })
  test('the end of a head is the same wherever its bytes are split', () => {
    const bytes = Buffer.from(`${toHeadText('X: y\r\n')}rest`)
    const expected = findHeadEnd(bytes, 0, 0)
    expect(expected).toBe(bytes.length - 4)
    for (let split = 0; split < expected; split += 1) {
      expect(findHeadEnd(bytes.subarray(0, split), 0, 0)).toBe(-1)
      expect(findHeadEnd(bytes, 0, split)).toBe(expected)
    }
  })
})
