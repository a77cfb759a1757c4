import { afterEach, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createBodyReader } from './body-reader.ts'
import { get, type OpenServer, openServer, post, readAnswers, text } from './testing/open-server.ts'
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
const readAll = async (stream: ReadableStream<Uint8Array> | null): Promise<string> =>
  stream === null ? '' : Buffer.from(await new Response(stream).arrayBuffer()).toString('latin1')
const echo: Parameters<typeof openServer>[0] = {
  handle: async ({ body }) => text('', { body: Buffer.from(await readAll(body), 'latin1') }),
}

const CHUNKED = 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'

test('any split of any content gives the same bytes, and what follows is left', async () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(20), async (given, beyond) => {
      const content = Buffer.concat(given)
      const nothing = (): void => {}
      const framing = { kind: 'length', bytes: content.length } as const
      const reader = createBodyReader({ framing, limits: DEFAULT_LIMITS, onRead: nothing, onCancel: nothing })
      const read = readAll(reader.stream())
      for (const [index, piece] of given.entries()) {
        const last = index === given.length - 1
        const fed = reader.feed(last ? Buffer.concat([piece, Buffer.alloc(beyond)]) : piece)
        expect(fed).toEqual({ ok: true, consumed: piece.length, done: last })
      }
      expect(await read).toBe(content.toString('latin1'))
      expect(reader.queuedBytes()).toBe(0)
    }),
    { numRuns: 100 },
  )
})

test('what is given to a reader is its own: detaching it changes nothing else', async () => {
  const limits = DEFAULT_LIMITS
  const reader = createBodyReader({
    framing: { kind: 'length', bytes: 4 },
    limits,
    onRead: () => {},
    onCancel: () => {},
  })
  const chunk = Buffer.from('bodynext')
  reader.feed(chunk)
  const { value } = await reader.stream().getReader().read()
  structuredClone(value?.buffer, { transfer: [value?.buffer as ArrayBuffer] })
  expect(chunk.toString()).toBe('bodynext')
})

test('a hundred thousand chunks of a byte are given out in a few pieces', async () => {
  const reader = createBodyReader({
    framing: { kind: 'chunked' },
    limits: DEFAULT_LIMITS,
    onRead: () => {},
    onCancel: () => {},
  })
  reader.feed(Buffer.from(`${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`))
  expect(reader.queuedBytes()).toBe(100_000)
  const sizes: number[] = []
  for await (const piece of reader.stream()) sizes.push(piece.byteLength)
  expect([sizes.length, sizes.reduce((sum, bytes) => sum + bytes, 0)]).toEqual([25, 100_000])
})

test('content of a megabyte by length and in chunks, read whole; the connection goes on', async () => {
  const { client } = open(echo)
  const content = randomBytes(1024 * 1024).toString('latin1')
  const raw = await client()
  raw.write(Buffer.from(post(content), 'latin1'))
  await raw.until((all) => all.length > content.length && readAnswers(all)[0]?.body === content)
  raw.write(Buffer.from(`${CHUNKED}${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n${get('/x')}`, 'latin1'))
  await raw.until((all) => {
    const answers = all.length > 2 * content.length ? readAnswers(all) : []
    return answers.length === 3 && answers[1]?.body === content
  })
})

test('content that nobody reads waits in the client, not here', async () => {
  let release = (): void => {}
  const { client, server } = open({
    handle: async ({ body }) => {
      if (!body) return text('other')
      await body.getReader().read()
      await new Promise<void>((resolve) => (release = resolve))
      return text('done')
    },
  })
  const raw = await client()
  raw.write(`POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n`)
  raw.write(Buffer.alloc(60_000_000))
  await until(() => server.inFlight() === 1, 'the request')
  const other = await client()
  for (let turn = 0; turn < 100; turn += 1) {
    other.write(get('/other'))
    await other.until((all) => readAnswers(all).length === turn + 1)
  }
  expect(raw.socket.writableLength).toBeGreaterThan(40_000_000)
  release()
  // More is left than is worth reading.
  const got = await raw.until((all) => all.includes('done'))
  expect(got).toContain('connection: close\r\n')
})

test('too large by its length: 413 before anything is handled; too large in chunks: 413 while it is', async () => {
  let handled = 0
  const { client, exchanges } = open({
    limits: { edgeBodyBytesMax: 10 },
    handle: async ({ body }) => {
      handled += 1
      return text(await readAll(body))
    },
  })
  const raw = await client()
  raw.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n')
  expect(readAnswers(await raw.ended()).map(({ status }) => status)).toEqual([413])
  expect(handled).toBe(0)
  const chunked = await client()
  chunked.write(`${CHUNKED}6\r\nabcdef\r\n`)
  await until(() => handled === 1, 'the request')
  chunked.write('5\r\nabcde\r\n0\r\n\r\n')
  expect(readAnswers(await chunked.ended()).map(({ status }) => status)).toEqual([413])
  await until(() => exchanges.length === 2, 'both reports')
  expect(exchanges.map(({ answer }) => answer.status)).toEqual([413, 413])
})

test('damaged chunks: 400, once, and nothing after it', async () => {
  const { client } = open(echo)
  const raw = await client()
  raw.write(`${CHUNKED}3\r\nabcX${get('/smuggled')}`)
  const answers = readAnswers(await raw.ended())
  expect(answers.map(({ status }) => status)).toEqual([400])
})

test('a 100 when the content is first read, and only then', async () => {
  let read = (): void => {}
  const { client, server } = open({
    handle: async ({ body }) => {
      if (body) await new Promise<void>((resolve) => (read = resolve))
      return text(await readAll(body))
    },
  })
  const raw = await client()
  raw.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  await until(() => server.inFlight() === 1, 'the request')
  expect(raw.text()).toBe('')
  read()
  await raw.until((all) => all === 'HTTP/1.1 100 Continue\r\n\r\n')
  raw.write(`abc${get('/x')}`)
  await raw.until((all) => readAnswers(all).length === 3)
  expect(readAnswers(raw.text()).map(({ status }) => status)).toEqual([100, 200, 200])
})

test('no 100 where the answer needs no content: the connection closes after it', async () => {
  let late: ReadableStream<Uint8Array> | null = null
  const { client } = open({
    handle: ({ body }) => {
      late = body
      return text('no')
    },
  })
  const raw = await client()
  raw.write('POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  const got = await raw.ended()
  expect(readAnswers(got).map(({ status }) => status)).toEqual([200])
  expect(got).toContain('connection: close')
  await expect(readAll(late)).rejects.toThrow()
  expect(raw.text()).toBe(got)
})

const UNREAD: readonly (readonly [name: string, request: string, goesOn: boolean])[] = [
  ['little by length', post('abc'), true],
  ['much by length', post('a'.repeat(400_000)), false],
  ['in chunks, all here', `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`, true],
  ['in chunks, without an end', `${CHUNKED}3\r\nabc\r\n`, false],
]
test.each(UNREAD)('content that nobody reads: %s', async (_, request, goesOn) => {
  const { client } = open({ handle: ({ path }) => text(path) })
  const raw = await client()
  raw.write(`${request.slice(0, 100)}`)
  raw.write(`${request.slice(100)}${goesOn ? get('/next') : ''}`)
  if (goesOn) await raw.until((all) => all.endsWith('/next'))
  else expect(readAnswers(await raw.ended()).map(({ body }) => body)).toEqual(['/p'])
})

test('content still read while its answer is sent', async () => {
  const { client } = open({ handle: ({ body }) => text('', { body }) })
  const raw = await client()
  raw.write(`${CHUNKED}3\r\nabc\r\n`)
  await raw.until((all) => all.endsWith('3\r\nabc\r\n'))
  raw.write('3\r\ndef\r\n0\r\n\r\n')
  await raw.until((all) => all.endsWith('0\r\n\r\n'))
  expect(readAnswers(raw.text())[0]?.body).toBe('abcdef')
  raw.write(`${CHUNKED}1\r\nx\r\n0\r\n\r\n`)
  await raw.until((all) => readAnswers(all)[1]?.body === 'x')
})

test('a client that leaves within its content: whoever reads it hears of it, nobody takes the part for the whole', async () => {
  const outcomes: string[] = []
  const { client, server } = open({
    handle: async ({ body }) => {
      outcomes.push(
        await readAll(body).then(
          () => 'whole',
          () => 'cut',
        ),
      )
      return text('x')
    },
  })
  for (const leave of ['finish', 'reset'] as const)
    for (const request of [post('abcdef').slice(0, -1), `${CHUNKED}3\r\nabc\r\n`]) {
      const raw = await client()
      raw.write(request)
      await until(() => server.inFlight() === 1, 'the request')
      raw[leave]()
      await until(() => server.connections() === 0, 'the connection to be gone')
    }
  await until(() => outcomes.length === 4, 'all outcomes')
  expect(outcomes).toEqual(['cut', 'cut', 'cut', 'cut'])
})
