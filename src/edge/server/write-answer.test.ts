import { afterEach, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import type { Answer } from './message.ts'
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

const streamOf = (pieces: readonly Uint8Array[], end: 'closes' | 'fails' = 'closes'): ReadableStream<Uint8Array> => {
  let index = 0
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[index++]
      if (piece) controller.enqueue(piece)
      else if (end === 'closes') controller.close()
      else controller.error(new Error('origin gone'))
    },
  })
}
const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content))
const abc = (): ReadableStream<Uint8Array> => streamOf([bytes('a'), bytes(''), bytes('bc')])

type Framed = readonly [name: string, method: string, answer: Partial<Answer>, framing: string, content: string]
const FRAMED: readonly Framed[] = [
  ['bytes', 'GET', { body: bytes('abc') }, 'content-length: 3', 'abc'],
  ['a list', 'GET', { body: [bytes('a'), bytes(''), bytes('bc')] }, 'content-length: 3', 'abc'],
  ['an empty list', 'GET', { body: [] }, 'content-length: 0', ''],
  ['nothing', 'GET', { body: null }, 'content-length: 0', ''],
  ['a stream of known length', 'GET', { body: abc(), lengthBytes: 3 }, 'content-length: 3', 'abc'],
  ['a stream', 'GET', { body: abc() }, 'transfer-encoding: chunked', '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'],
  ['HEAD of bytes', 'HEAD', { body: bytes('abc') }, 'content-length: 3', ''],
  ['HEAD of a known length', 'HEAD', { body: null, lengthBytes: 7 }, 'content-length: 7', ''],
  ['HEAD of a stream', 'HEAD', { body: abc() }, '', ''],
  ['204', 'GET', { status: 204, body: bytes('abc') }, '', ''],
  ['205', 'GET', { status: 205, body: null }, 'content-length: 0', ''],
  ['304', 'GET', { status: 304, body: null }, '', ''],
  ['304 that says a length', 'GET', { status: 304, body: null, lengthBytes: 9 }, 'content-length: 9', ''],
]
test.each(FRAMED)('framing: %s', async (_, method, answer, framing, content) => {
  const { client } = open({ handle: ({ path }) => (path === '/x' ? text('', answer) : text('next')) })
  const raw = await client()
  raw.write(`${method} /x HTTP/1.1\r\nHost: a\r\n\r\n${get('/next')}`)
  const got = await raw.until((all) => all.endsWith('next'))
  const end = got.indexOf('\r\n\r\n')
  const lines = got.slice(0, end).split('\r\n')
  expect(lines.filter((line) => /^(content-length|transfer-encoding|connection):/.test(line)).join()).toBe(framing)
  expect(got.slice(end + 4, got.indexOf('HTTP/1.1', end))).toBe(content)
})

test('a stream to HTTP/1.0: until the connection closes', async () => {
  const { client } = open({ handle: () => text('', { body: abc() }) })
  const raw = await client()
  raw.write('GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  const got = await raw.ended()
  expect(got).toContain('connection: close\r\n')
  expect(got).not.toContain('transfer-encoding')
  expect(got).toEndWith('\r\n\r\nabc')
})

const DATED: readonly (readonly [name: string, answer: Partial<Answer>, dates: number])[] = [
  ['ours', {}, 1],
  ['its own', { head: 'date: Thu, 01 Jan 1970 00:00:00 GMT\r\n', dated: true }, 1],
]
test.each(DATED)('one Date: %s', async (_, answer, dates) => {
  const { client } = open({ handle: () => text('x', answer) })
  const raw = await client()
  raw.write(get('/x'))
  const got = await raw.until((all) => all.endsWith('\r\n\r\nx'))
  expect(got.match(/^date: /gm)?.length).toBe(dates)
})

test('large answers arrive whole, as bytes, as slices and as streams', async () => {
  const content = randomBytes(5_000_000)
  const slices = Array.from({ length: 50 }, (_, index) => content.subarray(index * 100_000, (index + 1) * 100_000))
  const bodies: Record<string, () => Partial<Answer>> = {
    '/bytes': () => ({ body: content }),
    '/slices': () => ({ body: slices }),
    '/stream': () => ({ body: streamOf(slices) }),
    '/known': () => ({ body: streamOf(slices), lengthBytes: content.length }),
  }
  const { client, exchanges } = open({ handle: ({ path }) => text('', bodies[path]?.() ?? {}) })
  const raw = await client()
  raw.write(
    Object.keys(bodies)
      .map((path) => get(path))
      .join(''),
  )
  await raw.until(() => exchanges.length === 4 && raw.bytes() > 4 * content.length + 400)
  const all = readAnswers(raw.text())
  for (const { body } of all) expect(Buffer.from(body, 'latin1').equals(content)).toBe(true)
  expect(exchanges.map((exchange) => exchange.bytes)).toEqual(Array(4).fill(content.length))
})

const CUT: readonly (readonly [name: string, answer: () => Partial<Answer>])[] = [
  ['a stream that fails', () => ({ body: streamOf([bytes('a')], 'fails') })],
  ['one of known length that fails', () => ({ body: streamOf([bytes('a')], 'fails'), lengthBytes: 3 })],
  ['one that ends early', () => ({ body: streamOf([bytes('a')]), lengthBytes: 3 })],
  ['one that does not end', () => ({ body: streamOf([bytes('abc'), bytes('d')]), lengthBytes: 3 })],
  ['one that is no bytes', () => ({ body: new Response('x').body?.pipeThrough(toText()) as never })],
]
const toText = (): TransformStream<Uint8Array, string> =>
  new TransformStream({ transform: (_, controller) => controller.enqueue('text') })
test.each(CUT)('never completed as if whole: %s', async (_, answer) => {
  const { client, exchanges, server } = open({ handle: () => text('', answer()) })
  const raw = await client()
  raw.write(get('/x'))
  await raw.ended()
  expect(raw.fate()).toBe('reset')
  expect(raw.text()).not.toContain('\r\n0\r\n')
  await until(() => server.connections() === 0, 'the connection to be gone')
  expect(exchanges.map(({ complete }) => complete)).toEqual([false])
})

test('a stream is read no faster than its client reads, and cancelled when that leaves', async () => {
  let pulled = 0
  let cancelled = false
  const piece = Buffer.alloc(256 * 1024)
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1
        controller.enqueue(piece)
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const { client, exchanges, server } = open({ handle: ({ path }) => (path === '/x' ? text('', { body }) : text('o')) })
  const raw = await client({ reads: false })
  raw.write(get('/x'))
  await until(() => pulled > 0, 'the stream to begin')
  const other = await client()
  let before = -1
  while (before !== pulled) {
    before = pulled
    for (let turn = 0; turn < 20; turn += 1) {
      const answers = readAnswers(other.text()).length
      other.write(get('/other'))
      await other.until((all) => readAnswers(all).length === answers + 1)
    }
  }
  // Both sides' kernels hold a few megabytes; an endless stream would fill any memory.
  expect(pulled * piece.length).toBeLessThan(32 * 1024 * 1024)
  raw.reset()
  await until(() => cancelled, 'the stream to be cancelled')
  expect(exchanges.at(-1)).toMatchObject({ complete: false })
  expect(server.inFlight()).toBe(0)
})

test('a stream that never waits leaves others their turn', async () => {
  const piece = Buffer.alloc(64 * 1024)
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(piece) })
  const { client } = open({ handle: ({ path }) => (path === '/x' ? text('', { body }) : text('other')) })
  const raw = await client({ keeps: false })
  raw.write(get('/x'))
  await until(() => raw.bytes() > 10_000_000, 'the stream to flow')
  const other = await client()
  other.write(get('/other'))
  await other.until((all) => all.endsWith('other'))
  raw.reset()
})

test('an answer to a request that was answered already reaches nobody, and its stream is cancelled', async () => {
  let cancelled = false
  let release = (): void => {}
  const { client, exchanges, server } = open({
    limits: { edgeBodyBytesMax: 4 },
    handle: async () => {
      await new Promise<void>((resolve) => (release = resolve))
      const cancel = (): void => {
        cancelled = true
      }
      return text('', { body: new ReadableStream({ cancel }) })
    },
  })
  const raw = await client()
  raw.write('POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
  await until(() => server.inFlight() === 1, 'the request')
  raw.write('9\r\n')
  const got = await raw.ended()
  release()
  await until(() => cancelled, 'the late answer to be dropped')
  expect(readAnswers(got).map(({ status }) => status)).toEqual([413])
  expect(raw.text()).toBe(got)
  expect(exchanges.length).toBe(1)
})
