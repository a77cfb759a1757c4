import { afterEach, expect, test } from 'bun:test'
import { createServer, type Socket } from 'node:net'
import * as tls from 'node:tls'
import fc from 'fast-check'
import { DEFAULT_LIMITS, systemClock } from '../../kernel/index.ts'
import { createExchange, type OriginRequest } from './exchange.ts'
import type { OriginLimits } from './limits.ts'
import { createOrigins } from './origins.ts'
import { makeCertificate } from './testing/certificate.ts'
import { type RawOrigin, type Step, startRawOrigin } from './testing/raw-origin.ts'
import { readerOf, textOf } from './testing/read-content.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})
const origin = async (script: (request: number, text: string) => readonly Step[]): Promise<RawOrigin> => {
  const started = await startRawOrigin(script)
  open.push(started)
  return started
}
const exchangeWith = (url: string, limits: Partial<OriginLimits> = {}) => {
  const exchange = createExchange({ url: new URL(url), limits: { ...DEFAULT_LIMITS, ...limits } })
  open.push(exchange)
  return exchange
}
const toRequest = (more: Partial<OriginRequest> = {}): OriginRequest => {
  return { method: 'GET', path: '/a', lines: [], body: null, signal: new AbortController().signal, ...more }
}
const outcomeOf = async (sending: ReturnType<ReturnType<typeof exchangeWith>['send']>): Promise<string> => {
  const result = await sending
  if (!result.ok) return `refused: ${result.code}`
  return await textOf(result.body).then(
    (text) => `${result.status} ${text}`,
    (error) => `cut: ${error.code}`,
  )
}
const answer = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`

/** A server of sockets alone, on the host given. */
async function listen(
  host: string,
  serve: (socket: Socket) => void,
): Promise<{ readonly port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  open.push({
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  })
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, sockets }
}

test('one connection carries one exchange after another; what came with its head comes as bytes', async () => {
  const { url, received } = await origin((request) => [answer(`${request}`)])
  const exchange = exchangeWith(url)
  for (let each = 0; each < 5; each += 1) {
    const result = await exchange.send(toRequest(), { fresh: false })
    expect(result.ok && result.body).toEqual(Buffer.from(`${each}`))
  }
  expect(received.length).toBe(1)
})

test('the last used connection is the first to be used again; beyond so many at rest they are closed', async () => {
  const { url, received } = await origin(() => [20, answer('a')])
  const exchange = exchangeWith(url, { edgeOriginConnectionsIdleMax: 2 })
  const send = (): Promise<string> => outcomeOf(exchange.send(toRequest(), { fresh: false }))
  await Promise.all([send(), send(), send(), send()])
  expect(received.length).toBe(4)
  await Promise.all([send(), send()])
  expect(received.length).toBe(4)
  expect(await Promise.all([send(), send(), send()])).toEqual(['200 a', '200 a', '200 a'])
  expect(received.length).toBe(5)
})

test('300 requests at once over 8 connections: each has its own answer', async () => {
  const { url, received } = await origin((_, text) => [answer(/x-n: (\d+)/.exec(text)?.[1] ?? '')])
  const exchange = exchangeWith(url, { edgeOriginConnectionsMax: 8, edgeOriginConnectionsIdleMax: 8 })
  const asked = Array.from({ length: 300 }, (_, at) => `${at}`)
  const got = await Promise.all(
    asked.map((n) => outcomeOf(exchange.send(toRequest({ lines: [['x-n', n]] }), { fresh: n.endsWith('7') }))),
  )
  expect(got).toEqual(asked.map((n) => `200 ${n}`))
  // Some asked for one that nobody had used; at no time were there more than 8.
  expect(received.length).toBeLessThanOrEqual(8 + 30)
})

test('closed by the origin at the moment of reuse, 100 times in a row: no request fails', async () => {
  const { port } = await listen('127.0.0.1', (socket) => {
    let requests = 0
    socket.on('data', () => {
      requests += 1
      // The second finds it closing, by an end or by a reset.
      if (requests === 1) socket.write(answer('ok'), () => setImmediate(() => socket.end()))
      else socket.resetAndDestroy()
    })
  })
  const origins = createOrigins({ origins: [{ url: `http://127.0.0.1:${port}` }], clock: systemClock })
  open.push(origins)
  for (let each = 0; each < 100; each += 1) {
    const result = await origins.fetch(toRequest())
    expect(result.ok && (await textOf(result.body))).toBe('ok')
    if (each % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(origins.health()[0]?.health.failures).toBe(0)
})

test('what an origin says out of turn is nobody’s, also when it is there before the next request and not read yet', async () => {
  let victim: Socket | null = null
  const { port } = await listen('127.0.0.1', (socket) => {
    socket.on('data', (data) => {
      if (data.includes('/victim')) {
        victim = socket
        socket.write(answer('own'))
      } else if (data.includes('/nudge')) {
        // Both are there when the client looks next: it hears of the nudge first, and asks on the other connection.
        socket.write('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
        victim?.write(answer('evil'))
      }
    })
  })
  const exchange = exchangeWith(`http://127.0.0.1:${port}`)
  let caught = 0
  for (let round = 0; round < 20; round += 1) {
    await outcomeOf(exchange.send(toRequest({ path: '/victim' }), { fresh: false }))
    await exchange.send(toRequest({ path: '/nudge' }), { fresh: true })
    const next = await exchange.send(toRequest({ path: '/victim' }), { fresh: false })
    if (next.ok) expect(await textOf(next.body)).toBe('own')
    else {
      expect(next).toMatchObject({ code: 'origin-unreachable', reused: true })
      caught += 1
    }
  }
  expect(caught).toBeGreaterThan(0)
})

const HEADS: readonly [name: string, steps: readonly Step[], expected: string][] = [
  ['dripped byte by byte', [...answer('hi')].flatMap((character) => [character, 1]), '200 hi'],
  [
    'after 103s',
    [...Array.from({ length: 16 }, () => 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n'), answer('hi')],
    '200 hi',
  ],
  ['dripped without end', Array.from({ length: 100 }, () => ['X: a\r\n', 5]).flat(), 'refused: origin-timeout'],
  ['103s without end', Array.from({ length: 40 }, () => 'HTTP/1.1 103 E\r\n\r\n'), 'refused: origin-invalid'],
  ['content until the end, which does not come', ['HTTP/1.1 200 OK\r\n\r\nhi'], 'cut: origin-timeout'],
]
for (const [name, steps, expected] of HEADS)
  test(`a head ${name}`, async () => {
    const first = name.endsWith('without end') && !name.startsWith('103') ? ['HTTP/1.1 200 OK\r\n'] : []
    const { url } = await origin(() => [...first, ...steps])
    const exchange = exchangeWith(url, { edgeOriginHeadTimeoutMs: 200, edgeOriginSilenceMs: 100 })
    expect(await outcomeOf(exchange.send(toRequest(), { fresh: false }))).toBe(expected)
  })

test('an answer that comes whole before its request is out ends both', async () => {
  const { url } = await origin((_, text) => (text.startsWith('PUT') ? [answer('enough')] : []))
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true
    },
  })
  expect(await outcomeOf(exchangeWith(url).send(toRequest({ method: 'PUT', body }), { fresh: true }))).toBe(
    '200 enough',
  )
  expect(cancelled).toBe(true)
})

test('an origin that does not read a request is left after its silence; its client is not asked for more', async () => {
  const { port } = await listen('127.0.0.1', (socket) => socket.pause())
  let pulled = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1
      controller.enqueue(new Uint8Array(1_000_000))
    },
  })
  const exchange = exchangeWith(`http://127.0.0.1:${port}`, { edgeOriginSilenceMs: 100 })
  expect(await outcomeOf(exchange.send(toRequest({ method: 'PUT', body }), { fresh: true }))).toBe(
    'refused: origin-timeout',
  )
  expect(pulled).toBeLessThan(30)
})

test('a reader that stops for a while loses nothing, and the connection is used again', async () => {
  const text = 'x'.repeat(3_000_000)
  const { url, received } = await origin((_, asked) => [answer(asked.includes('/large') ? text : 'small')])
  const exchange = exchangeWith(url)
  const large = await exchange.send(toRequest({ path: '/large' }), { fresh: false })
  const reader = large.ok ? readerOf(large.body) : null
  await reader?.read()
  await Bun.sleep(30)
  let bytes = 0
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) bytes += part.value.byteLength
  expect(bytes).toBeGreaterThan(text.length / 2)
  expect(await outcomeOf(exchange.send(toRequest(), { fresh: false }))).toBe('200 small')
  expect(received.length).toBe(1)
})

test('closed: those under way and those who wait are told, and nothing is left open', async () => {
  const { port, sockets } = await listen('127.0.0.1', () => {})
  const exchange = exchangeWith(`http://127.0.0.1:${port}`, { edgeOriginConnectionsMax: 1 })
  const sending = [1, 2].map(() => outcomeOf(exchange.send(toRequest(), { fresh: false })))
  while (sockets.size === 0) await Bun.sleep(1)
  exchange.close()
  expect(await Promise.all(sending)).toEqual(['refused: origin-unreachable', 'refused: origin-unreachable'])
  expect(await outcomeOf(exchange.send(toRequest(), { fresh: false }))).toBe('refused: origin-unreachable')
  while (sockets.size > 0) await Bun.sleep(1)
})

test('an address of IPv6', async () => {
  const { port } = await listen('::1', (socket) => socket.on('data', () => socket.write(answer('six'))))
  expect(await outcomeOf(exchangeWith(`http://[::1]:${port}`).send(toRequest(), { fresh: false }))).toBe('200 six')
})

/** An origin over TLS with a certificate for these names, and what a process that trusts this file makes of it. */
async function overTls(names: string, path: (port: number) => string, isTrusted: boolean): Promise<string> {
  const made = makeCertificate(names)
  const server = tls.createServer({ key: made.key, cert: made.certificate }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(answer('secret')))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => void server.close() })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const trust = isTrusted ? { NODE_EXTRA_CA_CERTS: made.certificateFile } : {}
  const asking = Bun.spawn([process.execPath, `${import.meta.dir}/testing/ask-once.ts`, path(port)], {
    env: { ...process.env, ...trust },
    stdout: 'pipe',
  })
  const outcome = await new Response(asking.stdout).text()
  made.remove()
  return outcome
}
const TLS: readonly [name: string, names: string, host: string, isTrusted: boolean, expected: RegExp][] = [
  ['trusted', 'DNS:localhost', 'localhost', true, /^secret$/],
  ['trusted, an address', 'IP:127.0.0.1', '127.0.0.1', true, /^secret$/],
  ['not trusted', 'DNS:localhost', 'localhost', false, /^origin-unreachable: .*self.signed/],
  ['trusted for another name', 'DNS:other.test', 'localhost', true, /^origin-unreachable: .*altnames/],
  ['trusted for another address', 'IP:127.0.0.2', '127.0.0.1', true, /^origin-unreachable: .*cert's list/],
]
for (const [name, names, host, isTrusted, expected] of TLS)
  test(`an origin over TLS whose certificate is ${name}`, async () => {
    expect(await overTls(names, (port) => `https://${host}:${port}`, isTrusted)).toMatch(expected)
  })

test('an origin that does not speak TLS where it should', async () => {
  const { url } = await origin(() => [answer('plain')])
  const exchange = exchangeWith(url.replace('http:', 'https:'), { edgeOriginConnectTimeoutMs: 300 })
  expect(await outcomeOf(exchange.send(toRequest(), { fresh: false }))).toBe('refused: origin-unreachable')
})

test('garbage for an answer: an outcome within the limits, never two, never a connection that is used again unclean', async () => {
  let garbage = Buffer.alloc(0)
  const { port } = await listen('127.0.0.1', (socket) =>
    socket.on('data', () => socket.write(garbage, () => socket.end())),
  )
  const exchange = exchangeWith(`http://127.0.0.1:${port}`, { edgeOriginHeadTimeoutMs: 500, edgeOriginSilenceMs: 500 })
  const part = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
  )
  const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary', maxLength: 30 })), { maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(text, async (parts) => {
      garbage = Buffer.from(parts.join(''), 'latin1')
      const outcome = await outcomeOf(exchange.send(toRequest(), { fresh: false }))
      expect(outcome).toMatch(
        /^(?:[2-5]\d\d |refused: origin-(?:invalid|unreachable)$|cut: origin-(?:invalid|unreachable)$)/,
      )
    }),
    { numRuns: 300 },
  )
})
