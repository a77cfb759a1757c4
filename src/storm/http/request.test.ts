import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { renderHead } from './request.ts'

const TARGET = { hostHeader: 'localhost:8080' }

test('a GET with a token', () => {
  expect(renderHead(TARGET, { method: 'GET', path: '/v1/home', token: 'a.b.c', body: null })).toBe(
    'GET /v1/home HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: Bearer a.b.c\r\n\r\n',
  )
})

test('a POST says how many bytes follow, not how many characters', () => {
  expect(renderHead(TARGET, { method: 'POST', path: '/x', token: null, body: '"é"' })).toBe(
    'POST /x HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n',
  )
})

test('nothing in a path or a token ends a line or makes another request', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom(' HTTP/1.1\r\nX: y\r\n\r\n', '\ud800'),
  )
  fc.assert(
    fc.property(text, text, (path, token) => {
      const head = renderHead(TARGET, { method: 'GET', path, token, body: null })
      expect(head).toMatch(
        /^GET [\x21-\x7e]* HTTP\/1\.1\r\nHost: localhost:8080\r\nAuthorization: Bearer [\x21-\x7e]*\r\n\r\n$/,
      )
    }),
    { numRuns: 2_000 },
  )
})
