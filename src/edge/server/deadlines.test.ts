import { afterEach, expect, test } from 'bun:test'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { decideLate, type Late, type Progress, toSweepMs, type Watched } from './deadlines.ts'
import { get, type OpenServer, openServer, readAnswers, text } from './testing/open-server.ts'
import { until } from './testing/raw-client.ts'

const opened: OpenServer[] = []
const open: typeof openServer = (options) => {
  const bed = openServer(options)
  opened.push(bed)
  return bed
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bed) => bed.close()))
})
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const limits = {
  ...DEFAULT_LIMITS,
  edgeHeadTimeoutMs: 100,
  edgeIdleTimeoutMs: 1_000,
  edgeProgressWindowMs: 50,
  edgeBodyBytesPerWindowMin: 10,
  edgeAnswerBytesPerWindowMin: 20,
}
const RESTING: Watched = { phase: 'idle', sinceMs: 0, awaitsContent: false, awaitsReader: false }
const CASES: readonly (readonly [name: string, watched: Partial<Watched>, nowMs: number, expected: Late])[] = [
  ['at rest', {}, 999, null],
  ['at rest for too long', {}, 1_000, 'idle'],
  ['a head', { phase: 'head' }, 99, null],
  ['a head for too long', { phase: 'head' }, 100, 'head'],
  ['a handler takes any time', { phase: 'exchange' }, 1e9, null],
  ['lingering', { phase: 'linger' }, 999, null],
  ['lingering for too long', { phase: 'linger' }, 1_000, 'linger'],
]
test.each(CASES)('%s', (_, watched, nowMs, expected) => {
  const none = (): Progress => ({ sinceMs: -1, bytes: 0 })
  expect(decideLate({ watched: { ...RESTING, ...watched }, coming: none(), going: none(), nowMs, limits })).toBe(
    expected,
  )
})

test('a window is judged when it has passed, begins anew, and never runs while nothing is waited for', () => {
  const coming: Progress = { sinceMs: -1, bytes: 0 }
  const going: Progress = { sinceMs: -1, bytes: 0 }
  const late = (nowMs: number, bytes: number, awaits = true): Late => {
    coming.bytes += bytes
    const watched: Watched = { phase: 'exchange', sinceMs: 0, awaitsContent: awaits, awaitsReader: false }
    return decideLate({ watched, coming, going, nowMs, limits })
  }
  expect([late(0, 0), late(40, 10), late(50, 0), late(99, 9), late(100, 1), late(149, 9)]).toEqual(Array(6).fill(null))
  expect(late(150, 0)).toBe('content')
  expect([late(160, 0, false), late(900, 0, false), late(901, 0), late(940, 0)]).toEqual(Array(4).fill(null))
  expect(late(951, 9)).toBe('content')
})

test('the sweep is often enough for the shortest deadline, and never more than two hundred times a second', () => {
  expect(toSweepMs(limits)).toBe(12)
  expect(toSweepMs({ ...limits, edgeHeadTimeoutMs: 1 })).toBe(5)
  expect(toSweepMs(DEFAULT_LIMITS)).toBe(500)
})

test('a head that comes too slowly: 408; others are served meanwhile', async () => {
  const { client, server } = open({ limits: { edgeHeadTimeoutMs: 60 } })
  const raw = await client()
  const drip = setInterval(() => raw.socket.writable && raw.write('X: y\r\n'), 10)
  raw.write('GET / HTTP/1.1\r\nHost: a\r\n')
  const got = await raw.ended()
  clearInterval(drip)
  expect(readAnswers(got).map(({ status }) => status)).toEqual([408])
  expect(server.refusals()).toEqual({ 'head-too-slow': 1 })
})

test('a second head on a kept connection has its own time', async () => {
  const { client } = open({ limits: { edgeHeadTimeoutMs: 60 } })
  const raw = await client()
  raw.write(`${get('/x')}GET /y HTTP/1.1\r\n`)
  expect(readAnswers(await raw.ended()).map(({ status }) => status)).toEqual([200, 408])
})

test('at rest for too long: closed without a word, whether or not anything was asked before', async () => {
  const { client, server } = open({ limits: { edgeIdleTimeoutMs: 60 } })
  const silent = await client()
  const asked = await client()
  asked.write(`${get('/x')}\r\n`)
  expect(await silent.ended()).toBe('')
  expect(readAnswers(await asked.ended()).length).toBe(1)
  await until(() => server.connections() === 0, 'both to be gone')
})

test('content slower than the floor: 408. One that is slow but above it lives as long as it takes', async () => {
  const { client, server } = open({
    limits: { edgeProgressWindowMs: 80, edgeBodyBytesPerWindowMin: 8, edgeHeadTimeoutMs: 60, edgeIdleTimeoutMs: 60 },
    handle: async ({ body }) => text(`${(await new Response(body).arrayBuffer()).byteLength}`),
  })
  const honest = await client()
  honest.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n')
  const drip = setInterval(() => honest.write('xxxxxxxxxx'), 10)
  const stuck = await client()
  stuck.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\nxxx')
  const got = await stuck.ended()
  expect(readAnswers(got).map(({ status }) => status)).toEqual([408])
  await honest.until((all) => all.endsWith('\r\n\r\n400'))
  clearInterval(drip)
  expect(server.refusals()).toEqual({ 'content-too-slow': 1 })
})

test('time in the handler counts against nobody, also with content that waits for it', async () => {
  const { client, server } = open({
    limits: { edgeProgressWindowMs: 20, edgeHeadTimeoutMs: 20, edgeIdleTimeoutMs: 20 },
    handle: async ({ body }) => {
      await pass(200)
      return text(`${(await new Response(body).arrayBuffer()).byteLength}`)
    },
  })
  const raw = await client()
  raw.write(`POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n`)
  raw.write(Buffer.alloc(2_000_000))
  const waits = await client()
  waits.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n')
  await waits.until((all) => all.includes('100 Continue'))
  waits.write('x')
  await waits.until((all) => all.endsWith('\r\n\r\n1'))
  await raw.until((all) => all.endsWith('\r\n\r\n2000000'))
  expect(server.refusals()).toEqual({})
})

test('who reads slowly but all the time is not cut, though the kernel takes nothing of us for many windows', async () => {
  const bytes = 16 * 1024 * 1024
  const { client, server } = open({
    limits: { edgeProgressWindowMs: 60, edgeAnswerBytesPerWindowMin: 1_000 },
    handle: () => text('', { body: Buffer.alloc(bytes) }),
  })
  const raw = await client({ keeps: false })
  raw.socket.on('data', () => {
    raw.socket.pause()
    setTimeout(() => raw.socket.resume(), 30)
  })
  raw.write(get('/x'))
  await until(() => raw.bytes() > bytes, 'all of it', 20_000)
  expect(server.refusals()).toEqual({})
})

test('who stops reading is cut; who reads is not', async () => {
  const { client, server, exchanges } = open({
    limits: { edgeProgressWindowMs: 60, edgeAnswerBytesPerWindowMin: 1_000 },
    handle: () => text('', { body: Buffer.alloc(24 * 1024 * 1024) }),
  })
  const reader = await client({ keeps: false })
  const stopped = await client({ reads: false })
  stopped.write(get('/x'))
  reader.write(get('/x'))
  await until(() => server.refusals()['reader-too-slow'] === 1, 'the one who stopped to be cut')
  await until(() => reader.bytes() > 24 * 1024 * 1024, 'the other to have it all')
  await until(() => exchanges.length === 2, 'both reports')
  expect(exchanges.map(({ complete }) => complete).sort()).toEqual([false, true])
})
