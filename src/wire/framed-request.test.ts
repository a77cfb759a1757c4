import { expect, test } from 'bun:test'
import { createFramedRequest } from './framed-request.ts'

const request = (body: string | null = '{"a":1}', signal?: AbortSignal): Request =>
  createFramedRequest({
    method: body === null ? 'GET' : 'POST',
    url: 'http://cell/v1/x?y=1',
    headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
    body: body === null ? null : new Uint8Array(Buffer.from(body)),
    signal,
  })

test('answers what handlers ask for', async () => {
  const framed = request()
  expect(framed).toBeInstanceOf(Request)
  expect([framed.method, framed.url]).toEqual(['POST', 'http://cell/v1/x?y=1'])
  const names = ['content-type', 'Content-Type', 'AUTHORIZATION', 'accept', 'toString', '__proto__']
  expect(names.map((name) => framed.headers.get(name))).toEqual([
    'application/json',
    'application/json',
    'Bearer x',
    null,
    null,
    null,
  ])
  expect(await framed.text()).toBe('{"a":1}')
})

test('is a request in everything else too', async () => {
  expect(await request().json()).toEqual({ a: 1 })
  expect(new TextDecoder().decode(await request().bytes())).toBe('{"a":1}')
  expect(await new Response(request().body).text()).toBe('{"a":1}')
  expect([...request().headers.keys()].sort()).toEqual(['authorization', 'content-type'])
  expect(request().headers).toBeInstanceOf(Headers)
  expect(request(null).body).toBeNull()
  expect(await request(null).text()).toBe('')
  expect(await request().clone().text()).toBe('{"a":1}')
  const controller = new AbortController()
  const framed = request('x', controller.signal)
  controller.abort()
  expect(framed.signal.aborted).toBe(true)
})

test('a body is read once', async () => {
  const framed = request()
  expect(framed.bodyUsed).toBe(false)
  const read = request()
  await read.text()
  expect(read.bodyUsed).toBe(true)
  expect(
    await read.text().then(
      () => 'read again',
      () => 'refused',
    ),
  ).toBe('refused')
  expect(
    await read.json().then(
      () => 'read again',
      () => 'refused',
    ),
  ).toBe('refused')
})

test('a header set on it stays set', () => {
  const framed = request()
  framed.headers.set('x-added', '1')
  expect(framed.headers.get('x-added')).toBe('1')
})
