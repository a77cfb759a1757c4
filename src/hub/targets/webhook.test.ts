import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { createServer, type Server, type Socket } from 'node:net'
import { parseNetwork } from '../../contracts/index.ts'
import { DEFAULT_LIMITS, systemClock } from '../../kernel/index.ts'
import { TEST_AUTHORITY, TEST_HOOKS_CERTIFICATE, TEST_HOOKS_KEY } from './authority.fixture.ts'
import { createWebhookSecret, verifyWebhook } from './standard-webhooks.ts'
import { TEST_EVENT, toTestDelivery } from './testing.ts'
import { createWebhookTarget, type WebhookTargetOptions } from './webhook.ts'

const SECRET = createWebhookSecret()
const LOOPBACK = ['127.0.0.0/8', '::1/128'].flatMap((text) => parseNetwork(text) ?? [])
const NAME = 'hooks.example.test'

type Received = { readonly path: string; readonly method: string; readonly headers: Headers; readonly body: string }
const received: Received[] = []
/** By path: how it is answered. */
const answers = new Map<string, (request: Request) => Response | Promise<Response>>()
const respond = async (request: Request): Promise<Response> => {
  const path = new URL(request.url).pathname
  received.push({ path, method: request.method, headers: request.headers, body: await request.text() })
  return answers.get(path)?.(request) ?? new Response('ok')
}
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: respond })
const tlsServer = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: { key: TEST_HOOKS_KEY, cert: TEST_HOOKS_CERTIFICATE },
  fetch: respond,
})
const rawServers: Server[] = []
const sockets: Socket[] = []

afterEach(() => {
  received.length = 0
  answers.clear()
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  for (const raw of rawServers) raw.close()
  await server.stop(true)
  await tlsServer.stop(true)
})

/** A server that says what it is told to, byte for byte, as soon as somebody connects and speaks. */
async function listen(onData: (socket: Socket) => void): Promise<number> {
  const raw = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => onData(socket))
  })
  rawServers.push(raw)
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
  const address = raw.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const create = (changed: Partial<WebhookTargetOptions> = {}) =>
  createWebhookTarget({
    url: `http://127.0.0.1:${server.port}/hook`,
    secrets: [SECRET],
    allowedNetworks: LOOPBACK,
    payloadBase: null,
    authorities: null,
    limits: DEFAULT_LIMITS,
    clock: systemClock,
    ...changed,
  })
const urlOf = (path: string, port: number | undefined = server.port) => `http://127.0.0.1:${port}${path}`

describe('a request', () => {
  test('is signed, and is the event in structured mode', async () => {
    expect(await create().deliver(toTestDelivery())).toEqual({ kind: 'done' })
    const [request] = received
    if (!request) throw new Error('nothing came')
    expect(verifyWebhook(request.headers, request.body, SECRET, Date.now())).toMatchObject({
      ok: true,
      id: TEST_EVENT.id,
    })
    expect(request.method).toBe('POST')
    expect(request.headers.get('content-type')).toBe('application/cloudevents+json; charset=utf-8')
    expect(request.headers.get('host')).toBe(`127.0.0.1:${server.port}`)
    expect(JSON.parse(request.body)).toEqual(TEST_EVENT)
  })

  test('is plain JSON of what a transformer made', async () => {
    await create().deliver(toTestDelivery({ input: 'order-7 "placed"' }))
    expect(received[0]?.headers.get('content-type')).toBe('application/json')
    expect(received[0]?.body).toBe('"order-7 \\"placed\\""')
  })

  test('has the same id at every attempt, its own time, and a signature for each secret', async () => {
    const old = createWebhookSecret()
    let nowMs = Date.now()
    const target = create({ secrets: [SECRET, old], clock: { nowMs: () => nowMs, elapsedMs: () => nowMs } })
    await target.deliver(toTestDelivery({ id: 'e~replay-1' }))
    nowMs += 60_000
    await target.deliver(toTestDelivery({ id: 'e~replay-1', attempt: 2 }))
    expect(received.map(({ headers }) => headers.get('webhook-id'))).toEqual(['e~replay-1', 'e~replay-1'])
    const times = received.map(({ headers }) => Number(headers.get('webhook-timestamp')))
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(60)
    for (const secret of [SECRET, old])
      expect(verifyWebhook(received[1]?.headers ?? {}, received[1]?.body ?? '', secret, nowMs).ok).toBe(true)
  })

  test('leaves data by reference a reference, as an address where a base is given', async () => {
    const event = { ...TEST_EVENT, dataref: 'claims/2026-11-21/abc', datasize: 300_000, datadigest: 'sha-256=00' }
    const { data: _, ...rest } = event
    await create().deliver(toTestDelivery({ event }))
    await create({ payloadBase: 'https://hub.example/hub/v1/payloads/' }).deliver(toTestDelivery({ event }))
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(rest)
    const dataref = 'https://hub.example/hub/v1/payloads/claims/2026-11-21/abc'
    expect(JSON.parse(received[1]?.body ?? '')).toEqual({ ...rest, dataref })
  })

  test('never lets an id break the headers or the signed text', async () => {
    await create().deliver(toTestDelivery({ id: 'a.1\r\nx-evil: 1 é\ud800' }))
    expect(received[0]?.headers.get('webhook-id')).toBe('a%2E1%0D%0Ax-evil%3A%201%20%C3%A9%EF%BF%BD')
    expect(received[0]?.headers.has('x-evil')).toBe(false)
  })
})

describe('an answer', () => {
  const inAMinute = () => new Date(Date.now() + 60_000).toUTCString()
  const cases: readonly (readonly [string, () => Response, object])[] = [
    ['200', () => new Response('ok'), { kind: 'done' }],
    ['204', () => new Response(null, { status: 204 }), { kind: 'done' }],
    ['410', () => new Response('', { status: 410 }), { kind: 'gone' }],
    ['400', () => new Response('no', { status: 400 }), { kind: 'failed', reason: 'expected 2xx, got 400: "no"' }],
    ['413', () => new Response('', { status: 413 }), { kind: 'failed', reason: 'expected 2xx, got 413' }],
    [
      '500',
      () => new Response('x\n\u001b[2J\u202ey  z', { status: 500 }),
      { reason: 'expected 2xx, got 500: "x [2J y z"' },
    ],
    [
      '429 with seconds',
      () => new Response('', { status: 429, headers: { 'retry-after': '7' } }),
      { retryAfterMs: 7_000 },
    ],
    [
      '503 with too many seconds',
      () => new Response('', { status: 503, headers: { 'retry-after': '9999999999' } }),
      { kind: 'failed', retryAfterMs: DEFAULT_LIMITS.hubWebhookRetryAfterMaxMs },
    ],
    [
      '503 with a date',
      () => new Response('', { status: 503, headers: { 'retry-after': inAMinute() } }),
      { kind: 'failed', retryAfterMs: expect.closeTo(60_000, -4) },
    ],
    [
      '503 with nonsense',
      () => new Response('', { status: 503, headers: { 'retry-after': 'soon' } }),
      { kind: 'failed' },
    ],
  ]
  test.each(cases)('%s', async (_name, answer, expected) => {
    answers.set('/hook', answer)
    expect(await create().deliver(toTestDelivery())).toMatchObject(expected)
  })

  test('that is a redirect is not followed', async () => {
    answers.set('/hook', () => Response.redirect(urlOf('/elsewhere'), 307))
    const outcome = await create().deliver(toTestDelivery())
    expect(outcome).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('got 307: redirects are not followed'),
    })
    expect(received.map(({ path }) => path)).toEqual(['/hook'])
  })

  test('that never ends is cut after a few KB', async () => {
    let sentBytes = 0
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(1)
        controller.enqueue(new Uint8Array(1_024).fill(97))
        sentBytes += 1_024
      },
      cancel() {
        cancelled = true
      },
    })
    answers.set('/hook', () => new Response(endless, { status: 500 }))
    const outcome = await create().deliver(toTestDelivery())
    if (outcome.kind !== 'failed') throw new Error(outcome.kind)
    expect(outcome.reason.length).toBeLessThan(300)
    while (!cancelled) await Bun.sleep(5)
    expect(sentBytes).toBeLessThan(1024 * 1024)
  })

  test('whose body comes drop by drop is a success by its status, and a failure when the time is over', async () => {
    const drops = (status: number) => (socket: Socket) =>
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 50\r\n\r\nab`)
    const good = await listen(drops(200))
    const bad = await listen(drops(500))
    expect(await create({ url: urlOf('/', good) }).deliver(toTestDelivery())).toEqual({ kind: 'done' })
    const signal = AbortSignal.timeout(150)
    expect(await create({ url: urlOf('/', bad) }).deliver(toTestDelivery({ signal }))).toMatchObject({ kind: 'failed' })
  })
})

describe('no answer', () => {
  test('in time', async () => {
    const port = await listen(() => {})
    const beganMs = performance.now()
    const signal = AbortSignal.timeout(100)
    const outcome = await create({ url: urlOf('/secret/token?key=1', port) }).deliver(toTestDelivery({ signal }))
    expect(outcome).toEqual({
      kind: 'failed',
      reason: `no answer from http://127.0.0.1:${port}/…: The operation timed out.`,
    })
    expect(performance.now() - beganMs).toBeLessThan(2_000)
  })

  test('in time closes the connection', async () => {
    const closed = Promise.withResolvers<void>()
    const port = await listen((socket) => socket.on('close', () => closed.resolve()))
    await create({ url: urlOf('/', port) }).deliver(toTestDelivery({ signal: AbortSignal.timeout(50) }))
    await closed.promise
  })

  test('but a head without an end is cut', async () => {
    const line = `x-line: ${'a'.repeat(8_000)}\r\n`
    let lines = 0
    const port = await listen((socket) => {
      socket.write('HTTP/1.1 500 X\r\n')
      const more = setInterval(() => {
        lines += 1
        socket.write(line)
      }, 1)
      socket.on('close', () => clearInterval(more))
    })
    expect(await create({ url: urlOf('/', port) }).deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
    expect(lines).toBeLessThan(200)
  })

  const broken: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['closes', (socket) => socket.end()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['closes in the head', (socket) => socket.end('HTTP/1.1 200 O')],
    ['speaks something else', (socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
  ]
  test.each(broken)('from a server that %s', async (_name, onData) => {
    const port = await listen(onData)
    expect(await create({ url: urlOf('/', port) }).deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
  })

  test('where nobody listens, without the address that a name has', async () => {
    const target = create({ url: `http://${NAME}:1/`, resolve: async () => ['127.0.0.1'] })
    const outcome = await target.deliver(toTestDelivery())
    expect(outcome).toEqual({ kind: 'failed', reason: `no answer from http://${NAME}:1: ECONNREFUSED` })
  })

  test('from a resolver that never answers', async () => {
    const target = create({ url: `http://${NAME}/`, resolve: () => new Promise(() => {}) })
    expect(await target.deliver(toTestDelivery({ signal: AbortSignal.timeout(50) }))).toMatchObject({ kind: 'failed' })
  })

  test('when it was aborted before', async () => {
    expect(await create().deliver(toTestDelivery({ signal: AbortSignal.abort() }))).toMatchObject({ kind: 'failed' })
    expect(received).toEqual([])
  })
})

describe('the network guard', () => {
  const allowedNetworks: WebhookTargetOptions['allowedNetworks'] = []

  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://0/',
  ])('refuses %s at once', (url) => {
    expect(() => create({ url, allowedNetworks })).toThrow(expect.objectContaining({ code: 'webhook-address-refused' }))
  })

  test.each(['ftp://example.com/', 'file:///etc/passwd', 'http://user:pass@example.com/', 'example.com', ''])(
    'refuses the address %p',
    (url) => expect(() => create({ url })).toThrow(expect.objectContaining({ code: 'webhook-url-invalid' })),
  )

  test('refuses a name that means the inner network, and never connects', async () => {
    const target = create({
      url: `http://${NAME}:${server.port}/hook`,
      allowedNetworks,
      resolve: async () => ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1'],
    })
    const outcome = await target.deliver(toTestDelivery())
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('hub.webhookNetworks') })
    expect(JSON.stringify(outcome)).not.toContain('10.0.0.1')
    expect(received).toEqual([])
  })

  test('asks for a name once, and connects to what was checked', async () => {
    let asked = 0
    // A name that means another address each time it is asked for.
    const resolve = async () => (asked++ === 0 ? ['127.0.0.1'] : ['127.0.0.2'])
    expect(await create({ url: `http://${NAME}:${server.port}/hook`, resolve }).deliver(toTestDelivery())).toEqual({
      kind: 'done',
    })
    expect(asked).toBe(1)
    expect(received[0]?.headers.get('host')).toBe(`${NAME}:${server.port}`)
  })

  test('goes on to the next address where nobody listens at the first', async () => {
    const resolve = async () => ['127.0.0.9', '127.0.0.1']
    expect(await create({ url: `http://${NAME}:${server.port}/hook`, resolve }).deliver(toTestDelivery())).toEqual({
      kind: 'done',
    })
  })
})

describe('TLS', () => {
  const authorities = TEST_AUTHORITY
  const resolve = async () => ['127.0.0.1']

  test('checks the certificate for the name, not for the address', async () => {
    const target = create({ url: `https://${NAME}:${tlsServer.port}/hook`, authorities, resolve })
    expect(await target.deliver(toTestDelivery())).toEqual({ kind: 'done' })
    expect(received[0]?.headers.get('host')).toBe(`${NAME}:${tlsServer.port}`)
  })

  test('refuses a certificate for another name, or from nobody that is known', async () => {
    const wrongName = create({ url: `https://other.example.test:${tlsServer.port}/hook`, authorities, resolve })
    const unknown = create({ url: `https://${NAME}:${tlsServer.port}/hook`, resolve })
    expect(await wrongName.deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
    expect(await unknown.deliver(toTestDelivery())).toMatchObject({ kind: 'failed' })
    expect(received).toEqual([])
  })
})

test('says where it goes without what may be secret', () => {
  expect(create({ url: 'https://hooks.example.com/services/T0/B0/token?x=1' }).description).toBe(
    'https://hooks.example.com/…',
  )
  expect(create({ url: 'https://hooks.example.com' }).description).toBe('https://hooks.example.com')
})
