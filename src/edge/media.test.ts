import { afterEach, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { signPathToken } from '../contracts/index.ts'
import { openEmbeddedLog } from '../engines/log/index.ts'
import { createPublisher } from '../hub/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../kernel/index.ts'
import { type Bed, type CellHandler, OTHER_TITLE, openBed, TITLE, until } from './testing/bed.ts'

let bed: Bed
afterEach(() => bed.close())

const SEGMENT = Uint8Array.from({ length: 5_000 }, (_, index) => index % 251)
const OBJECT_KEY = `titles/${TITLE}/v240/1/0.m4s`
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** A cell with one title: a playlist, a poster, and segments that all are one object. */
const cellOf =
  (overrides: Record<string, CellHandler> = {}): CellHandler =>
  (request) => {
    const file = new URL(request.url).pathname.split('/').slice(3).join('/')
    const override = overrides[file]
    if (override) return override(request)
    if (file.endsWith('.m3u8'))
      return new Response('#EXTM3U', {
        headers: { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-store' },
      })
    if (file === 'gone.m4s')
      return new Response('{}', { status: 404, headers: { 'content-type': 'application/problem+json' } })
    const type = file === 'poster.jpg' ? 'image/jpeg' : 'video/mp4'
    return new Response(null, {
      headers: { 'x-tentpole-object': OBJECT_KEY, 'content-type': type, 'cache-control': IMMUTABLE },
    })
  }

const open = async (options: Parameters<typeof openBed>[0] & { overrides?: Record<string, CellHandler> } = {}) => {
  const reads: string[] = []
  bed = await openBed({ handler: cellOf(options.overrides), onRead: (key) => reads.push(key), ...options })
  await bed.objects.put(OBJECT_KEY, SEGMENT)
  return reads
}
const media = (file: string, init: RequestInit = {}, token = bed.token(TITLE)): Promise<Response> =>
  fetch(bed.url(`/v/${token}/${TITLE}/${file}`), init)
const codeOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
]

test('without a valid token for this title there is nothing but a 403', async () => {
  await open()
  const good = bed.token(TITLE)
  const [payload = '', mac = ''] = good.split('.')
  const tampered = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('session', 'another')).toString(
    'base64url',
  )
  const otherKey = { current: 'k1', keys: { k1: Buffer.alloc(32, 8).toString('base64url') } }
  const claims = { prefix: `/${TITLE}/`, sessionId: 's', cell: 'a', expiresAtS: 4_000_000_000, network: null }
  await media('v240/0.m4s')
  const cases: [string, string][] = [
    [`/v/${TITLE}/v240/0.m4s`, 'token-malformed'],
    ['/v/', 'token-malformed'],
    [`/v/${bed.token(TITLE, { expiresInS: -1 })}/${TITLE}/v240/0.m4s`, 'token-expired'],
    [`/v/${bed.token(OTHER_TITLE)}/${TITLE}/v240/0.m4s`, 'token-other-path'],
    [`/v/${good}/${OTHER_TITLE}/v240/0.m4s`, 'token-other-path'],
    [`/v/${good}`, 'token-other-path'],
    [`/v/${bed.token(TITLE, { network: '192.0.2.0/24' })}/${TITLE}/v240/0.m4s`, 'token-other-network'],
    [`/v/${payload}.${mac.slice(0, -2)}AA/${TITLE}/v240/0.m4s`, 'token-bad-signature'],
    [`/v/${tampered}.${mac}/${TITLE}/v240/0.m4s`, 'token-bad-signature'],
    [`/v/${signPathToken(otherKey, claims)}/${TITLE}/v240/0.m4s`, 'token-bad-signature'],
    [
      `/v/${signPathToken({ current: 'k9', keys: { k9: otherKey.keys.k1 } }, claims)}/${TITLE}/v240/0.m4s`,
      'token-unknown-key',
    ],
  ]
  const asked = bed.asked.length
  for (const [path, code] of cases)
    expect([path, ...(await codeOf(await fetch(bed.url(path))))]).toEqual([path, 403, code])
  expect(bed.asked.length).toBe(asked)
})

test('a token bound to the network its viewer is in is good', async () => {
  await open()
  const token = bed.token(TITLE, { network: '127.0.0.0/8' })
  expect((await media('v240/0.m4s', {}, token)).status).toBe(200)
})

test('a token that was verified before still expires', async () => {
  await open()
  const token = bed.token(TITLE, { expiresInS: 2 })
  expect((await media('v240/0.m4s', {}, token)).status).toBe(200)
  await until('the token to expire', async () => (await media('v240/0.m4s', {}, token)).status === 403, 4_000)
})

test('a miss and a hit give the same bytes and headers, for one call and one read', async () => {
  const reads = await open()
  const first = await media('v240/0.m4s')
  const second = await media('v240/0.m4s', {}, bed.token(TITLE, { sessionId: 'another', cell: 'b' }))
  expect([await first.bytes(), await second.bytes()]).toEqual([SEGMENT, SEGMENT])
  const headersOf = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => !['date', 'age', 'cache-status'].includes(name)))
  expect(headersOf(first)).toEqual(headersOf(second))
  const cacheStatus = [first, second].map((response) => response.headers.get('cache-status'))
  expect(cacheStatus).toEqual(['tentpole; fwd=uri-miss; stored', expect.stringMatching(/^tentpole; hit; ttl=\d+$/)])
  expect(headersOf(first)).toMatchObject({
    'content-type': 'video/mp4',
    'content-length': '5000',
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=180, immutable',
    'access-control-allow-origin': '*',
    'referrer-policy': 'no-referrer',
  })
  expect(first.headers.get('etag')).toMatch(/^"[^"]+"$/)
  expect(JSON.stringify(headersOf(first))).not.toContain('x-tentpole')
  expect([bed.asked, reads]).toEqual([[`a GET /_media/${TITLE}/v240/0.m4s`], [OBJECT_KEY]])
})

test('a playlist comes from the viewer’s own cell with the session, and is shared as long as the cell says', async () => {
  const sessions: (string | null)[] = []
  const playlist: CellHandler = (request) => {
    sessions.push(request.headers.get('x-tentpole-session'))
    return new Response('#EXTM3U', {
      headers: { 'cache-control': 'public, max-age=1', 'tentpole-cache-control': 'public, max-age=3600' },
    })
  }
  await open({ overrides: { 'main.m3u8': playlist } })
  for (const cell of ['b', 'a', 'b']) {
    const token = bed.token(TITLE, { cell, sessionId: `s-${cell}` })
    const response = await media('main.m3u8', { headers: { 'x-tentpole-session': 'forged' } }, token)
    expect([await response.text(), response.headers.get('cache-control')]).toEqual(['#EXTM3U', 'public, max-age=1'])
    expect(response.headers.get('tentpole-cache-control')).toBeNull()
  }
  expect([sessions, bed.asked]).toEqual([['s-b'], [`b GET /_media/${TITLE}/main.m3u8`]])
})

test.each(['private, max-age=60', 'no-store'])(
  'a playlist that the cell calls %s is made for each viewer',
  async (control) => {
    const personal: CellHandler = (request) =>
      new Response(`#EXTM3U ${request.headers.get('x-tentpole-session')}`, { headers: { 'cache-control': control } })
    await open({ overrides: { 'main.m3u8': personal } })
    const texts = ['a', 'b', 'b'].map(async (cell, at) => {
      const token = bed.token(TITLE, { cell, sessionId: `s-${at}` })
      return await (await media('main.m3u8', {}, token)).text()
    })
    expect(await Promise.all(texts)).toEqual(['#EXTM3U s-0', '#EXTM3U s-1', '#EXTM3U s-2'])
  },
)

test('a viewer cannot have everyone’s segments fetched anew, or kept from being stored', async () => {
  const reads = await open()
  for (const headers of [
    { 'cache-control': 'no-store' },
    { 'cache-control': 'no-cache', pragma: 'no-cache' },
    { authorization: 'Bearer x', cookie: 'a=b' },
    { via: '1.1 tentpole, 1.1 tentpole, 1.1 tentpole, 1.1 tentpole' },
  ] as Record<string, string>[])
    expect([headers, (await media('v240/0.m4s', { headers })).status]).toEqual([headers, 200])
  expect([bed.asked.length, reads.length]).toEqual([1, 1])
})

test('a thousand at once for a cold segment are one call and one read, whoever leaves', async () => {
  const release = Promise.withResolvers<void>()
  const held: CellHandler = async (request) => {
    await release.promise
    return await cellOf()(request)
  }
  const reads = await open({ overrides: { 'v240/7.m4s': held } })
  const leaving = new AbortController()
  const left = media('v240/7.m4s', { signal: leaving.signal }).catch(() => 'left')
  const statuses = new Map<string | null, number>()
  const crowd = Array.from({ length: 1_000 }, async () => {
    const response = await media('v240/7.m4s')
    const status = response.headers.get('cache-status')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    return await response.bytes()
  })
  await until('the cell to be asked', () => bed.asked.length > 0)
  leaving.abort()
  expect(await left).toBe('left')
  await Bun.sleep(20)
  release.resolve()
  for (const bytes of await Promise.all(crowd)) if (Buffer.compare(bytes, SEGMENT) !== 0) throw new Error('other bytes')
  expect([bed.asked.length, reads.length]).toEqual([1, 1])
  // One began the fetch: of these, or the one that left. A client's own queue makes hits of the latest.
  expect(statuses.get('tentpole; fwd=uri-miss; stored; collapsed') ?? 0).toBeGreaterThan(50)
  expect(statuses.get('tentpole; fwd=uri-miss; stored') ?? 0).toBeLessThanOrEqual(1)
}, 20_000)

test('when everyone has left, the cell is told', async () => {
  const aborted = Promise.withResolvers<void>()
  const held: CellHandler = (request) => {
    request.signal.addEventListener('abort', () => aborted.resolve())
    return new Promise(() => {})
  }
  await open({ overrides: { 'v240/7.m4s': held } })
  const leaving = new AbortController()
  const left = media('v240/7.m4s', { signal: leaving.signal }).catch(() => 'left')
  await until('the cell to be asked', () => bed.asked.length > 0)
  leaving.abort()
  await left
  await aborted.promise
})

test('a failure is everyone’s, is not cached, and passes on what the cell said', async () => {
  let calls = 0
  const failing: CellHandler = (request) => {
    calls += 1
    return calls === 1 ? new Response('{}', { status: 503, headers: { 'retry-after': '2' } }) : cellOf()(request)
  }
  const reads = await open({ overrides: { 'v240/7.m4s': failing } })
  const failed = await media('v240/7.m4s')
  expect([failed.status, failed.headers.get('retry-after'), failed.headers.get('cache-control')]).toEqual([
    503,
    '2',
    'no-store',
  ])
  expect((await media('v240/7.m4s')).status).toBe(200)
  expect([(await media('gone.m4s')).status, reads.length]).toEqual([404, 1])
})

test('an object the store does not have is the platform’s fault', async () => {
  const lost: CellHandler = () =>
    new Response(null, { headers: { 'x-tentpole-object': 'titles/none', 'cache-control': IMMUTABLE } })
  await open({ overrides: { 'v240/8.m4s': lost } })
  expect(await codeOf(await media('v240/8.m4s'))).toEqual([502, 'object-missing'])
})

test.each([10_000, 1_000])(
  'ranges are what slice gives, in slices of %d bytes',
  async (edgeSliceBytes) => {
    const reads = await open({ limits: { edgeSliceBytes, edgeCacheBytes: 100_000 } })
    await fc.assert(
      fc.asyncProperty(fc.nat(5_200), fc.nat(5_200), async (first, extra) => {
        const response = await media('v240/0.m4s', { headers: { range: `bytes=${first}-${first + extra}` } })
        const expected = SEGMENT.slice(first, first + extra + 1)
        const got = await response.bytes()
        if (first >= SEGMENT.length) {
          expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */5000'])
          return
        }
        expect([response.status, response.headers.get('content-range')]).toEqual([
          206,
          `bytes ${first}-${first + expected.length - 1}/5000`,
        ])
        expect(Buffer.compare(got, expected)).toBe(0)
      }),
      { numRuns: 40 },
    )
    const whole = await media('v240/0.m4s')
    expect([whole.status, Buffer.compare(await whole.bytes(), SEGMENT)]).toEqual([200, 0])
    expect(reads.length).toBeLessThanOrEqual(Math.ceil(SEGMENT.length / edgeSliceBytes))
  },
  20_000,
)

test('conditionals and HEAD', async () => {
  await open()
  const etag = (await media('v240/0.m4s')).headers.get('etag') ?? ''
  const notModified = await media('v240/0.m4s', { headers: { 'if-none-match': `W/"x", ${etag}` } })
  expect([notModified.status, notModified.headers.get('etag'), (await notModified.bytes()).byteLength]).toEqual([
    304,
    etag,
    0,
  ])
  const statusWith = async (headers: Record<string, string>) => (await media('v240/0.m4s', { headers })).status
  expect(await statusWith({ range: 'bytes=0-9', 'if-range': etag })).toBe(206)
  expect(await statusWith({ range: 'bytes=0-9', 'if-range': '"old"' })).toBe(200)
  for (const file of ['v240/0.m4s', 'v240/1.m4s', 'main.m3u8']) {
    const head = await media(file, { method: 'HEAD' })
    expect([head.status, Number(head.headers.get('content-length')), (await head.bytes()).byteLength]).toEqual([
      200,
      file === 'main.m3u8' ? 7 : 5_000,
      0,
    ])
  }
  const post = await media('v240/0.m4s', { method: 'POST' })
  expect([post.headers.get('allow'), ...(await codeOf(post))]).toEqual(['GET, HEAD', 405, 'method-not-allowed'])
})

test('the cache holds no more than its bytes', async () => {
  const edgeCacheBytes = 40_000
  const reads = await open({ limits: { edgeCacheBytes, edgeSliceBytes: 10_000 } })
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < 12; at++) {
      await (await media(`v240/${at}.m4s`)).bytes()
      expect(bed.edge.meter.snapshot().memory?.bytes).toBeLessThanOrEqual(edgeCacheBytes)
    }
  expect(reads.length).toBeGreaterThan(12)
})

test('a withdrawn title is gone at once: cached, cold, waited for, and its playlist; another is not', async () => {
  const held: CellHandler = () => new Promise(() => {})
  await open({ overrides: { 'v240/7.m4s': held } })
  expect((await media('v240/0.m4s')).status).toBe(200)
  const waiting = media('v240/7.m4s')
  await until('the cell to be asked', () => bed.asked.some((line) => line.endsWith('7.m4s')))
  await bed.withdraw(TITLE)
  const startedMs = performance.now()
  await until('the cached segment to be refused', async () => (await media('v240/0.m4s')).status === 410)
  expect(performance.now() - startedMs).toBeLessThan(1_000)
  expect(await codeOf(await waiting)).toEqual([410, 'title-withdrawn'])
  const asked = bed.asked.length
  for (const file of ['v240/0.m4s', 'v240/9.m4s', 'main.m3u8', 'poster.jpg'])
    expect((await media(file)).status).toBe(410)
  expect((await fetch(bed.url(`/art/${TITLE}/poster.jpg`))).status).toBe(404)
  expect(bed.asked.length).toBe(asked)
  const other = await fetch(bed.url(`/v/${bed.token(OTHER_TITLE)}/${OTHER_TITLE}/v240/0.m4s`))
  expect(other.status).toBe(200)
})

test('a stream of a large object breaks off when its title is withdrawn', async () => {
  await open({
    limits: { edgeCacheBytes: 4 * 1024 * 1024 },
    overrides: {
      'large.mp4': () => new Response(null, { headers: { 'x-tentpole-object': 'large', 'cache-control': IMMUTABLE } }),
    },
  })
  await bed.objects.put('large', new Uint8Array(64 * 1024 * 1024))
  const response = await media('large.mp4')
  const reader = response.body?.getReader()
  await reader?.read()
  await bed.withdraw(TITLE)
  await until('the title to be withdrawn', async () => (await media('large.mp4', { method: 'HEAD' })).status === 410)
  let bytes = 0
  const rest = async (): Promise<string> => {
    for (;;) {
      const part = await reader?.read()
      if (!part || part.done) return 'ended'
      bytes += part.value.byteLength
    }
  }
  await rest().catch(() => 'broken off')
  expect(bytes).toBeLessThan(63 * 1024 * 1024)
})

test('a revoked session gets nothing any more, with whatever token; others see no difference', async () => {
  await open()
  const [ended, later] = [
    bed.token(TITLE, { sessionId: 's-1' }),
    bed.token(TITLE, { sessionId: 's-1', expiresInS: 99 }),
  ]
  expect((await media('v240/0.m4s', {}, ended)).status).toBe(200)
  const startedMs = performance.now()
  await bed.publisher.publish('tentpole.session.revoked.v1', 's-1', {
    sessionId: 's-1',
    reason: 'test',
    revokedAtMs: Date.now(),
  })
  await until('the session to be refused', async () => (await media('v240/0.m4s', {}, ended)).status === 403)
  expect(performance.now() - startedMs).toBeLessThan(1_000)
  for (const token of [ended, later])
    expect(await codeOf(await media('v240/1.m4s', {}, token))).toEqual([403, 'session-revoked'])
  expect((await media('v240/0.m4s', {}, bed.token(TITLE, { sessionId: 's-2' }))).status).toBe(200)
})

test.each([
  ['url', `/v/${TITLE}/v240/0.m4s`, ['0.m4s']],
  ['prefix', `/v/${TITLE}/v240/`, ['0.m4s', '1.m4s']],
  ['tag', TITLE, ['0.m4s', '1.m4s']],
] as const)('a purge by %s from the log takes effect within a second', async (scope, value, again) => {
  await open()
  const play = async () => {
    for (const file of ['0.m4s', '1.m4s']) expect((await media(`v240/${file}`)).status).toBe(200)
  }
  await play()
  await play()
  expect(bed.asked.length).toBe(2)
  const startedMs = performance.now()
  await bed.publisher.publish('tentpole.cache.purged.v1', value, { scope, value, reason: 'test' })
  await until('the purge to be heard', () => (bed.edge.meter.snapshot().memory?.purged ?? 0) > 0)
  expect(performance.now() - startedMs).toBeLessThan(1_000)
  await play()
  expect(bed.asked.slice(2).map((line) => line.slice(-5))).toEqual([...again])
})

test('what is purged while it is being fetched is given to who waited, and not kept', async () => {
  const release = Promise.withResolvers<void>()
  const held: CellHandler = async (request) => {
    await release.promise
    return await cellOf()(request)
  }
  await open({ overrides: { 'v240/7.m4s': held } })
  const waiting = media('v240/7.m4s')
  await until('the cell to be asked', () => bed.asked.length > 0)
  const before = bed.edge.meter.snapshot().memory?.purged
  await bed.publisher.publish('tentpole.cache.purged.v1', TITLE, { scope: 'tag', value: TITLE, reason: 'test' })
  // Something that is kept tells when the purge was heard.
  await until('the purge to be heard', async () => {
    await (await media('v240/1.m4s')).bytes()
    await bed.publisher.publish('tentpole.cache.purged.v1', TITLE, { scope: 'tag', value: TITLE, reason: 'test' })
    await Bun.sleep(20)
    return bed.edge.meter.snapshot().memory?.purged !== before
  })
  release.resolve()
  expect((await waiting).status).toBe(200)
  const asked = bed.asked.length
  expect((await media('v240/7.m4s')).headers.get('cache-status')).toStartWith('tentpole; fwd=uri-miss')
  expect(bed.asked.length).toBe(asked + 1)
})

test('a title withdrawn before the edge started was never served by it', async () => {
  await open({
    openLog: async (directory) => {
      const log = await openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
      const data = { titleId: TITLE, reason: 'long ago' }
      await createPublisher({ log, source: 'test' }).publish('tentpole.title.withdrawn.v1', TITLE, data)
      return log
    },
  })
  expect((await media('v240/0.m4s')).status).toBe(410)
})

test('posters are public, everything else of a title is not', async () => {
  let header: string | null = null
  const poster: CellHandler = (request) => {
    header = request.headers.get('x-tentpole-public')
    return cellOf()(request)
  }
  await open({ overrides: { 'poster.jpg': poster } })
  const response = await fetch(bed.url(`/art/${TITLE}/poster.jpg`))
  expect([response.status, response.headers.get('content-type'), header as string | null]).toEqual([
    200,
    'image/jpeg',
    '1',
  ])
  expect(response.headers.get('cache-control')).toBe('public, max-age=30')
  expect((await fetch(bed.url(`/art/${TITLE}/poster.jpg`), { method: 'POST' })).status).toBe(405)
  expect((await fetch(bed.url(`/art/${TITLE}/v240/0.m4s`))).status).toBe(404)
  expect(bed.asked.length).toBe(1)
})

test('names no file can have never reach a cell', async () => {
  await open()
  for (const file of ['', '.hidden', 'a/b/c/d/e', 'a%20b', 'a/'])
    expect([file, (await media(file)).status]).toEqual([file, 404])
  expect(bed.asked).toEqual([])
})

const BIG_BYTES = 30 * 1024 * 1024
const big: CellHandler = () =>
  new Response(null, { headers: { 'x-tentpole-object': 'big', 'cache-control': IMMUTABLE } })
/** Asks for the big object and reads nothing of it. */
const neverReading = (): Socket => {
  const socket = connect({ host: '127.0.0.1', port: bed.edge.port }, () => {
    socket.pause()
    socket.write(`GET /v/${bed.token(TITLE)}/${TITLE}/big.m4s HTTP/1.1\r\nHost: h\r\n\r\n`)
  })
  socket.pause()
  socket.on('error', () => {})
  return socket
}

test('clients that do not read their segment keep nobody else waiting', async () => {
  await open({ overrides: { 'big.m4s': big } })
  await bed.objects.put('big', new Uint8Array(BIG_BYTES))
  const slow = Array.from({ length: 20 }, neverReading)
  await until('them to be under way', () => bed.edge.inFlight() === slow.length)
  const startedMs = performance.now()
  for (let call = 0; call < 20; call++) expect((await media(`v240/${call}.m4s`)).status).toBe(200)
  expect(performance.now() - startedMs).toBeLessThan(4_000)
  expect(bed.edge.inFlight()).toBe(slow.length)
  for (const socket of slow) socket.destroy()
})

test('a client that never reads is cut', async () => {
  await open({
    limits: { edgeProgressWindowMs: 500 },
    overrides: { 'big.m4s': big },
  })
  await bed.objects.put('big', new Uint8Array(BIG_BYTES))
  const slow = neverReading()
  // Listened for from the beginning: a reset reaches a client that reads nothing, too.
  const ended = Promise.withResolvers<void>()
  slow.on('close', () => ended.resolve())
  await until('it to be under way', () => bed.edge.inFlight() === 1)
  await until('it to be cut', () => bed.edge.inFlight() === 0, 12_000)
  let bytes = 0
  slow.on('data', (data) => {
    bytes += data.length
  })
  slow.resume()
  await ended.promise
  expect(bytes).toBeLessThan(BIG_BYTES)
}, 20_000)
