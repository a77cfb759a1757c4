import { afterEach, expect, test } from 'bun:test'
import { silentLogger } from '../../kernel/index.ts'
import { toHttpDate } from '../http/index.ts'
import { createProxyEdge, type ProxyEdge } from './proxy-edge.ts'

type Handler = (request: Request) => Response | Promise<Response>

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Seen = { readonly method: string; readonly path: string; readonly headers: Headers }

/** A real origin and the edge in front of it, on a clock that the test moves. */
function open(handler: Handler, options: { cacheBytes?: number } = {}) {
  const seen: Seen[] = []
  let answer = handler
  let ahead = 0
  // Begins with a whole second: dates in fields have no fractions, and ages would hang on when the test runs.
  const beganMs = Math.ceil(Date.now() / 1_000) * 1_000
  const began = performance.now()
  const nowMs = (): number => beganMs + (performance.now() - began) + ahead
  const clock = { nowMs, elapsedMs: () => performance.now() + ahead }
  const origin = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { method, url, headers } = request
      seen.push({ method, path: new URL(url).pathname, headers: new Headers(headers) })
      const response = await answer(request)
      // The origin's clock is the edge's.
      response.headers.set('date', toHttpDate(clock.nowMs()))
      return response
    },
  })
  const edge: ProxyEdge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [`http://127.0.0.1:${origin.port}`],
    limits: { edgeCacheBytes: options.cacheBytes ?? 16 * 1024 * 1024 },
    logger: silentLogger,
    clock,
    policy: { jitterShare: 0 },
  })
  closers.push(
    () => origin.stop(true),
    () => edge.close({ drainMs: 100 }),
  )
  return {
    edge,
    seen,
    get: (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${edge.port}${path}`, init),
    answerWith(next: Handler) {
      answer = next
    },
    stopOrigin: () => origin.stop(true),
    passTime(ms: number) {
      ahead += ms
    },
  }
}

const cacheable = (body: string, headers: Record<string, string> = {}): Handler => {
  return () => new Response(body, { headers: { 'cache-control': 'max-age=60', ...headers } })
}
const statusOf = (response: Response): string | null => response.headers.get('cache-status')

test('what may be stored is fetched once, and says how old it is', async () => {
  const { get, seen, passTime } = open(cacheable('hello', { etag: '"1"', 'content-type': 'text/plain' }))
  const first = await get('/a')
  expect([await first.text(), statusOf(first), first.headers.get('age')]).toEqual([
    'hello',
    'tentpole; fwd=uri-miss; stored',
    '0',
  ])
  passTime(7_000)
  const second = await get('/a')
  expect([await second.text(), second.headers.get('content-type'), seen.length]).toEqual(['hello', 'text/plain', 1])
  expect([second.headers.get('age'), statusOf(second), second.headers.get('content-length')]).toEqual([
    '7',
    'tentpole; hit; ttl=53',
    '5',
  ])
  expect(second.headers.get('via')).toBe('1.1 tentpole')
})

test('a stale answer is validated: a 304 freshens it, anything else takes its place', async () => {
  const { get, seen, passTime, answerWith } = open(cacheable('one', { etag: '"1"' }))
  await (await get('/a')).text()
  passTime(61_000)
  answerWith((request) => {
    expect(request.headers.get('if-none-match')).toBe('"1"')
    return new Response(null, { status: 304, headers: { etag: '"1"', 'cache-control': 'max-age=30', 'x-new': 'yes' } })
  })
  const freshened = await get('/a')
  expect([await freshened.text(), freshened.headers.get('x-new'), statusOf(freshened)]).toEqual([
    'one',
    'yes',
    'tentpole; fwd=stale; fwd-status=304; stored',
  ])
  expect([await (await get('/a')).text(), seen.length]).toEqual(['one', 2])
  passTime(31_000)
  answerWith(cacheable('two', { etag: '"2"' }))
  expect(await (await get('/a')).text()).toBe('two')
  expect([await (await get('/a')).text(), seen.length]).toEqual(['two', 3])
})

test("a client's own conditions are answered from what is stored", async () => {
  const { get, seen } = open(cacheable('body', { etag: '"1"', 'last-modified': 'Sat, 01 Aug 2026 10:00:00 GMT' }))
  await (await get('/a')).text()
  const cases: [Record<string, string>, number][] = [
    [{ 'if-none-match': '"1"' }, 304],
    [{ 'if-none-match': 'W/"1"' }, 304],
    [{ 'if-none-match': '"2", "3"' }, 200],
    [{ 'if-modified-since': 'Sat, 01 Aug 2026 10:00:00 GMT' }, 304],
    [{ 'if-none-match': '"2"', 'if-modified-since': 'Sat, 01 Aug 2026 10:00:00 GMT' }, 200],
  ]
  for (const [headers, status] of cases) {
    const response = await get('/a', { headers })
    expect([headers, response.status, (await response.text()).length]).toEqual([
      headers,
      status,
      status === 200 ? 4 : 0,
    ])
    if (status === 304) expect(response.headers.get('etag')).toBe('"1"')
  }
  expect(seen.length).toBe(1)
})

test('ranges are cut from what is stored', async () => {
  const text = '0123456789'.repeat(100)
  const { get, seen } = open(cacheable(text, { etag: '"1"' }))
  await (await get('/a')).text()
  const ask = async (range: string, more: Record<string, string> = {}) => {
    const response = await get('/a', { headers: { range, ...more } })
    return [response.status, response.headers.get('content-range'), await response.text()] as const
  }
  expect(await ask('bytes=2-4')).toEqual([206, 'bytes 2-4/1000', '234'])
  expect(await ask('bytes=-3')).toEqual([206, 'bytes 997-999/1000', '789'])
  expect((await ask('bytes=5000-')).slice(0, 2)).toEqual([416, 'bytes */1000'])
  expect((await ask('bytes=2-4', { 'if-range': '"other"' }))[0]).toBe(200)
  expect((await ask('bytes=2-4', { 'if-range': '"1"' }))[0]).toBe(206)
  const several = await get('/a', { headers: { range: 'bytes=0-1,10-11' } })
  const body = await several.text()
  expect(several.headers.get('content-type')).toStartWith('multipart/byteranges; boundary=')
  expect([several.status, body.includes('bytes 10-11/1000'), several.headers.get('content-range')]).toEqual([
    206,
    true,
    null,
  ])
  expect(Number(several.headers.get('content-length'))).toBe(body.length)
  expect(seen.length).toBe(1)
})

const unshared: readonly (readonly [string, Record<string, string>, Record<string, string>])[] = [
  ['private', {}, { 'cache-control': 'private, max-age=60' }],
  ['no-store', {}, { 'cache-control': 'no-store' }],
  ['no-store in the request', { 'cache-control': 'no-store' }, { 'cache-control': 'max-age=60' }],
  ['Authorization', { authorization: 'Bearer a' }, { 'cache-control': 'max-age=60' }],
  ['Set-Cookie', {}, { 'cache-control': 'max-age=60', 'set-cookie': 'session=1' }],
  ['Vary: *', {}, { 'cache-control': 'max-age=60', vary: '*' }],
  ['CDN-Cache-Control: no-store', {}, { 'cache-control': 'max-age=60', 'cdn-cache-control': 'no-store' }],
]
for (const [name, requestHeaders, responseHeaders] of unshared)
  test(`${name}: nobody gets what was made for another`, async () => {
    let count = 0
    const { get, seen } = open(() => new Response(`answer ${++count}`, { headers: responseHeaders }))
    const first = await (await get('/a', { headers: requestHeaders })).text()
    const second = await (await get('/a', { headers: requestHeaders })).text()
    expect([first, second, seen.length]).toEqual(['answer 1', 'answer 2', 2])
  })

test('an answer that varies is kept once for each variant', async () => {
  const { get, seen } = open((request) => {
    const language = request.headers.get('accept-language') ?? 'none'
    return new Response(language, { headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language' } })
  })
  for (const language of ['de', 'fr', 'de', 'DE', 'fr'])
    expect(await (await get('/a', { headers: { 'accept-language': language } })).text()).toBe(language.toLowerCase())
  expect(seen.length).toBe(2)
})

test('a thousand at once for something cold are one fetch, streamed as it arrives', async () => {
  const release = Promise.withResolvers<void>()
  const { get, seen } = open(() => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('first '))
        await release.promise
        controller.enqueue(Buffer.from('last'))
        controller.close()
      },
    })
    return new Response(body, { headers: { 'cache-control': 'max-age=60' } })
  })
  const crowd = Array.from({ length: 200 }, () => get('/cold'))
  const [one] = await Promise.all(crowd.slice(0, 50))
  const reader = one?.body?.getReader()
  // The beginning is here while the end is still to come.
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first ')
  release.resolve()
  reader?.releaseLock()
  const texts = await Promise.all((await Promise.all(crowd.slice(50))).map((response) => response.text()))
  expect([...new Set(texts), seen.length]).toEqual(['first last', 1])
})

test('what the origin breaks off is never kept as whole', async () => {
  const broken = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.end('HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 100\r\n\r\nshort')
      },
    },
  })
  closers.push(() => broken.stop(true))
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [`http://127.0.0.1:${broken.port}`],
    limits: { edgeCacheBytes: 1_000_000, edgeSliceBytes: 100_000 },
    logger: silentLogger,
  })
  closers.push(() => edge.close({ drainMs: 100 }))
  for (let attempt = 0; attempt < 2; attempt++) {
    const response = await fetch(`http://127.0.0.1:${edge.port}/a`)
    expect(statusOf(response)).toContain('fwd=uri-miss')
    expect(response.text()).rejects.toThrow()
    await response.body?.cancel().catch(() => {})
  }
  expect(edge.statistics().bytes).toBe(0)
})

test('stale-while-revalidate answers at once and freshens behind it', async () => {
  const control = 'max-age=10, stale-while-revalidate=30'
  const { get, seen, passTime, answerWith } = open(cacheable('old', { 'cache-control': control, etag: '"1"' }))
  await (await get('/a')).text()
  passTime(15_000)
  answerWith(cacheable('new', { 'cache-control': control, etag: '"2"' }))
  const stale = await get('/a')
  expect([await stale.text(), statusOf(stale)]).toEqual(['old', 'tentpole; hit; ttl=-5'])
  const deadline = performance.now() + 2_000
  let text = 'old'
  while (text === 'old' && performance.now() < deadline) text = await (await get('/a')).text()
  expect([text, seen.length]).toEqual(['new', 2])
})

test('an origin that fails leaves what may be served stale, and nothing else', async () => {
  const { get, passTime, answerWith, stopOrigin } = open((request) => {
    const must = request.url.endsWith('/must')
    const control = must ? 'max-age=10, must-revalidate' : 'max-age=10, stale-if-error=60'
    return new Response('kept', { headers: { 'cache-control': control, etag: '"1"' } })
  })
  for (const path of ['/may', '/must']) await (await get(path)).text()
  passTime(20_000)
  answerWith(() => new Response('down', { status: 503 }))
  const may = await get('/may')
  expect([may.status, await may.text(), statusOf(may)]).toEqual([200, 'kept', 'tentpole; hit; detail=stale-on-error'])
  expect((await get('/must')).status).toBe(503)
  await stopOrigin()
  expect(await (await get('/may')).text()).toBe('kept')
  expect((await get('/must')).status).toBe(502)
  passTime(60_000)
  expect((await get('/may')).status).toBe(502)
})

test('what changes a resource makes its stored answers invalid, on the same origin only', async () => {
  const { get, seen } = open((request) =>
    request.method === 'POST'
      ? new Response('changed', {
          status: 201,
          headers: { location: '/b', 'content-location': 'http://elsewhere.example/c' },
        })
      : new Response('stored', { headers: { 'cache-control': 'max-age=60' } }),
  )
  for (const path of ['/a', '/b', '/c']) await (await get(path)).text()
  await get('/a', { method: 'POST', body: 'x' })
  for (const path of ['/a', '/b', '/c']) await (await get(path)).text()
  expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /a',
    'GET /b',
    'GET /c',
    'POST /a',
    'GET /a',
    'GET /b',
  ])
})

test('all methods pass through, with their bodies; a HEAD is answered from a stored GET', async () => {
  const { get, seen } = open(async (request) => {
    const text = `${request.method} ${await request.text()}`
    return new Response(text, { headers: { 'cache-control': 'max-age=60' } })
  })
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    expect(await (await get('/a', { method, body: 'payload' })).text()).toBe(`${method} payload`)
  await (await get('/h')).text()
  const head = await get('/h', { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
  expect(seen.filter(({ method }) => method === 'HEAD')).toEqual([])
})

test('fields of one connection go no further, either way', async () => {
  const { get, seen } = open(
    () =>
      new Response('x', {
        headers: { connection: 'x-hop', 'x-hop': 'origin', 'keep-alive': 'timeout=5', 'x-end': 'origin' },
      }),
  )
  const response = await get('/a', {
    headers: { connection: 'x-mine', 'x-mine': 'client', te: 'gzip', 'x-end': 'client' },
  })
  expect([response.headers.get('x-hop'), response.headers.get('x-end')]).toEqual([null, 'origin'])
  const [received] = seen
  expect([received?.headers.get('x-mine'), received?.headers.get('te'), received?.headers.get('x-end')]).toEqual([
    null,
    null,
    'client',
  ])
  expect([received?.headers.get('via'), received?.headers.get('x-forwarded-for')]).toEqual([
    '1.1 tentpole',
    '127.0.0.1',
  ])
})

test('only-if-cached asks nobody; an edge in front of itself stops', async () => {
  const { get, seen } = open(cacheable('x'))
  expect((await get('/a', { headers: { 'cache-control': 'only-if-cached' } })).status).toBe(504)
  const via = Array(4).fill('1.1 tentpole').join(', ')
  expect((await get('/a', { headers: { via } })).status).toBe(508)
  expect(seen.length).toBe(0)
})

test('the bound in bytes holds whatever is asked for', async () => {
  const { edge, get } = open(
    (request) =>
      new Response(new Uint8Array(50_000), { headers: { 'cache-control': 'max-age=60', etag: `"${request.url}"` } }),
    { cacheBytes: 400_000 },
  )
  for (let index = 0; index < 40; index++) {
    await (await get(`/${index}`)).bytes()
    expect(edge.statistics().bytes).toBeLessThanOrEqual(400_000)
  }
  expect(edge.statistics().bytes).toBeGreaterThan(200_000)
})

test('a client cannot have an answer made for another address or method than the one it is kept under', async () => {
  const { get, seen } = open((request) => {
    const text = request.headers.get('x-forwarded-host') ?? request.headers.get('x-original-url') ?? 'clean'
    return new Response(text, { headers: { 'cache-control': 'max-age=60' } })
  })
  const poison = {
    'x-forwarded-host': 'evil.example',
    'x-original-url': '/admin',
    'x-http-method-override': 'DELETE',
    forwarded: 'host=evil.example',
  }
  expect(await (await get('/a', { headers: poison })).text()).toBe('clean')
  for (const name of Object.keys(poison)) expect([name, seen[0]?.headers.get(name)]).toEqual([name, null])
  await get('/a', { method: 'POST', headers: poison })
  expect(seen[1]?.headers.get('x-http-method-override')).toBeNull()
})
