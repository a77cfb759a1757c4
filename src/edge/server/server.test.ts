import { afterEach, expect, test } from 'bun:test'
import { Agent, request as nodeRequest } from 'node:http'
import type { CancelSignal } from './cancel.ts'
import type { Answer } from './message.ts'
import { get, type OpenServer, openServer, post, readAnswers, text } from './testing/open-server.ts'
import { type RawClient, until } from './testing/raw-client.ts'

const opened: OpenServer[] = []
const open: typeof openServer = (options) => {
  const bed = openServer(options)
  opened.push(bed)
  return bed
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bed) => bed.close()))
})
const readAll = async (stream: ReadableStream<Uint8Array> | null): Promise<string> =>
  stream === null ? '' : Buffer.from(await new Response(stream).arrayBuffer()).toString('latin1')

test('an answer: status line, fields, length, date; and its report', async () => {
  const { client, exchanges } = open()
  const raw = await client()
  raw.write(get('/x?y=1'))
  const got = await raw.until((all) => all.endsWith('GET /x?y=1'))
  expect(got.replace(/date: \w{3}, .* GMT/, 'date: D')).toBe(
    'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\ndate: D\r\n\r\nGET /x?y=1',
  )
  expect(exchanges.map(({ request, bytes, complete }) => [request.path, bytes, complete])).toEqual([['/x', 10, true]])
})

test('a hundred requests in one write: all answered, in their order', async () => {
  const { client, server } = open({
    handle: ({ path }) => (Number(path.slice(1)) % 3 === 0 ? Promise.resolve(text(path)) : text(path)),
  })
  const raw = await client()
  const paths = Array.from({ length: 100 }, (_, index) => `/${index}`)
  raw.write(paths.map((path) => get(path)).join(''))
  const got = await raw.until((all) => all.endsWith('/99'))
  expect(readAnswers(got).map(({ body }) => body)).toEqual(paths)
  expect(server.inFlight()).toBe(0)
})

test('one request is handled at a time, and what comes meanwhile is bounded', async () => {
  let release = (): void => {}
  const seen: string[] = []
  const { client } = open({
    handle: async ({ path }) => {
      seen.push(path)
      if (path === '/first') await new Promise<void>((resolve) => (release = resolve))
      return text(path)
    },
  })
  const raw = await client()
  raw.write(get('/first'))
  await until(() => seen.length === 1, 'the first request')
  // Far more than what the kernel holds for both sides.
  raw.write(get('/more').repeat(2_000_000))
  const other = await client()
  for (let turn = 0; turn < 200; turn += 1) {
    other.write(get('/other'))
    await other.until((all) => readAnswers(all).length === turn + 1)
  }
  expect(raw.socket.writableLength).toBeGreaterThan(30_000_000)
  expect(seen.filter((path) => path !== '/other')).toEqual(['/first'])
  release()
  await raw.until((all) => all.includes('/more'))
  raw.reset()
})

test('a request split at every byte is one request', async () => {
  const { client } = open({ handle: async ({ path, body }) => text(`${path} ${await readAll(body)}`) })
  const request = `\r\n${post('hello', 'X-A: b\r\n')}POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
  const one = await client()
  one.socket.setNoDelay(true)
  for (const byte of request) {
    one.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const whole = await one.until((all) => all.endsWith('/c abc'))
  expect(readAnswers(whole).map(({ body }) => body)).toEqual(['/p hello', '/c abc'])
  await Promise.all(
    Array.from({ length: request.length - 1 }, async (_, index) => {
      const raw = await client()
      raw.write(request.slice(0, index + 1))
      await new Promise((resolve) => setTimeout(resolve, 1))
      raw.write(request.slice(index + 1))
      const got = await raw.until((all) => all.endsWith('/c abc'))
      expect(readAnswers(got).map(({ body }) => body)).toEqual(['/p hello', '/c abc'])
    }),
  )
})

const KEEPING: readonly (readonly [name: string, request: string, connection: string | null, ends: boolean])[] = [
  ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', null, false],
  ['HTTP/1.1 close', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'close', true],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 'close', true],
  ['HTTP/1.0 keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'keep-alive', false],
]
test.each(KEEPING)('persistence: %s', async (_, request, connection, ends) => {
  const { client } = open()
  const raw = await client()
  raw.write(request)
  const got = await raw.until((all) => all.endsWith('GET /'))
  expect(/^connection: (.*)\r$/m.exec(got)?.[1] ?? null).toBe(connection)
  if (ends) {
    await raw.ended()
    raw.write(request)
    expect(raw.text()).toBe(got)
  } else {
    raw.write(request)
    await raw.until((all) => readAnswers(all).length === 2)
  }
})

const LISTED: readonly (readonly [name: string, request: string, code: string])[] = [
  [
    'two equal lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd',
    'content-length-repeated',
  ],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'host-repeated'],
  ['another authority', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-differs'],
  ['two authorizations', 'GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n', 'field-repeated'],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b@c\r\n\r\n', 'host-malformed'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'framing-ambiguous',
  ],
  ['too long a head', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`, 'head-too-large'],
]
test.each(LISTED)('refused with a problem, and closed: %s', async (_, request, code) => {
  let handled = 0
  const { client, server } = open({
    handle: () => {
      handled += 1
      return text('handled')
    },
  })
  const raw = await client()
  raw.write(`${request}${get('/smuggled')}`)
  const [answer, ...more] = readAnswers(await raw.ended())
  expect(raw.fate()).toBe('ended')
  expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code, status: answer?.status })
  expect(answer?.head).toContain('connection: close')
  expect([more.length, handled]).toEqual([0, 0])
  expect(server.refusals()).toEqual({ [code]: 1 })
})

const FAILURES: readonly (readonly [name: string, handle: () => never | Promise<never>])[] = [
  [
    'throws',
    () => {
      throw new Error('secret at /etc')
    },
  ],
  ['rejects', () => Promise.reject(new Error('secret at /etc'))],
]
test.each(FAILURES)('a handler that %s: a 500 that names nothing; the log has the stack', async (_, handle) => {
  const { client, logged, exchanges } = open({ handle })
  const raw = await client()
  raw.write(get('/x'))
  const got = await raw.until((all) => all.includes('edge-failed'))
  expect(got).toStartWith('HTTP/1.1 500 Internal Server Error\r\n')
  expect(got).not.toContain('secret')
  expect(logged.join()).toContain('secret at /etc')
  expect(logged.join()).toContain('server.test.ts')
  expect(exchanges.map(({ answer }) => answer.status)).toEqual([500])
})

test('a token is in no line of the log, whatever fails', async () => {
  const token = `${'p'.repeat(40)}.${'m'.repeat(43)}`
  const failing: readonly (() => Answer | Promise<Answer>)[] = [
    () => Promise.reject(new Error(`nothing at /v/${token}/x`)),
    () => {
      throw new Error(`nothing at /v/${token}/x`)
    },
    () => text('', { status: 101 }),
    () => text('', { body: new ReadableStream({ pull: (controller) => controller.error(new Error(token)) }) }),
  ]
  const { client, logged, exchanges } = open({
    handle: ({ query }) => failing[Number(query.slice(1))]?.() ?? text('x'),
    onExchange: () => {
      throw new Error(token)
    },
  })
  for (const index of failing.keys()) {
    const raw = await client()
    raw.write(get(`/v/${token}/title/x?${index}`))
    await raw.until((all) => all.includes('\r\n\r\n'))
    expect(raw.text()).not.toContain('mmmm')
  }
  await until(() => logged.length >= 2 * failing.length, 'every fault to be logged')
  expect(exchanges).toEqual([])
  expect(logged.join('\n')).not.toMatch(/pppp|mmmm/)
  expect(logged.join('\n')).toContain('/v/*/title/x')
})

test('what would split an answer never leaves: a 500 instead', async () => {
  const { toHead } = await import('./message.ts')
  const { client } = open({ handle: ({ query }) => text('x', { head: toHead([['x', `a\r\nset-cookie: ${query}`]]) }) })
  const raw = await client()
  raw.write(get('/x?evil'))
  const got = await raw.until((all) => all.includes('edge-failed'))
  expect(got).not.toContain('set-cookie')
})

test('an answer that is none: a 500', async () => {
  const { client } = open({ handle: () => text('x', { status: 101 }) })
  const raw = await client()
  raw.write(get('/x'))
  await raw.until((all) => all.startsWith('HTTP/1.1 500'))
})

test('admission: refused requests get 429 with whole seconds, refused connections are closed; each is closed once', async () => {
  const heard: string[] = []
  let waits = 1_200
  const { client, server } = open({
    admission: {
      open: (address) => heard.push(`open ${address}`) < 3,
      close: (address) => heard.push(`close ${address}`),
      take: () => waits,
    },
  })
  const raw = await client()
  raw.write(get('/x'))
  const got = await raw.until((all) => all.includes('too-many-requests'))
  expect(got).toStartWith('HTTP/1.1 429 Too Many Requests\r\n')
  expect(got).toContain('retry-after: 2\r\n')
  waits = 0
  raw.write(get('/x'))
  await raw.until((all) => all.endsWith('GET /x'))
  const second = await client()
  const third = await client()
  await third.ended()
  expect(server.refusals()).toEqual({ 'too-many-requests': 1, 'too-many-client-connections': 1 })
  raw.finish()
  second.reset()
  await until(() => server.connections() === 0, 'both to be gone')
  expect(heard).toEqual([...Array(3).fill('open 127.0.0.1'), ...Array(2).fill('close 127.0.0.1')])
})

test('one connection too many is closed at once; one less lets the next in', async () => {
  const { client, server } = open({ limits: { edgeConnectionsMax: 2 } })
  const first = await client()
  await client()
  const third = await client()
  await third.ended()
  expect(server.refusals()).toEqual({ 'too-many-connections': 1 })
  first.reset()
  await until(() => server.connections() === 1, 'room')
  const fourth = await client()
  fourth.write(get('/x'))
  await fourth.until((all) => all.endsWith('GET /x'))
})

test('two thousand connections at once', async () => {
  const { client, server } = open()
  const clients: RawClient[] = []
  // In portions that a listen queue holds: a SYN that is dropped comes again only after a second.
  for (let portion = 0; portion < 10; portion += 1)
    clients.push(...(await Promise.all(Array.from({ length: 200 }, () => client()))))
  await until(() => server.connections() === 2_000, 'all of them')
  for (const raw of clients) raw.write(get('/x'))
  await Promise.all(clients.map((raw) => raw.until((all) => all.endsWith('GET /x'))))
  expect(server.inFlight()).toBe(0)
})

test('the clients people use, with connections kept: fetch, and an agent of node:http', async () => {
  const { server, exchanges } = open({ handle: async ({ method, body }) => text(`${method} ${await readAll(body)}`) })
  const url = `http://127.0.0.1:${server.port}/x`
  for (const content of ['one', 'two'.repeat(50_000)]) {
    const response = await fetch(url, { method: 'POST', body: content })
    expect(await response.text()).toBe(`POST ${content}`)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (content: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = nodeRequest(url, { method: 'PUT', agent }, (response) => {
        let all = ''
        response.on('data', (chunk) => (all += chunk))
        response.on('end', () => resolve(all))
      })
      asked.on('error', reject)
      asked.end(content)
    })
  expect(await ask('three')).toBe('PUT three')
  expect(await ask('four')).toBe('PUT four')
  agent.destroy()
  expect(exchanges.length).toBe(4)
  expect(server.connections()).toBeLessThanOrEqual(2)
})

test('a client that sent its FIN gets all the answers it asked for, and nobody is told that it has gone', async () => {
  const release = Promise.withResolvers<void>()
  const aborted: boolean[] = []
  const { client, server, exchanges } = open({
    handle: async ({ path, signal }) => {
      if (path === '/1') await release.promise
      aborted.push(signal.aborted)
      return text(path)
    },
  })
  const raw = await client()
  raw.write(get('/1') + get('/2'))
  raw.finish()
  await until(() => server.inFlight() === 1, 'the request')
  // The FIN came with it, or after it.
  const other = await client()
  other.write(get('/other'))
  await other.until((all) => all.endsWith('/other'))
  release.resolve()
  const got = await raw.ended()
  expect(readAnswers(got).map(({ body }) => body)).toEqual(['/1', '/2'])
  expect(aborted).toEqual([false, false, false])
  expect(exchanges.every(({ complete }) => complete)).toBe(true)
  await until(() => server.connections() === 1, 'the connection to be gone')
})

test('who closed its socket is known to have gone once something is written to it', async () => {
  let push: ReadableStreamDefaultController<Uint8Array> | null = null
  let cancelled = false
  const { client, server, exchanges } = open({
    handle: () =>
      text('', {
        body: new ReadableStream(
          {
            start(controller) {
              push = controller
            },
            cancel() {
              cancelled = true
            },
          },
          { highWaterMark: 0 },
        ),
      }),
  })
  const raw = await client()
  raw.write(get('/x'))
  await raw.until((all) => all.includes('\r\n\r\n'))
  raw.socket.destroy()
  await until(() => {
    if (!cancelled) push?.enqueue(new Uint8Array(10))
    return cancelled
  }, 'the stream to be cancelled')
  await until(() => server.connections() === 0 && exchanges.length === 1, 'the report')
  expect(exchanges[0]?.complete).toBe(false)
})

test('who leaves while its request is handled: the signal, no answer to anybody, one report', async () => {
  let release = (): void => {}
  let signal: CancelSignal | null = null
  const { client, server, exchanges } = open({
    handle: async (request) => {
      signal = request.signal
      await new Promise<void>((resolve) => (release = resolve))
      return text('late')
    },
  })
  const raw = await client()
  raw.write(get('/x'))
  await until(() => signal !== null, 'the request')
  raw.reset()
  await until(() => signal?.aborted === true, 'the signal')
  expect([server.inFlight(), server.connections(), exchanges.length]).toEqual([0, 0, 0])
  release()
  await until(() => exchanges.length === 1, 'the report')
  expect(exchanges[0]).toMatchObject({ complete: false, bytes: 0 })
})

test('resets in every phase leave nothing and break nothing', async () => {
  const big = Buffer.alloc(8 * 1024 * 1024)
  const { client, server, logged } = open({
    handle: async ({ path, body }) => {
      if (path === '/big') return text('', { body: big })
      if (path === '/p') return text(await readAll(body))
      await new Promise((resolve) => setTimeout(resolve, 5))
      return text(path)
    },
  })
  const phases = [
    '',
    'GET /x HT',
    get('/x'),
    get('/big'),
    post('abc').slice(0, -1),
    `${get('/x')}${get('/x')}`,
    'X\r\n\r\n',
  ]
  for (const sent of phases) {
    const raw = await client({ reads: false })
    if (sent) raw.write(sent)
    await new Promise((resolve) => setTimeout(resolve, 3))
    raw.reset()
  }
  await until(() => server.connections() === 0 && server.inFlight() === 0, 'all to be gone')
  expect(logged.filter((line) => line.includes('ERROR'))).toEqual([])
  const raw = await client()
  raw.write(get('/x'))
  await raw.until((all) => all.endsWith('/x'))
})
