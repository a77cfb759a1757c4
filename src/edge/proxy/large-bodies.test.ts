import { afterEach, expect, test } from 'bun:test'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type Limits, silentLogger } from '../../kernel/index.ts'
import { until } from '../testing/bed.ts'
import { createProxyEdge } from './proxy-edge.ts'

const KIB = 1024
const SLICE = 16 * KIB
/** More than the buffers of two sockets hold, so that who does not read is really behind. */
const LARGE = 12 * KIB * KIB
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const body = (sizeBytes: number): Buffer<ArrayBuffer> => {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 4) bytes.writeUInt32LE(at, at)
  return bytes
}
const digestOf = (bytes: Uint8Array): string => `${bytes.byteLength}: ${Bun.hash(bytes)}`

type Serving = {
  readonly sizeBytes: number
  readonly etag: string | null
  readonly ranges: boolean
  readonly limits?: Partial<Limits>
  /** Waited for after the first piece of every answer. */
  readonly gate?: Promise<unknown>
}

/** An origin with one kind of object under every path, and the edge in front of it. */
async function open(serving: Serving) {
  const whole = body(serving.sizeBytes)
  const fetched: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { range } = request.headers
    fetched.push(`${request.url} ${range ?? 'whole'}`)
    const [, first, last] = (serving.ranges && /^bytes=(\d+)-(\d+)$/.exec(range ?? '')) || []
    const start = Number(first ?? 0)
    const end = last === undefined ? whole.byteLength : Math.min(Number(last) + 1, whole.byteLength)
    response.writeHead(first === undefined ? 200 : 206, {
      'cache-control': 'max-age=60',
      'content-length': end - start,
      ...(serving.etag ? { etag: serving.etag } : {}),
      ...(first === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${whole.byteLength}` }),
    })
    const isRest = first === undefined && serving.gate !== undefined
    if (isRest) response.write(whole.subarray(start, start + SLICE))
    if (isRest) await serving.gate
    response.end(whole.subarray(isRest ? start + SLICE : start, end))
  }
  const origin = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => origin.listen(0, '127.0.0.1', listening))
  const address = origin.address()
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`],
    limits: {
      edgeSliceBytes: SLICE,
      edgeFetchWindowBytes: 512 * KIB,
      edgeFetchPoolBytes: 1_024 * KIB,
      edgeAnswerBytesMax: 64 * KIB,
      ...serving.limits,
    },
    logger: silentLogger,
    policy: { jitterShare: 0 },
  })
  closers.push(
    () => origin.close(),
    () => origin.closeAllConnections(),
    () => edge.close({ drainMs: 100 }),
  )
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${edge.port}${path}`, { headers })
    const status = response.headers.get('cache-status')
    return { status: response.status, digest: digestOf(await response.bytes()), cache: status }
  }
  return { edge, fetched, whole: digestOf(whole), part: (a: number, b: number) => digestOf(whole.subarray(a, b)), get }
}

/** A client that reads nothing of its answer until it is told to, and then all of it. */
function reluctant(port: number, path: string) {
  const ended = Promise.withResolvers<string>()
  const received: Uint8Array[] = []
  const began = Promise.withResolvers<void>()
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`),
  )
  socket.once('data', () => {
    socket.pause()
    began.resolve()
  })
  socket.on('data', (data) => void received.push(Buffer.from(data)))
  socket.on('error', (error) => ended.resolve(`cut: ${error.message}`))
  socket.on('end', () => {
    const bytes = Buffer.concat(received)
    ended.resolve(digestOf(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)))
  })
  closers.push(() => socket.destroy())
  return {
    began: began.promise,
    async readAll(): Promise<string> {
      socket.resume()
      return await ended.promise
    },
  }
}

const TIGHT = { edgeCacheBytes: 16 * KIB * KIB, edgeObjectShareMax: 0.25 }
const LARGE_CASES: readonly [string, Omit<Serving, 'sizeBytes'>, fetches: number | 'several'][] = [
  ['a strong tag and ranges', { etag: '"1"', ranges: true }, 1],
  ['a strong tag, no ranges', { etag: '"1"', ranges: false }, 1],
  ['no tag', { etag: null, ranges: false }, 1],
  ['above its share, with a tag and ranges', { etag: '"1"', ranges: true, limits: TIGHT }, 'several'],
  ['above its share, with a tag, no ranges', { etag: '"1"', ranges: false, limits: TIGHT }, 'several'],
]
test.each(LARGE_CASES)('one who reads slowly delays nobody and is not cut: %s', async (_, serving, fetches) => {
  const { edge, get, whole, fetched } = await open({ ...serving, sizeBytes: LARGE })
  const slow = reluctant(edge.port, '/a')
  await slow.began
  const others = await Promise.all([get('/a'), get('/a'), get('/a')])
  expect(others.map(({ digest }) => digest)).toEqual([whole, whole, whole])
  expect(await slow.readAll()).toBe(whole)
  if (fetches !== 'several')
    expect([fetched.length, (await get('/a')).cache?.slice(0, 13)]).toEqual([fetches, 'tentpole; hit'])
  expect(edge.statistics().fetches).toBe(0)
})

test('what is kept nowhere and cannot be fetched again comes at the pace of the slowest, and nobody is cut', async () => {
  const { edge, get, whole, fetched } = await open({ etag: null, ranges: false, limits: TIGHT, sizeBytes: LARGE })
  const slow = reluctant(edge.port, '/a')
  await slow.began
  const other = get('/a')
  const [first, second] = await Promise.all([slow.readAll(), other])
  expect([first, second.digest]).toEqual([whole, whole])
  expect(fetched.length).toBeLessThanOrEqual(2)
})

test.each([[true], [false]])('who comes while it streams follows the one fetch; ranges: %p', async (ranges) => {
  const gate = Promise.withResolvers<void>()
  const { get, whole, part, fetched, edge } = await open({
    etag: '"1"',
    ranges,
    sizeBytes: 20 * SLICE,
    gate: gate.promise,
  })
  const first = get('/a')
  await until('the head to be stored', () => edge.statistics().bytes > SLICE)
  const late = [
    get('/a'),
    get('/a'),
    get('/a', { range: 'bytes=100-199' }),
    get('/a', { range: `bytes=${SLICE}-${SLICE + 9}` }),
  ]
  if (!ranges) late.push(get('/a', { range: `bytes=${15 * SLICE}-${15 * SLICE + 9}` }))
  // Those who are served by what is here need not wait for the rest.
  expect((await late[2])?.digest).toBe(part(100, 200))
  gate.resolve()
  const answers = (await Promise.all([first, ...late])).map(({ status, digest }) => `${status} ${digest}`)
  expect(answers.slice(0, 5)).toEqual([
    `200 ${whole}`,
    `200 ${whole}`,
    `200 ${whole}`,
    `206 ${part(100, 200)}`,
    `206 ${part(SLICE, SLICE + 10)}`,
  ])
  if (ranges) expect(fetched).toEqual(['/a whole'])
  // Only now it is known that this origin has no ranges.
  else expect([answers[5], fetched[0]]).toEqual([`206 ${part(15 * SLICE, 15 * SLICE + 10)}`, '/a whole'])
  expect((await get('/a')).cache).toStartWith('tentpole; hit')
})

test('a range far from what has come is not waited for where it can be fetched by itself', async () => {
  const gate = Promise.withResolvers<void>()
  const { get, whole, part, fetched, edge } = await open({
    etag: '"1"',
    ranges: true,
    sizeBytes: 20 * SLICE,
    gate: gate.promise,
  })
  const first = get('/a')
  await until('the head to be stored', () => edge.statistics().bytes > SLICE)
  const far = await get('/a', { range: `bytes=${15 * SLICE}-${15 * SLICE + 9}` })
  expect(far.digest).toBe(part(15 * SLICE, 15 * SLICE + 10))
  gate.resolve()
  expect((await first).digest).toBe(whole)
  expect(fetched).toEqual(['/a whole', `/a bytes=${15 * SLICE}-${16 * SLICE - 1}`])
})

test('ranges of what an origin only sends whole: one fetch, whichever slices they are of', async () => {
  const { get, part, fetched } = await open({ etag: '"1"', ranges: false, sizeBytes: 64 * SLICE })
  const wanted = Array.from({ length: 8 }, (_, at) => at * 7 * SLICE)
  const ask = (start: number) => get('/a', { range: `bytes=${start}-${start + 99}` })
  const answers = await Promise.all(wanted.map(ask))
  expect(answers.map(({ digest }) => digest)).toEqual(wanted.map((start) => part(start, start + 100)))
  expect(fetched.length).toBe(1)
  expect((await ask(100)).cache).toStartWith('tentpole; hit')
})

test.each([
  ['a strong tag', '"1"'],
  ['no tag', null],
])('a long hit is read as its client reads, also when it is evicted meanwhile: %s', async (_, etag) => {
  const limits = { edgeCacheBytes: 24 * KIB * KIB, edgeObjectShareMax: 0.6 }
  const { edge, get, whole, fetched } = await open({ etag, ranges: true, sizeBytes: LARGE, limits })
  expect((await get('/a')).digest).toBe(whole)
  const slow = reluctant(edge.port, '/a')
  await slow.began
  for (const other of ['/b', '/c']) await get(other)
  expect(await slow.readAll()).toBe(whole)
  if (etag === null) expect(fetched).toEqual(['/a whole', '/b whole', '/c whole'])
})
