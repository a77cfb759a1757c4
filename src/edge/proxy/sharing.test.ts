import { expect, test } from 'bun:test'
import { DEFAULT_LIMITS, type Limits, systemClock } from '../../kernel/index.ts'
import type { FieldLine } from '../http/index.ts'
import type { Answer } from '../server/message.ts'
import { until } from '../testing/bed.ts'
import { createAnswerPool } from './answer-pool.ts'
import type { Ask, UpstreamAnswer, UpstreamRequest } from './ask.ts'
import { createCacheStack } from './cache-stack.ts'

const SLICE = 1_000
const URI = 'http://h/a'

type Exchange = UpstreamRequest<null> & { readonly answer: (given: UpstreamAnswer) => void }

/** The cache before an upstream whose answers the test gives, one by one. */
function open(limits: Partial<Limits> = {}) {
  const asked: Exchange[] = []
  const stack = createCacheStack<null>({
    upstream: (request) => new Promise((answer) => asked.push({ ...request, answer })),
    limits: { ...DEFAULT_LIMITS, edgeSliceBytes: SLICE, edgeAnswerBytesMax: SLICE, ...limits },
    clock: systemClock,
    policy: { jitterShare: 0 },
  })
  const ask = (headers: Record<string, string> = {}, mayGoOn?: () => boolean): Promise<Answer> => {
    const fields = { get: (name: string) => headers[name] ?? null, lines: () => Object.entries(headers) }
    const { signal } = new AbortController()
    const request = {
      method: 'GET',
      host: 'h',
      path: '/a',
      query: '',
      fields,
      clientAddress: '::1',
      body: null,
      signal,
    }
    const whole: Ask<null> = {
      request,
      head: { method: 'GET', uri: URI, fields },
      path: '/a',
      cell: null,
      context: null,
    }
    return Promise.resolve(stack.proxy.handle(mayGoOn ? { ...whole, mayGoOn } : whole))
  }
  const nth = async (index: number): Promise<Exchange> => {
    await until(`request ${index}`, () => asked.length > index)
    const found = asked[index]
    if (!found) throw new Error(`there is no request ${index}`)
    return found
  }
  return { stack, asked, ask, nth }
}

/** A body whose pieces the test gives one by one. */
function byHand() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  return { body, give: (piece: Uint8Array) => controller?.enqueue(piece), end: () => controller?.close() }
}

const bytes = (sizeBytes: number, from = 0): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, at) => (from + at) % 251)
const ok = (body: Uint8Array | ReadableStream<Uint8Array>, lines: readonly FieldLine[] = []): UpstreamAnswer => ({
  ok: true,
  status: 200,
  lines: [['cache-control', 'max-age=60'], ...lines],
  body,
})
const partOf = (index: number, sizeBytes: number, lines: readonly FieldLine[] = []): UpstreamAnswer => {
  const [start, end] = [index * SLICE, Math.min((index + 1) * SLICE, sizeBytes)]
  const placed: FieldLine = ['content-range', `bytes ${start}-${end - 1}/${sizeBytes}`]
  const about: readonly FieldLine[] = [['cache-control', 'max-age=60'], ['etag', '"1"'], placed, ...lines]
  return { ok: true, status: 206, lines: about, body: bytes(end - start, start) }
}
const contentOf = async ({ body }: Answer): Promise<Uint8Array> => {
  if (body instanceof Uint8Array) return body
  if (body instanceof ReadableStream) return new Uint8Array(Buffer.concat(await Array.fromAsync(body)))
  return new Uint8Array(Buffer.concat(body ?? []))
}

test.each([
  ['no-store', { 'cache-control': 'no-store' }],
  ['credentials', { authorization: 'Basic x' }],
  ['a cookie', { cookie: 'a=b' }],
  ['content', { 'content-length': '3' }],
])('one client’s %s does not keep the others from sharing, neither now nor after', async (_, headers) => {
  const { asked, ask, nth } = open()
  const own = ask(headers)
  await nth(0)
  const others = Array.from({ length: 100 }, () => ask())
  const last = await nth(1)
  last.answer(ok(bytes(10)))
  for (const other of others) expect(await contentOf(await other)).toEqual(bytes(10))
  const first = await nth(0)
  first.answer(ok(bytes(5), [['vary', '*']]))
  expect((await contentOf(await own)).byteLength).toBe(5)
  expect(asked.length).toBe(2)
  expect(await contentOf(await ask())).toEqual(bytes(10))
})

test('many with credentials share what is for everybody, and fetch alone what is not', async () => {
  const open1 = open()
  const together = Array.from({ length: 20 }, () => open1.ask({ authorization: 'Basic x' }))
  const { answer } = await open1.nth(0)
  answer(ok(bytes(10), [['cache-control', 'public']]))
  for (const one of together) expect(await contentOf(await one)).toEqual(bytes(10))
  expect(open1.asked.length).toBe(1)
  const open2 = open()
  const apart = Array.from({ length: 20 }, (_, n) => open2.ask({ authorization: `Basic ${n}` }))
  for (let n = 0; n < 20; n++) {
    const { lines, answer: give } = await open2.nth(n)
    give(ok(new TextEncoder().encode(lines.find(([name]) => name === 'authorization')?.[1])))
  }
  for (const [n, one] of apart.entries())
    expect(new TextDecoder().decode(await contentOf(await one))).toBe(`Basic ${n}`)
})

test('a second fetch of what is on its way in leaves it alone', async () => {
  const { ask, nth, asked } = open({ edgeFetchWindowBytes: 2_000, edgeFetchPoolBytes: 2_000 })
  const slow = byHand()
  const first = ask({ cookie: 'a=b' })
  const { answer } = await nth(0)
  const second = ask()
  const other = await nth(1)
  answer(ok(slow.body, [['content-length', '5000']]))
  const reading = first.then(contentOf)
  slow.give(bytes(3_500))
  other.answer(ok(bytes(5_000), [['content-length', '5000']]))
  expect(await second.then(contentOf)).toEqual(bytes(5_000))
  const third = ask().then(contentOf)
  slow.give(bytes(1_500, 3_500))
  slow.end()
  expect([await reading, await third]).toEqual([bytes(5_000), bytes(5_000)])
  expect(await contentOf(await ask())).toEqual(bytes(5_000))
  expect(asked.length).toBe(2)
})

test('a part that was asked for before a purge changes nothing of what was stored after it', async () => {
  const { stack, ask, nth, asked } = open()
  const first = ask({ range: 'bytes=0-9' })
  ;(await nth(0)).answer(partOf(0, 3_000))
  await contentOf(await first)
  const late = ask({ range: 'bytes=1000-1009' }).then(contentOf)
  const before = await nth(1)
  stack.tier.purge(URI)
  stack.fetches.detach((key) => key.startsWith(URI))
  const next = ask({ range: 'bytes=0-9' })
  ;(await nth(2)).answer(partOf(0, 3_000, [['x-edition', 'new']]))
  await contentOf(await next)
  before.answer(partOf(1, 3_000, [['x-edition', 'old']]))
  await late.catch(() => {})
  const now = await ask({ range: 'bytes=0-9' })
  expect(now.head).toContain('x-edition: new')
  expect(now.head).not.toContain('old')
  // Of the old part nothing was kept: it is asked for again.
  const again = ask({ range: 'bytes=1000-1009' }).then(contentOf)
  await until('the part to be fetched again', () => asked.length > 3)
  for (const { answer } of asked.slice(3)) answer(partOf(1, 3_000, [['x-edition', 'new']]))
  expect(await again).toEqual(bytes(10, 1_000))
})

test.each([['stored'], ['on its way']])(
  'who may not have it any more is cut in the middle of what is %s',
  async (how) => {
    const { ask, nth } = open()
    const slow = byHand()
    let may = true
    const giveRest = (): void => {
      slow.give(bytes(4_000, 1_000))
      slow.end()
    }
    const asking = ask({}, how === 'stored' ? undefined : () => may)
    ;(await nth(0)).answer(
      ok(slow.body, [
        ['content-length', '5000'],
        ['etag', '"1"'],
      ]),
    )
    slow.give(bytes(1_000))
    let answer = await asking
    if (how === 'stored') {
      giveRest()
      await contentOf(answer)
      answer = await ask({}, () => may)
    }
    const reader = answer.body instanceof ReadableStream ? answer.body.getReader() : null
    expect((await reader?.read())?.value?.byteLength).toBe(1_000)
    may = false
    if (how !== 'stored') giveRest()
    expect(reader?.read()).rejects.toThrow('may not have it any more')
    await reader?.closed.catch(() => {})
  },
)

test('what is held for readers is bounded, and let go of as it is given', async () => {
  const pool = createAnswerPool(2_500)
  const pieces = [bytes(1_000), bytes(1_000)]
  const [first, second] = [pool.hold(pieces), pool.hold(pieces)]
  expect(pool.heldBytes()).toBe(0)
  await first?.next()
  expect([pool.heldBytes(), pool.hold(pieces)]).toEqual([2_000, null])
  await first?.next()
  expect(pool.heldBytes()).toBe(1_000)
  await first?.return(undefined)
  await second?.return(undefined)
  expect(pool.heldBytes()).toBe(0)
})
