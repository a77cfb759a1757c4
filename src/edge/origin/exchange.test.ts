import { afterEach, expect, test } from 'bun:test'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createExchange, type OriginRequest } from './exchange.ts'
import type { OriginLimits } from './limits.ts'
import { deadUrl, type RawOrigin, type Step, startRawOrigin } from './testing/raw-origin.ts'
import { textOf } from './testing/read-content.ts'

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
const outcome = async (
  steps: readonly Step[],
  more: Partial<OriginRequest> = {},
  limits: Partial<OriginLimits> = {},
) => {
  const { url } = await origin(() => steps)
  const result = await exchangeWith(url, limits).send(toRequest(more), { fresh: false })
  if (!result.ok) return `refused: ${result.code}`
  if (result.body === null) return `${result.status} none`
  return await textOf(result.body).then(
    (text) => `${result.status} ${text}`,
    (error) => `cut: ${error.code}`,
  )
}
const head = (lines: string, status = '200 OK'): string => `HTTP/1.1 ${status}\r\n${lines}\r\n`

const BODIES: readonly [name: string, steps: readonly Step[], expected: string, method?: string][] = [
  ['as long as announced', [head('Content-Length: 5\r\n'), 'hello'], '200 hello'],
  ['in drips', [head('Content-Length: 5\r\n'), 'h', 20, 'el', 20, 'lo'], '200 hello'],
  ['shorter than announced', [head('Content-Length: 10\r\n'), 'hello', 20, 'end'], 'cut: origin-unreachable'],
  ['shorter, reset', [head('Content-Length: 10\r\n'), 'hello', 20, 'reset'], 'cut: origin-unreachable'],
  ['chunked', [head('Transfer-Encoding: chunked\r\n'), '5\r\nhello\r\n0\r\n\r\n'], '200 hello'],
  [
    'chunked, last chunk missing',
    [head('Transfer-Encoding: chunked\r\n'), '5\r\nhello\r\n', 20, 'end'],
    'cut: origin-unreachable',
  ],
  [
    'chunked, broken in a chunk',
    [head('Transfer-Encoding: chunked\r\n'), '9\r\nhello', 20, 'end'],
    'cut: origin-unreachable',
  ],
  [
    'chunked, with trailer fields',
    [head('Trailer: x-a\r\nTransfer-Encoding: chunked\r\n'), '5\r\nhello\r\n0\r\nX-A: 1\r\n\r\n'],
    '200 hello',
  ],
  ['delimited by the end', [head(''), 'hello', 20, 'end'], '200 hello'],
  ['delimited by the end, reset', [head(''), 'hello', 20, 'reset'], 'cut: origin-unreachable'],
  ['none: 204', [head('', '204 No Content')], '204 none'],
  ['none: 304 with a length', [head('Content-Length: 5\r\nETag: "a"\r\n', '304 Not Modified')], '304 none'],
  ['none: HEAD', [head('Content-Length: 5\r\n')], '200 none', 'HEAD'],
  [
    'after an interim response',
    [head('Link: </a>\r\n', '103 Early Hints'), head('Content-Length: 2\r\n'), 'hi'],
    '200 hi',
  ],
  ['encoded content untouched', [head('Content-Encoding: gzip\r\nContent-Length: 5\r\n'), 'hello'], '200 hello'],
  ['closed without an answer', ['end'], 'refused: origin-unreachable'],
  ['not HTTP', ['hello\r\n\r\n', 'end'], 'refused: origin-invalid'],
  ['Content-Length twice', [head('Content-Length: 5\r\nContent-Length: 5\r\n'), 'hello'], 'refused: origin-invalid'],
  [
    'Content-Length and chunked',
    [head('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), '0\r\n\r\n'],
    'refused: origin-invalid',
  ],
  [
    'a coding we did not ask for',
    [head('Transfer-Encoding: gzip, chunked\r\n'), '0\r\n\r\n'],
    'refused: origin-invalid',
  ],
  [
    'chunked in HTTP/1.0',
    ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    'refused: origin-invalid',
  ],
  ['bare CR in a value', [head('X-A: a\rSet-Cookie: b\r\nContent-Length: 0\r\n')], 'refused: origin-invalid'],
  ['bare LF as line end', [head('X-A: a\nSet-Cookie: b\r\nContent-Length: 0\r\n')], 'refused: origin-invalid'],
  ['NUL in a value', [head('X-A: a\0b\r\nContent-Length: 0\r\n')], 'refused: origin-invalid'],
  ['obs-fold', [head('X-A: a\r\n b\r\nContent-Length: 0\r\n')], 'refused: origin-invalid'],
  ['a status above 599', [head('Content-Length: 0\r\n', '999 What')], 'refused: origin-invalid'],
  [
    '101 unasked',
    [head('Upgrade: x\r\nConnection: upgrade\r\n', '101 Switching Protocols')],
    'refused: origin-invalid',
  ],
  ['a head without end', [head(`X-A: ${'a'.repeat(70_000)}\r\n`)], 'refused: origin-invalid'],
]

for (const [name, steps, expected, method = 'GET'] of BODIES)
  test(`body and framing: ${name}`, async () => {
    expect(await outcome(steps, { method })).toBe(expected)
  })

const PHASES: readonly [name: string, steps: readonly Step[], limits: Partial<OriginLimits>, expected: string][] = [
  ['no head', [], { edgeOriginHeadTimeoutMs: 60 }, 'refused: origin-timeout'],
  ['a stall between bytes', [head('Content-Length: 5\r\n'), 'he'], { edgeOriginSilenceMs: 60 }, 'cut: origin-timeout'],
  [
    'drips without end',
    [head(''), ...Array.from({ length: 40 }, () => ['a', 10]).flat()],
    { edgeOriginExchangeMs: 120 },
    'cut: origin-timeout',
  ],
]

for (const [name, steps, limits, expected] of PHASES)
  test(`time per phase: ${name}`, async () => {
    expect(await outcome(steps, {}, limits)).toBe(expected)
  })

test('no connection: nothing was sent', async () => {
  const result = await exchangeWith(await deadUrl()).send(toRequest(), { fresh: false })
  expect(result).toMatchObject({ ok: false, code: 'origin-unreachable', sent: false })
})

test('a client that leaves while waiting, and one that leaves in the middle of the body', async () => {
  const { url } = await origin((request) => (request === 0 ? [] : [head('Content-Length: 9\r\n'), 'he']))
  const leaving = new AbortController()
  const waiting = exchangeWith(url).send(toRequest({ signal: leaving.signal }), { fresh: false })
  setTimeout(() => leaving.abort(), 20)
  expect(await waiting).toMatchObject({ ok: false, code: 'cancelled' })
  const second = new AbortController()
  const result = await exchangeWith(url).send(toRequest({ signal: second.signal }), { fresh: false })
  const body = result.ok ? textOf(result.body) : null
  second.abort()
  expect(await body?.catch((error) => error.code)).toBe('cancelled')
})

test('field lines stay apart and in order, names in lower case, framing removed', async () => {
  const { url } = await origin(() => [
    head(
      'Set-Cookie: a=1; Expires=Wed, 09 Jun 2021 10:18:14 GMT\r\nX-A: 1\r\nSet-Cookie: b=2\r\nX-A: 2\r\nTransfer-Encoding: chunked\r\n',
    ),
    '0\r\n\r\n',
  ])
  const result = await exchangeWith(url).send(toRequest(), { fresh: false })
  expect(result.ok && result.lines).toEqual([
    ['set-cookie', 'a=1; Expires=Wed, 09 Jun 2021 10:18:14 GMT'],
    ['x-a', '1'],
    ['set-cookie', 'b=2'],
    ['x-a', '2'],
  ])
  if (result.ok) result.discard()
})

test('the path goes out byte for byte, framing and connection are ours, not the client’s', async () => {
  const { url, received } = await origin(() => [head('Content-Length: 0\r\n')])
  const lines = [
    ['host', 'example.org'],
    ['connection', 'x-secret'],
    ['transfer-encoding', 'gzip'],
    ['content-length', '77'],
    ['x-a', '1'],
    ['x-a', '2'],
  ] as const
  const body = new TextEncoder().encode('abc')
  await exchangeWith(url).send(toRequest({ method: 'PUT', path: '/a/../b%2e?x=[]', lines, body }), { fresh: true })
  const text = received.join('')
  expect(text).toStartWith(
    'PUT /a/../b%2e?x=[] HTTP/1.1\r\nhost: example.org\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 3\r\n',
  )
  expect(text).toEndWith('\r\n\r\nabc')
  expect(text).not.toMatch(/secret|gzip|77/)
})

const streamOf = (...parts: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part))
      controller.close()
    },
  })

test('a streamed body: chunked without a length; one that breaks its announced length ends the exchange', async () => {
  const answer = [head('Content-Length: 0\r\n')]
  const { url, received } = await origin((_, text) => (/length: (?:2|9)/.test(text) ? [] : answer))
  const put = (lines: OriginRequest['lines']) =>
    exchangeWith(url).send(toRequest({ method: 'PUT', lines, body: streamOf('ab', 'cd') }), { fresh: true })
  expect(await put([])).toMatchObject({ ok: true })
  expect(received[0]).toMatch(/transfer-encoding: chunked[\s\S]*ab[\s\S]*cd\r\n0\r\n\r\n$/)
  expect(await put([['content-length', '4']])).toMatchObject({ ok: true })
  expect(await put([['content-length', '9']])).toMatchObject({ ok: false, code: 'cancelled' })
  expect(await put([['content-length', '2']])).toMatchObject({ ok: false, code: 'cancelled' })
  expect(received[3]).not.toContain('cd')
})

test('a reader that does not read holds the origin back', async () => {
  let sentBytes = 0
  const piece = 'x'.repeat(65_536)
  const server = Bun.serve({
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sentBytes += piece.length
            if (sentBytes > 100e6) controller.close()
            else controller.enqueue(new TextEncoder().encode(piece))
          },
        }),
      ),
  })
  open.push({ close: () => server.stop(true) })
  const result = await exchangeWith(server.url.href).send(toRequest(), { fresh: false })
  let before = -1
  while (before !== sentBytes) {
    before = sentBytes
    await Bun.sleep(60)
  }
  expect(sentBytes).toBeLessThan(20e6)
  if (result.ok) result.discard()
})

const EXTRA = `${head('Content-Length: 4\r\n')}evil`
const POISON: readonly [name: string, steps: readonly Step[]][] = [
  ['with the first', [`${head('Content-Length: 2\r\n')}ok${EXTRA}`]],
  ['in a packet of its own', [`${head('Content-Length: 2\r\n')}ok`, 15, EXTRA]],
  ['as content of a response without any', [`${head('', '204 No Content')}${EXTRA}`]],
]
for (const [name, steps] of POISON)
  test(`a second response to one request is nobody’s: ${name}`, async () => {
    const { url } = await origin((request) => (request === 0 ? steps : [`${head('Content-Length: 2\r\n')}ok`]))
    const exchange = exchangeWith(url)
    const first = await exchange.send(toRequest(), { fresh: false })
    if (first.ok && first.body) expect(await textOf(first.body)).toBe('ok')
    await Bun.sleep(40)
    const second = await exchange.send(toRequest(), { fresh: false })
    expect(second.ok && (await textOf(second.body))).toBe('ok')
  })

test('every connection in use says nothing about the origin', async () => {
  const { url } = await origin(() => [])
  const exchange = exchangeWith(url, {
    edgeOriginConnectionsMax: 1,
    edgeOriginConnectTimeoutMs: 50,
    edgeOriginHeadTimeoutMs: 300,
  })
  const hanging = exchange.send(toRequest(), { fresh: false })
  expect(await exchange.send(toRequest(), { fresh: false })).toMatchObject({ ok: false, sent: false, refused: true })
  expect(await hanging).toMatchObject({ ok: false, code: 'origin-timeout', refused: false })
})
