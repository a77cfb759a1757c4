import { describe, expect, test } from 'bun:test'
import { acceptHead, checkRefused, toHeadText } from './testing/heads.ts'

describe('framing (RFC 9112, 6)', () => {
  test.each([
    ['', null],
    ['Content-Length: 0\r\n', { kind: 'length', bytes: 0 }],
    ['Content-Length:5\r\n', { kind: 'length', bytes: 5 }],
    ['Content-Length: 999999999999999\r\n', { kind: 'length', bytes: 999_999_999_999_999 }],
    ['Transfer-Encoding: chunked\r\n', { kind: 'chunked' }],
    ['Transfer-Encoding: Chunked\r\n', { kind: 'chunked' }],
  ])('%j', (fields, framing) => expect(acceptHead(toHeadText(fields)).framing).toEqual(framing as never))

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
  ] as const)('%j: %i %s', (fields, status, code) => checkRefused(toHeadText(fields), status, code))

  test('HTTP/1.0 has no transfer codings', () =>
    checkRefused(toHeadText('Transfer-Encoding: chunked\r\n', 'POST / HTTP/1.0'), 400, 'transfer-encoding-unexpected'))
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
    expect(acceptHead(toHeadText(fields, `GET / HTTP/1.${minor}`)).keepsAlive).toBe(keepsAlive),
  )

  test.each(['a b', '"close"', 'close;x', 'a, b c', 'a/b'])('Connection: %s is refused', (value) =>
    checkRefused(toHeadText(`Connection: ${value}\r\n`), 400, 'connection-malformed'),
  )

  test.each([
    ['Expect: 100-continue\r\nContent-Length: 1\r\n', 1, true],
    ['Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n', 1, true],
    ['Expect: 100-continue\r\nContent-Length: 1\r\n', 0, false],
    ['Expect: 100-continue\r\nContent-Length: 0\r\n', 1, false],
    ['Expect: 100-continue\r\n', 1, false],
  ])('%j in HTTP/1.%i: %p', (fields, minor, expected) =>
    expect(acceptHead(toHeadText(fields, `POST / HTTP/1.${minor}`)).expectsContinue).toBe(expected),
  )

  test.each(['', '200-ok', '100-continue, x', '100-continue\r\nExpect: 100-continue'])('Expect: %j: 417', (value) =>
    checkRefused(toHeadText(`Expect: ${value}\r\n`), 417, 'expectation-unknown'),
  )
})
