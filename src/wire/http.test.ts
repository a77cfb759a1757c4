import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { faultCode } from '../kernel/index.ts'
import { decodeHttpRequest, decodeHttpResponse, encodeHttpRequest, encodeHttpResponse } from './index.ts'

const headerValue = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

test('a request arrives as it was sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('POST', 'PUT', 'DELETE', 'PATCH'),
      fc.webPath(),
      headerValue,
      fc.uint8Array(),
      async (method, path, value, body) => {
        const sent = { method, path: `/v1${path}?q=1`, headers: [['x-one', value] as const], body }
        const request = decodeHttpRequest(encodeHttpRequest(sent))
        expect(request.method).toBe(method)
        expect(request.url).toBe(new URL(`http://cell/v1${path}?q=1`).href)
        expect(request.headers.get('x-one')).toBe(value)
        expect(new Uint8Array(await request.arrayBuffer())).toEqual(new Uint8Array(body))
      },
    ),
  )
})

test('a GET has no body, and repeated header names are joined as HTTP says', () => {
  const headers = [['accept', 'a'] as const, ['accept', 'b'] as const]
  const request = decodeHttpRequest(encodeHttpRequest({ method: 'GET', path: '/v1/home', headers, body: null }))
  expect(request.body).toBeNull()
  expect(request.headers.get('accept')).toBe('a, b')
})

test('the signal given to decode is the request’s', () => {
  const controller = new AbortController()
  const payload = encodeHttpRequest({ method: 'GET', path: '/', headers: [], body: null })
  const request = decodeHttpRequest(payload, { signal: controller.signal })
  controller.abort()
  expect(request.signal.aborted).toBe(true)
})

test('a response keeps status, body and every set-cookie', async () => {
  const headers = new Headers({ 'content-type': 'application/json' })
  headers.append('set-cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT')
  headers.append('set-cookie', 'b=2')
  const got = decodeHttpResponse(await encodeHttpResponse(new Response('{"ü":1}', { status: 418, headers })))
  expect(got.status).toBe(418)
  expect(Buffer.from(got.body).toString()).toBe('{"ü":1}')
  expect(got.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value)).toEqual([
    'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
    'b=2',
  ])
  expect(decodeHttpResponse(await encodeHttpResponse(new Response(null, { status: 204 }))).body.byteLength).toBe(0)
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a head longer than the payload', Buffer.from([0, 0, 0, 9, 91, 93])],
  ['no JSON', Buffer.from([0, 0, 0, 1, 91])],
  ['an object', Buffer.from([0, 0, 0, 2, 123, 125])],
  ['an empty array', Buffer.from([0, 0, 0, 2, 91, 93])],
])('%s is refused on both sides', (_, payload) => {
  for (const decode of [decodeHttpRequest, decodeHttpResponse]) {
    let code = 'accepted'
    try {
      decode(payload)
    } catch (error) {
      code = faultCode(error)
    }
    expect(code).toBe('wire-malformed')
  }
})
