import { afterEach, expect, test } from 'bun:test'
import { type Bed, openBed, until } from './testing/bed.ts'

let bed: Bed
afterEach(() => bed.close())

const bearer = (cell: string): string => `Bearer e30.${Buffer.from(JSON.stringify({ cell })).toString('base64url')}.s`
const codeOf = async (response: Response): Promise<[number, string]> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  return [response.status, ((await response.json()) as { code: string }).code]
}
const echo = async (request: Request): Promise<Response> =>
  Response.json({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  })

test('an API call reaches the viewer’s cell with path, query and body, and only the headers it may have', async () => {
  bed = await openBed({ handler: echo })
  const response = await fetch(bed.url('/v1/titles/x?y=1'), {
    method: 'POST',
    body: '{"a":1}',
    headers: {
      authorization: bearer('b'),
      'content-type': 'application/json',
      'x-tentpole-session': 'forged',
      'X-Tentpole-Public': '1',
      'x-forwarded-for': '1.2.3.4',
      te: 'trailers',
      connection: 'keep-alive',
    },
  })
  const got = (await response.json()) as { url: string; method: string; body: string; headers: Record<string, string> }
  expect([got.method, got.url, got.body]).toEqual(['POST', 'http://cell/v1/titles/x?y=1', '{"a":1}'])
  expect(got.headers['authorization']).toBe(bearer('b'))
  expect(Object.keys(got.headers).filter((name) => /^x-|^te$|^connection$/.test(name))).toEqual(['x-tentpole-client'])
  expect(got.headers['x-tentpole-client']).toBe('127.0.0.1')
  expect(bed.asked).toEqual(['b POST /v1/titles/x?y=1'])
})

test('every viewer goes to their own cell, strangers to any', async () => {
  bed = await openBed()
  for (const cell of ['a', 'b', 'a', 'b', 'b'])
    await fetch(bed.url('/v1/home'), { headers: { authorization: bearer(cell) } })
  expect(bed.asked.map((line) => line[0]).join('')).toBe('ababb')
  for (let call = 0; call < 4; call++) await fetch(bed.url('/v1/session'), { method: 'POST' })
  await fetch(bed.url('/v1/home'), { headers: { authorization: bearer('nowhere') } })
  expect(new Set(bed.asked.slice(5).map((line) => line[0]))).toEqual(new Set(['a', 'b']))
})

test('internal and hop-by-hop headers of a cell stay inside; cookies stay apart', async () => {
  const headers = new Headers({ 'x-tentpole-object': 'secret', connection: 'close', etag: '"1"', 'retry-after': '9' })
  headers.append('set-cookie', 'a=1')
  headers.append('set-cookie', 'b=2')
  bed = await openBed({ handler: () => new Response('x', { status: 429, headers }) })
  const response = await fetch(bed.url('/v1/home'))
  expect([response.status, response.headers.get('etag'), response.headers.get('retry-after')]).toEqual([
    429,
    '"1"',
    '9',
  ])
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(response.headers.has('x-tentpole-object')).toBe(false)
})

test('a body too large is refused, declared or not, and costs no cell anything', async () => {
  bed = await openBed({ limits: { apiBodyBytesMax: 1_000 } })
  const post = (body: BodyInit) => fetch(bed.url('/v1/signals'), { method: 'POST', body })
  expect(await codeOf(await post('x'.repeat(1_001)))).toEqual([413, 'body-too-large'])
  const stream = new ReadableStream({
    start(controller) {
      for (let part = 0; part < 3; part++) controller.enqueue(new Uint8Array(500))
      controller.close()
    },
  })
  expect(await codeOf(await post(stream))).toEqual([413, 'body-too-large'])
  expect(bed.asked).toEqual([])
  expect((await post('x'.repeat(1_000))).status).toBe(200)
})

test('HEAD, 204 and a method no API has', async () => {
  bed = await openBed({
    handler: (request) =>
      new Response(request.method === 'DELETE' ? null : 'body', { status: request.method === 'DELETE' ? 204 : 200 }),
  })
  const head = await fetch(bed.url('/v1/home'), { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
  expect((await fetch(bed.url('/v1/x'), { method: 'DELETE' })).status).toBe(204)
  expect(await bed.raw('TRACE /v1/home HTTP/1.1\r\nHost: h\r\n\r\n')).toStartWith('HTTP/1.1 405')
})

test('a cell that does not answer in time is a 504', async () => {
  bed = await openBed({ limits: { apiTimeoutMs: 100 }, handler: () => new Promise(() => {}) })
  expect(await codeOf(await fetch(bed.url('/v1/home')))).toEqual([504, 'cell-timeout'])
})

test('a cell that is down is stood in for, is named by /healthz, and gets its viewers back', async () => {
  bed = await openBed()
  const ask = async (): Promise<string> => {
    const response = await fetch(bed.url('/v1/home'), { headers: { authorization: bearer('a') } })
    expect(response.status).toBe(200)
    return bed.asked.at(-1)?.[0] ?? ''
  }
  expect(await ask()).toBe('a')
  expect((await fetch(bed.url('/healthz'))).status).toBe(200)
  await bed.stopCell('a')
  expect(await ask()).toBe('b')
  const health = await fetch(bed.url('/healthz'))
  expect([health.status, await health.json()]).toEqual([
    503,
    { status: 'failing', version: 'test', faults: ['cell a is not connected'] },
  ])
  await bed.startCell('a')
  expect(await ask()).toBe('a')
  expect((await fetch(bed.url('/healthz'))).status).toBe(200)
  await bed.stopCell('a')
  await bed.stopCell('b')
  const response = await fetch(bed.url('/v1/home'))
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await codeOf(response)).toEqual([503, 'cell-unavailable'])
})

test('a cell lost while it answers: a GET is asked elsewhere, a POST is not repeated', async () => {
  bed = await openBed()
  await bed.stopCell('a')
  await bed.startCell('a', () => new Promise(() => {}))
  const headers = { authorization: bearer('a') }
  const get = fetch(bed.url('/v1/home'), { headers })
  const post = fetch(bed.url('/v1/playback'), { method: 'POST', headers, body: '{}' })
  await until('both to be under way', () => bed.asked.length === 2)
  await bed.stopCell('a')
  expect(await (await get).text()).toBe('ok')
  const lost = await post
  expect(lost.headers.get('retry-after')).toBe('1')
  expect(await codeOf(lost)).toEqual([503, 'cell-lost'])
  expect(bed.asked.slice(2)).toEqual(['b GET /v1/home'])
})

test('a cell that drains hands even a POST on, since it did nothing with it', async () => {
  bed = await openBed()
  await bed.stopCell('a')
  const busy = Promise.withResolvers<Response>()
  await bed.startCell('a', () => busy.promise)
  const headers = { authorization: bearer('a') }
  const held = fetch(bed.url('/v1/home'), { headers })
  await until('the first to be under way', () => bed.asked.length === 1)
  const stopped = bed.stopCell('a')
  const post = await fetch(bed.url('/v1/playback'), { method: 'POST', headers, body: '{}' })
  expect([post.status, bed.asked.filter((line) => line.includes('POST'))]).toEqual([200, ['b POST /v1/playback']])
  busy.resolve(new Response('late'))
  expect((await held).status).toBe(200)
  await stopped
})

test('closing finishes what is under way and takes nothing new', async () => {
  const busy = Promise.withResolvers<Response>()
  bed = await openBed({ handler: () => busy.promise })
  const held = fetch(bed.url('/v1/home'))
  await until('it to be under way', () => bed.asked.length === 1)
  const closed = bed.edge.close()
  busy.resolve(new Response('finished'))
  expect(await (await held).text()).toBe('finished')
  await closed
  expect(await fetch(bed.url('/v1/home')).catch(() => 'refused')).toBe('refused')
})
