import { afterEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Limits, silentLogger } from '../../kernel/index.ts'
import { createProxyEdge } from './proxy-edge.ts'

const SLICE = 1_000
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const byteAt = (position: number, version: number): number => (position * 7 + version * 13) % 251
const film = (start: number, end: number, version = 1): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: end - start }, (_, at) => byteAt(start + at, version))

type FilmOptions = {
  readonly sizeBytes?: number
  readonly headers?: Record<string, string>
  /** Instead of what an origin that knows ranges answers. */
  readonly answer?: (request: Request) => Response | null
  readonly limits?: Partial<Limits>
}

/** An origin with one film, and the edge in front of it, its slices a kilobyte. */
function open(options: FilmOptions = {}) {
  const { sizeBytes = 50_500 } = options
  const ranges: (string | null)[] = []
  let version = 1
  let sentBytes = 0
  const send = (status: number, bytes: Uint8Array<ArrayBuffer>, more: Record<string, string> = {}): Response => {
    sentBytes += bytes.byteLength
    const headers = { 'cache-control': 'max-age=60', etag: `"${version}"`, ...options.headers, ...more }
    return new Response(bytes, { status, headers })
  }
  const origin = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const range = request.headers.get('range')
      ranges.push(range)
      const own = options.answer?.(request)
      if (own) return own
      if (request.headers.get('if-none-match') === `"${version}"`)
        return new Response(null, { status: 304, headers: { etag: `"${version}"`, 'cache-control': 'max-age=60' } })
      const ifRange = request.headers.get('if-range')
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
      if (first === undefined || (ifRange !== null && ifRange !== `"${version}"`))
        return send(200, film(0, sizeBytes, version))
      const start = Number(first)
      if (start >= sizeBytes)
        return new Response(null, { status: 416, headers: { 'content-range': `bytes */${sizeBytes}` } })
      const end = Math.min(last ? Number(last) + 1 : sizeBytes, sizeBytes)
      return send(206, film(start, end, version), { 'content-range': `bytes ${start}-${end - 1}/${sizeBytes}` })
    },
  })
  let ahead = 0
  const clock = { nowMs: () => Date.now() + ahead, elapsedMs: () => performance.now() + ahead }
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [`http://127.0.0.1:${origin.port}`],
    limits: { edgeCacheBytes: 400_000, edgeSliceBytes: SLICE, ...options.limits },
    logger: silentLogger,
    clock,
    policy: { jitterShare: 0 },
  })
  closers.push(
    () => origin.stop(true),
    () => edge.close({ drainMs: 100 }),
  )
  const get = (range: string | null, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${edge.port}/film`, { headers: { ...headers, ...(range ? { range } : {}) } })
  return {
    edge,
    ranges,
    get,
    sentBytes: () => sentBytes,
    change() {
      version += 1
    },
    passTime(ms: number) {
      ahead += ms
    },
    async part(range: string) {
      const response = await get(range)
      return [response.status, response.headers.get('content-range'), await response.bytes()] as const
    },
  }
}
const report = (response: Response): string | null => response.headers.get('cache-status')

test('a range of a film brings the slices it lies in, never the film; what is here is not brought again', async () => {
  const { part, ranges, sentBytes, get } = open()
  expect(await part('bytes=2100-2199')).toEqual([206, 'bytes 2100-2199/50500', film(2_100, 2_200)])
  expect([ranges, sentBytes()]).toEqual([['bytes=2000-2999'], SLICE])
  const again = await get('bytes=2900-2999')
  expect([await again.bytes(), ranges.length]).toEqual([film(2_900, 3_000), 1])
  expect(report(again)).toStartWith('tentpole; hit')
  // Over the edge of what is here: only what is missing is asked for, of the same version.
  const over = await get('bytes=2950-4049')
  expect([report(over), await over.bytes()]).toEqual(['tentpole; fwd=partial', film(2_950, 4_050)])
  expect(ranges).toEqual(['bytes=2000-2999', 'bytes=3000-3999', 'bytes=4000-4999'])
  expect(sentBytes()).toBe(3 * SLICE)
})

test('the end of the film, its last bytes and all of it are served from slices', async () => {
  const { part, ranges, get } = open()
  expect(await part('bytes=-100')).toEqual([206, 'bytes 50400-50499/50500', film(50_400, 50_500)])
  expect(ranges).toEqual(['bytes=0-999', 'bytes=50000-50499'])
  expect(await part('bytes=50450-')).toEqual([206, 'bytes 50450-50499/50500', film(50_450, 50_500)])
  expect(ranges.length).toBe(2)
  const whole = await get(null)
  expect([whole.status, await whole.bytes(), ranges.length]).toEqual([200, film(0, 50_500), 2 + 49])
  expect(report(await get(null))).toStartWith('tentpole; hit')
})

test('several ranges at once, one of them not here', async () => {
  const { get, ranges } = open()
  const response = await get('bytes=10-19,7000-7009')
  expect(response.headers.get('content-type')).toStartWith('multipart/byteranges; boundary=')
  const text = Buffer.from(await response.bytes()).toString('latin1')
  for (const start of [10, 7_000]) {
    expect(text).toContain(`Content-Range: bytes ${start}-${start + 9}/50500\r\n\r\n`)
    expect(text).toContain(Buffer.from(film(start, start + 10)).toString('latin1'))
  }
  expect(Number(response.headers.get('content-length'))).toBe(text.length)
  expect(ranges).toEqual(['bytes=0-999', 'bytes=7000-7999'])
})

test('any range of any film is answered with its very bytes', async () => {
  const { get } = open({ sizeBytes: 12_345 })
  const position = fc.nat(12_344)
  await fc.assert(
    fc.asyncProperty(position, position, async (one, other) => {
      const [first, last] = one < other ? [one, other] : [other, one]
      const response = await get(`bytes=${first}-${last}`)
      expect([response.status, await response.bytes()]).toEqual([206, film(first, last + 1)])
    }),
    { numRuns: 60 },
  )
})

test('a hundred at once for one cold slice are one fetch', async () => {
  const { part, ranges } = open({
    answer: () => null,
  })
  const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => part(`bytes=${5_000 + at}-${5_100 + at}`)))
  for (const [at, [status, , bytes]] of answers.entries())
    expect([status, bytes]).toEqual([206, film(5_000 + at, 5_101 + at)])
  expect(ranges).toEqual(['bytes=5000-5999'])
})

test('two versions never mix: the answer under way is cut off, the next one is of the new version alone', async () => {
  const { part, get, change, ranges } = open()
  expect((await part('bytes=0-99'))[0]).toBe(206)
  change()
  const mixed = await get('bytes=900-1099')
  expect(mixed.status).toBe(206)
  expect(mixed.bytes()).rejects.toThrow()
  await mixed.body?.cancel().catch(() => {})
  expect(await part('bytes=900-1099')).toEqual([206, 'bytes 900-1099/50500', film(900, 1_100, 2)])
  expect(ranges).toEqual(['bytes=0-999', 'bytes=1000-1999', 'bytes=0-999'])
})

test('what is stale is validated with one slice, not with the film', async () => {
  const { part, passTime, change, ranges, sentBytes } = open()
  await part('bytes=0-99')
  passTime(61_000)
  expect(await part('bytes=100-199')).toEqual([206, 'bytes 100-199/50500', film(100, 200)])
  expect([ranges.length, sentBytes()]).toEqual([2, SLICE])
  passTime(61_000)
  change()
  expect(await part('bytes=100-199')).toEqual([206, 'bytes 100-199/50500', film(100, 200, 2)])
  expect([ranges.length, sentBytes()]).toEqual([3, 2 * SLICE])
})

test.each([
  ['no strong validator', { etag: 'W/"1"' }],
  ['private', { 'cache-control': 'private, max-age=60' }],
])('parts that may not be kept beside others are passed as they were asked for: %s', async (_, headers) => {
  const { part, ranges, edge } = open({ headers })
  for (let attempt = 0; attempt < 2; attempt++)
    expect(await part('bytes=2100-2199')).toEqual([206, 'bytes 2100-2199/50500', film(2_100, 2_200)])
  // A slice was tried once.
  expect(ranges).toEqual(['bytes=2000-2999', 'bytes=2100-2199', 'bytes=2100-2199'])
  expect(edge.statistics().bytes).toBe(0)
})

test('an origin without ranges, one with errors, and a range beyond the end', async () => {
  const whole = open({ answer: () => new Response(film(0, 3_500), { headers: { 'cache-control': 'max-age=60' } }) })
  const first = await whole.get('bytes=10-19')
  expect([first.status, (await first.bytes()).byteLength]).toEqual([200, 3_500])
  expect(await whole.part('bytes=10-19')).toEqual([206, 'bytes 10-19/3500', film(10, 20)])
  expect(whole.ranges.length).toBe(1)
  const failing = open({ answer: () => new Response('no', { status: 404 }) })
  expect((await failing.get('bytes=0-1')).status).toBe(404)
  const { get, part, ranges } = open()
  const beyond = await get('bytes=90000-')
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */50500'])
  // Who asks for what is not there does not keep others from sharing what is.
  for (let attempt = 0; attempt < 2; attempt++) expect((await part('bytes=10-19'))[0]).toBe(206)
  expect(ranges.slice(-1)).toEqual(['bytes=0-999'])
})

// Also shows that a fetch abandoned when its last byte had come, and its end was not read, does not end the process.
test('a slice that was evicted is brought again, the others are not', async () => {
  // Room for some twenty slices of the film's fifty-one.
  const { get, part, ranges, edge } = open({ limits: { edgeCacheBytes: 40_000, edgeObjectShareMax: 1 } })
  expect(await (await get('bytes=0-')).bytes()).toEqual(film(0, 50_500))
  expect(edge.statistics().bytes).toBeLessThanOrEqual(40_000)
  const before = ranges.length
  expect(await part('bytes=0-9999')).toEqual([206, 'bytes 0-9999/50500', film(0, 10_000)])
  const brought = ranges.length - before
  expect(brought).toBeLessThanOrEqual(11)
  expect(edge.statistics().bytes).toBeLessThanOrEqual(40_000)
})

test('If-Range of another version is answered with the whole (RFC 9110, 13.1.5)', async () => {
  const { get } = open({ sizeBytes: 2_500 })
  const response = await get('bytes=0-9', { 'if-range': '"0"' })
  expect([response.status, await response.bytes()]).toEqual([200, film(0, 2_500)])
  const same = await get('bytes=0-9', { 'if-range': '"1"' })
  expect([same.status, await same.bytes()]).toEqual([206, film(0, 10)])
})
