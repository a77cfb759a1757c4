import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Socket } from 'bun'
import { loopbackTarget, type Target } from '../target.ts'
import { type Connection, type ConnectionOptions, createConnection, type ExchangeResult } from './connection.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const each of undo.splice(0)) each()
})

type Server = {
  readonly target: Target
  readonly requests: string[]
  connections(): number
  /** Once a connection has ended, whoever ended it. */
  readonly ended: Promise<void>
  close(): void
}

/** Answers each arrival of bytes by what `answer` does; `nth` counts connections from 1. */
function startServer(answer: (socket: Socket<number>, text: string, nth: number) => void, port = 0): Server {
  const requests: string[] = []
  let connections = 0
  const ended = Promise.withResolvers<void>()
  const listener = Bun.listen<number>({
    hostname: '127.0.0.1',
    port,
    socket: {
      open(socket) {
        connections += 1
        socket.data = connections
      },
      data(socket, bytes) {
        const text = bytes.toString('latin1')
        requests.push(text)
        answer(socket, text, socket.data)
      },
      close: () => ended.resolve(),
    },
  })
  const close = (): void => listener.stop(true)
  undo.push(close)
  return {
    target: loopbackTarget(listener.port),
    requests,
    connections: () => connections,
    ended: ended.promise,
    close,
  }
}

function connect(options: ConnectionOptions): Connection {
  const connection = createConnection(options)
  undo.push(() => connection.close())
  return connection
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n'
const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const OK = ok('ok')

function exchange(connection: Connection, options: { head?: string; body?: string } = {}): Promise<ExchangeResult> {
  const { promise, resolve } = Promise.withResolvers<ExchangeResult>()
  const { head = GET, body = null } = options
  connection.exchange({ head, body, keepBody: true, timeoutMs: 5_000 }, resolve)
  return promise
}
const bodyOf = (result: ExchangeResult): string | undefined => (result.ok ? result.body?.toString() : result.why)

test('exchanges share one connection, and say what the answer said', async () => {
  const server = startServer((socket) => {
    socket.write('HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nCache-Status: edge; hit\r\nContent-Length: 2\r\n\r\nno')
  })
  const connection = connect({ target: server.target })
  for (let count = 0; count < 3; count++) {
    expect(await exchange(connection)).toEqual({
      ok: true,
      status: 503,
      headers: { retryAfterMs: 2_000, cacheStatus: 'edge; hit' },
      body: Buffer.from('no'),
      bytes: 2,
      tookMs: expect.any(Number),
    })
  }
  expect(server.connections()).toBe(1)
  expect(server.requests).toEqual([GET, GET, GET])
})

test('the next exchange may begin inside the answer to the last', async () => {
  const server = startServer((socket) => socket.write(OK))
  const connection = connect({ target: server.target })
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = 50
  const next = (): void =>
    connection.exchange({ head: GET, body: null, keepBody: false, timeoutMs: 5_000 }, (result) => {
      expect(result).toMatchObject({ ok: true, body: null, bytes: 2 })
      left -= 1
      if (left > 0) next()
      else resolve()
    })
  next()
  await promise
  expect(server.requests).toHaveLength(50)
})

test('an exchange out of turn is a bug of the caller', async () => {
  const server = startServer((socket) => socket.write(OK))
  const connection = connect({ target: server.target })
  const first = exchange(connection)
  expect(() => exchange(connection)).toThrow('one is under way')
  expect(await first).toMatchObject({ ok: true })
  connection.close()
  expect(() => exchange(connection)).toThrow('it is closed')
})

/** Lost by the server's own doing between two exchanges: the next one connects anew. */
test.each([
  ['closes while idle', (socket: Socket<number>) => socket.end()],
  ['resets while idle', (socket: Socket<number>) => socket.terminate()],
  ['speaks out of turn', (socket: Socket<number>) => socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
] as const)('a server that %s', async (_, disturb) => {
  let latest: Socket<number> | null = null
  const server = startServer((socket) => {
    latest = socket
    socket.write(OK)
  })
  const connection = connect({ target: server.target })
  expect(bodyOf(await exchange(connection))).toBe('ok')
  if (latest) disturb(latest)
  await server.ended
  expect(bodyOf(await exchange(connection))).toBe('ok')
  expect(server.connections()).toBe(2)
})

/** The race: the server closes a connection that was used before, as the request reaches it. */
test.each([
  ['a GET is sent once more', GET, 1, { ok: true, status: 200 }, 2],
  ['a GET only once', GET, 9, { ok: false, failure: 'connection' }, 2],
  ['a POST is not', POST, 1, { ok: false, failure: 'connection' }, 1],
] as const)('closed under a request: %s', async (_, head, closings, expected, connections) => {
  let left: number = closings
  const server = startServer((socket, text) => {
    if (text === 'GET /first HTTP/1.1\r\n\r\n') socket.write(OK)
    else if (left-- > 0) socket.terminate()
    else socket.write(OK)
  })
  const connection = connect({ target: server.target })
  expect(await exchange(connection, { head: 'GET /first HTTP/1.1\r\n\r\n' })).toMatchObject({ ok: true })
  expect(await exchange(connection, { head, ...(head === POST ? { body: '{}' } : {}) })).toMatchObject(expected)
  expect(server.connections()).toBe(connections)
  expect(server.requests).toHaveLength(connections + 1)
})

test.each([
  ['closes a new connection', '', true],
  ['closes inside the head', 'HTTP/1.1 200', true],
  ['closes inside the body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx', true],
  ['resets a body that lasts until it closes', 'HTTP/1.1 200 OK\r\n\r\nx', false],
] as const)('a server that %s has not answered, and is not asked again', async (_, text, politely) => {
  const server = startServer((socket) => {
    if (text !== '') socket.write(text)
    // A reset overtakes what was written; only after the client has read it is it known to be in the middle.
    if (politely) socket.end()
    else setTimeout(() => socket.terminate(), 20)
  })
  const connection = connect({ target: server.target })
  expect(await exchange(connection)).toMatchObject({ ok: false, failure: 'connection' })
  expect(server.requests).toHaveLength(1)
})

test('a body may last until the server closes, and the next exchange connects anew', async () => {
  const server = startServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\nall of it')
    socket.end()
  })
  const connection = connect({ target: server.target })
  expect(bodyOf(await exchange(connection))).toBe('all of it')
  expect(bodyOf(await exchange(connection))).toBe('all of it')
  expect(server.connections()).toBe(2)
})

test('a connection that the server means to close is not used again', async () => {
  const server = startServer((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`),
  )
  const connection = connect({ target: server.target })
  expect(await exchange(connection)).toMatchObject({ ok: true })
  expect(await exchange(connection)).toMatchObject({ ok: true })
  expect(server.connections()).toBe(2)
})

test.each(['SSH-2.0-OpenSSH\r\n', `${OK}HTTP/1.1`, 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'])(
  'an answer of %j is unreadable, and the next exchange connects anew',
  async (text) => {
    const server = startServer((socket, _, nth) => socket.write(nth === 1 ? text : OK))
    const connection = connect({ target: server.target })
    expect(await exchange(connection)).toMatchObject({ ok: false, failure: 'unreadable', why: expect.any(String) })
    expect(bodyOf(await exchange(connection))).toBe('ok')
  },
)

test('nobody listens', async () => {
  const server = startServer(() => {})
  server.close()
  const connection = connect({ target: server.target })
  expect(await exchange(connection)).toMatchObject({
    ok: false,
    failure: 'connection',
    why: expect.stringContaining('ECONNREFUSED'),
  })
})

test('what is overdue ends at a sweep, and a late answer reaches nobody', async () => {
  let nowMs = 1_000
  const asked = Promise.withResolvers<Socket<number>>()
  const server = startServer((socket, _, nth) => {
    if (nth === 1) asked.resolve(socket)
    else socket.write(ok('second'))
  })
  const connection = connect({ target: server.target, nowMs: () => nowMs })
  const results: ExchangeResult[] = []
  connection.exchange({ head: GET, body: null, keepBody: true, timeoutMs: 500 }, (result) => results.push(result))
  const socket = await asked.promise
  nowMs = 1_499
  connection.sweep(nowMs)
  expect(results).toEqual([])
  nowMs = 1_500
  connection.sweep(nowMs)
  expect(results).toEqual([{ ok: false, failure: 'timeout', why: '500 ms were over while waiting for the answer' }])
  connection.sweep(9_999)
  socket.write(ok('too late'))
  expect(bodyOf(await exchange(connection))).toBe('second')
  expect(results).toHaveLength(1)
})

test('an exchange that is given up while connecting leaves no connection behind', async () => {
  const server = startServer((socket) => socket.write(OK))
  const connection = connect({ target: server.target, nowMs: () => 0 })
  const results: ExchangeResult[] = []
  connection.exchange({ head: GET, body: null, keepBody: true, timeoutMs: 10 }, (result) => results.push(result))
  connection.sweep(10)
  expect(results).toEqual([{ ok: false, failure: 'timeout', why: '10 ms were over while connecting' }])
  expect(bodyOf(await exchange(connection))).toBe('ok')
  expect(server.requests).toHaveLength(1)
})

test('a closed connection says nothing any more', async () => {
  const asked = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: () => asked.resolve(), close: () => ended.resolve() },
  })
  undo.push(() => listener.stop(true))
  const connection = connect({ target: loopbackTarget(listener.port) })
  let told = 0
  connection.exchange({ head: GET, body: null, keepBody: true, timeoutMs: 5_000 }, () => {
    told += 1
  })
  await asked.promise
  connection.close()
  await ended.promise
  connection.sweep(Number.POSITIVE_INFINITY)
  expect(told).toBe(0)
})

test('a request larger than the socket takes at once arrives whole, and in UTF-8', async () => {
  const body = 'é€'.repeat(2_000_000)
  const size = Buffer.byteLength(body)
  const digest = new Bun.CryptoHasher('sha256')
  const head = `POST / HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`
  let received = 0
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        digest.update(bytes)
        received += bytes.byteLength
        if (received === head.length + size) socket.write(ok(digest.digest('hex')))
      },
    },
  })
  undo.push(() => listener.stop(true))
  const connection = connect({ target: loopbackTarget(listener.port) })
  expect(bodyOf(await exchange(connection, { head, body }))).toBe(Bun.SHA256.hash(head + body, 'hex'))
})

test('a refusal of a request that is still being sent ends the connection', async () => {
  const server = startServer((socket, _, nth) => {
    if (nth > 1) socket.write(OK)
    else {
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')
    }
  })
  const connection = connect({ target: server.target })
  expect(await exchange(connection, { head: POST, body: 'x'.repeat(32_000_000) })).toMatchObject({
    ok: true,
    status: 413,
  })
  expect(bodyOf(await exchange(connection))).toBe('ok')
  expect(server.connections()).toBe(2)
})

test.each([
  ['an answer', 'serve'],
  ['a failure', 'refuse'],
])('what an owner throws on %s is not swallowed', async (_, how) => {
  const script = `
    import { createConnection } from ${JSON.stringify(join(import.meta.dir, 'connection.ts'))}
    import { loopbackTarget } from ${JSON.stringify(join(import.meta.dir, '..', 'target.ts'))}
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('x') })
    const target = loopbackTarget(server.port)
    if (${JSON.stringify(how)} === 'refuse') await server.stop(true)
    const request = { head: ${JSON.stringify(GET)}, body: null, keepBody: true, timeoutMs: 1000 }
    createConnection({ target }).exchange(request, () => { throw new Error('a bug of the owner') })`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'ignore', stderr: 'pipe' })
  expect(await new Response(child.stderr).text()).toContain('a bug of the owner')
  expect(await child.exited).not.toBe(0)
})
