import { afterEach, expect, test } from 'bun:test'
import { type Clock, DEFAULT_LIMITS, systemClock } from '../../kernel/index.ts'
import { cancelContent } from './content.ts'
import { createExchange } from './exchange.ts'
import type { ChunkStore, Fetched, Joined, Reread, StartFetch } from './fetched.ts'
import { createSharedFetches, type SharedFetches } from './shared-fetch.ts'
import { type RawOrigin, type Step, startRawOrigin } from './testing/raw-origin.ts'
import { bytesOf, readerOf, textOf } from './testing/read-content.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})
const fetchesWith = (limits = {}, clock: Clock = systemClock): SharedFetches<number> =>
  createSharedFetches<number>({ clock, limits })
const never = (): AbortSignal => new AbortController().signal

/** A start over a real origin; the head is its status. */
const over = (origin: RawOrigin, more: Partial<Extract<Fetched<number>, { ok: true }>> = {}): StartFetch<number> => {
  const exchange = createExchange({ url: new URL(origin.url), limits: { ...DEFAULT_LIMITS, edgeOriginSilenceMs: 100 } })
  open.push(exchange)
  return async (signal) => {
    const result = await exchange.send({ method: 'GET', path: '/', lines: [], body: null, signal }, { fresh: true })
    if (!result.ok) return result
    return { ok: true, head: result.status, body: result.body, share: true, store: null, reread: null, ...more }
  }
}
const origin = async (steps: readonly Step[]): Promise<RawOrigin> => {
  const started = await startRawOrigin(() => steps)
  open.push(started)
  return started
}
const bodyOf = (joined: Joined<number>): Promise<string> =>
  joined.ok ? textOf(joined.body) : Promise.resolve(joined.code)
const outcomeOf = (joining: Promise<Joined<number>>): Promise<string> =>
  joining.then(bodyOf).catch((error) => `cut: ${error.code ?? error.message}`)
const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n`

/** A body whose pieces the test gives one by one. */
const byHand = () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: () => {
      cancelled = true
    },
  })
  return {
    body,
    give: (chunk: Uint8Array) => controller?.enqueue(chunk),
    end: () => controller?.close(),
    fail: (why: string) => controller?.error(new Error(why)),
    wasCancelled: () => cancelled,
  }
}
const landing = (more: Partial<Extract<Fetched<number>, { ok: true }>>): StartFetch<number> => {
  return async () => ({ ok: true, head: 200, body: null, share: true, store: null, reread: null, ...more })
}
const recordingStore = (seen: string[]): ChunkStore => ({
  append: (chunk) => seen.push(`${chunk.byteLength}`) > 0,
  end: () => seen.push('end'),
  fail: (why) => seen.push(`fail: ${why}`),
})
const settled = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await Bun.sleep(1)
}

test('a thousand requests, one never reading: one fetch, everyone gets all of it as it comes', async () => {
  const cold = await origin([head('Transfer-Encoding: chunked\r\n'), '3\r\nabc\r\n', 40, '3\r\ndef\r\n0\r\n\r\n'])
  const fetches = fetchesWith()
  const start = over(cold)
  const joined = await Promise.all(Array.from({ length: 1_000 }, () => fetches.join('a', start, never())))
  expect(joined.map((each) => each.ok && each.role).filter((role) => role === 'first').length).toBe(1)
  const texts = await Promise.all(joined.slice(1).map(bodyOf))
  expect(new Set(texts)).toEqual(new Set(['abcdef']))
  expect(cold.received.length).toBe(1)
  const [idle] = joined
  if (idle?.ok) cancelContent(idle.body)
  expect(fetches.stats()).toEqual({ fetches: 0, readers: 0, bufferedBytes: 0 })
})

test('the first piece reaches the readers before the last one is there', async () => {
  const hand = byHand()
  const fetches = fetchesWith()
  const joined = await fetches.join('a', landing({ body: hand.body }), never())
  const reader = joined.ok ? readerOf(joined.body) : null
  hand.give(new Uint8Array([1]))
  expect((await reader?.read())?.value).toEqual(new Uint8Array([1]))
  hand.end()
  expect((await reader?.read())?.done).toBe(true)
})

const FAILURES: readonly [name: string, steps: readonly Step[], expected: string][] = [
  ['before the head: closed', ['end'], 'origin-unreachable'],
  ['before the head: not HTTP', ['junk\r\n\r\n'], 'origin-invalid'],
  ['in the body: truncated', [head('Content-Length: 9\r\n'), 'abc', 20, 'end'], 'cut: origin-unreachable'],
  ['in the body: reset', [head('Content-Length: 9\r\n'), 'abc', 20, 'reset'], 'cut: origin-unreachable'],
  ['in the body: stalled', [head('Content-Length: 9\r\n'), 'abc'], 'cut: origin-timeout'],
]
for (const [name, steps, expected] of FAILURES)
  test(`a failure is everyone’s, and nothing is stored: ${name}`, async () => {
    const failing = await origin(steps)
    const seen: string[] = []
    const fetches = fetchesWith()
    const start = over(failing, { store: recordingStore(seen) })
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcomeOf(fetches.join('a', start, never()))))
    expect(new Set(outcomes)).toEqual(new Set([expected]))
    expect(failing.received.length).toBe(1)
    expect(seen).not.toContain('end')
    expect(fetches.stats()).toEqual({ fetches: 0, readers: 0, bufferedBytes: 0 })
  })

test('what may not be shared is for its owner alone; everyone else fetches for himself, and nobody queues behind it again', async () => {
  let starts = 0
  const start: StartFetch<number> = async () => {
    starts += 1
    const hand = byHand()
    hand.give(new Uint8Array([starts]))
    hand.end()
    return { ok: true, head: starts, body: hand.body, share: false, store: null, reread: null }
  }
  const fetches = fetchesWith()
  const joined = await Promise.all(Array.from({ length: 20 }, () => fetches.join('a', start, never())))
  const bytes = await Promise.all(joined.map(async (each) => each.ok && (await bytesOf(each.body))[0]))
  expect(new Set(bytes).size).toBe(20)
  expect(joined.map((each) => each.ok && each.role).slice(0, 3)).toEqual(['first', 'alone', 'alone'])
  const next = await fetches.join('a', start, never())
  expect(next.ok && next.role).toBe('alone')
})

test('what is of one request alone: the others share the next fetch, and the key is waited for again', async () => {
  const shares: (boolean | 'not-this-time')[] = ['not-this-time', true, true]
  let starts = 0
  const start: StartFetch<number> = async () => {
    const share = shares[starts++] ?? true
    return { ok: true, head: starts, body: new Uint8Array([starts]), share, store: null, reread: null }
  }
  const fetches = fetchesWith()
  const heads = async (count: number): Promise<(number | false)[]> =>
    (await Promise.all(Array.from({ length: count }, () => fetches.join('a', start, never())))).map(
      (each) => each.ok && each.head,
    )
  expect(await heads(4)).toEqual([1, 2, 2, 2])
  expect(await heads(3)).toEqual([3, 3, 3])
  // What came for one alone does not make others go alone.
  const alone: StartFetch<number> = async () => ({
    ok: true,
    head: 9,
    body: null,
    share: false,
    store: null,
    reread: null,
  })
  expect(await fetches.fetchAlone('a', alone, never())).toMatchObject({ head: 9, role: 'alone' })
  expect(await heads(3)).toEqual([4, 4, 4])
})

test('what may not be shared is given to nobody when its owner has left', async () => {
  const heads = [Promise.withResolvers<Fetched<number>>(), Promise.withResolvers<Fetched<number>>()]
  const hand = byHand()
  const fetches = fetchesWith()
  const leaving = new AbortController()
  const owner = fetches.join('a', () => heads[0]?.promise ?? Promise.reject(), leaving.signal)
  const other = fetches.join('a', () => heads[1]?.promise ?? Promise.reject(), never())
  leaving.abort()
  expect(await owner).toMatchObject({ code: 'cancelled' })
  heads[0]?.resolve({ ok: true, head: 1, body: hand.body, share: false, store: null, reread: null })
  heads[1]?.resolve({ ok: true, head: 2, body: null, share: false, store: null, reread: null })
  expect(await other).toMatchObject({ ok: true, head: 2, role: 'alone' })
  await settled(hand.wasCancelled)
})

test('the fetch goes on when the first leaves, and ends when the last does', async () => {
  const hand = byHand()
  const fetches = fetchesWith()
  const leaving = [new AbortController(), new AbortController()] as const
  const joining = leaving.map(({ signal }) => fetches.join('a', landing({ body: hand.body }), signal))
  const joined = await Promise.all(joining)
  leaving[0].abort()
  expect([hand.wasCancelled(), fetches.stats().readers]).toEqual([false, 1])
  const second = joined[1]
  if (second?.ok) cancelContent(second.body)
  await settled(hand.wasCancelled)
  expect(fetches.stats().fetches).toBe(0)
})

test('the cache alone keeps a fetch going, at the origin’s pace', async () => {
  const hand = byHand()
  const seen: string[] = []
  const fetches = fetchesWith()
  const leaving = new AbortController()
  await fetches.join('a', landing({ body: hand.body, store: recordingStore(seen) }), leaving.signal)
  leaving.abort()
  hand.give(new Uint8Array(3))
  hand.give(new Uint8Array(4))
  hand.end()
  await settled(() => seen.includes('end'))
  expect(seen).toEqual(['3', '4', 'end'])
})

const pieces = (total: number): readonly Uint8Array[] =>
  Array.from({ length: total }, (_, n) => new Uint8Array(1_000).fill(n))
const allOf = (hand: ReturnType<typeof byHand>, body: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  for (const piece of body) hand.give(piece)
  hand.end()
  return new Uint8Array(Buffer.concat(body))
}

test('one who falls behind goes on from elsewhere, and the fast one has it all without waiting', async () => {
  const hand = byHand()
  const whole = allOf(hand, pieces(40))
  const reread: Reread = {
    canServe: () => true,
    canBegin: () => true,
    open: (fromByte) => new Blob([Buffer.from(whole.subarray(fromByte))]).stream(),
  }
  const fetches = fetchesWith({ edgeFetchWindowBytes: 5_000, edgeFetchPoolBytes: 5_000 })
  const join = () => fetches.join('a', landing({ body: hand.body, reread }), never())
  const [slow, fast] = await Promise.all([join(), join()])
  const slowReader = slow.ok ? readerOf(slow.body) : null
  const first = await slowReader?.read()
  expect(fast.ok && (await bytesOf(fast.body))).toEqual(whole)
  expect(fetches.stats().bufferedBytes).toBeLessThanOrEqual(5_000)
  const rest: number[] = [...(first?.value ?? [])]
  for (let part = await slowReader?.read(); part && !part.done; part = await slowReader?.read())
    rest.push(...part.value)
  expect(new Uint8Array(rest)).toEqual(whole)
  expect(fetches.stats()).toEqual({ fetches: 0, readers: 0, bufferedBytes: 0 })
})

test('what can be had nowhere else is not lost for the slow: the fast wait, and nobody is cut', async () => {
  const hand = byHand()
  const whole = allOf(hand, pieces(40))
  const seen: string[] = []
  const store = recordingStore(seen)
  const fetches = fetchesWith({ edgeFetchWindowBytes: 5_000, edgeFetchPoolBytes: 5_000 })
  const join = () => fetches.join('a', landing({ body: hand.body, store }), never())
  const [slow, fast] = await Promise.all([join(), join()])
  const fastReader = fast.ok ? readerOf(fast.body) : null
  const slowReader = slow.ok ? readerOf(slow.body) : null
  let ahead = 0
  const reading = (async () => {
    for (let part = await fastReader?.read(); part && !part.done; part = await fastReader?.read()) ahead += 1
  })()
  const got: Uint8Array<ArrayBufferLike>[] = []
  for (let part = await slowReader?.read(); part && !part.done; part = await slowReader?.read()) {
    got.push(part.value)
    expect(ahead - got.length).toBeLessThanOrEqual(4)
    expect(fetches.stats().bufferedBytes).toBeLessThanOrEqual(5_000)
    await Bun.sleep(0)
  }
  await reading
  expect([ahead, new Uint8Array(Buffer.concat(got)), seen.at(-1)]).toEqual([40, whole, 'end'])
})

test('the cache alone does not read far ahead of who reads', async () => {
  const hand = byHand()
  const whole = allOf(hand, pieces(40))
  const seen: string[] = []
  const store = recordingStore(seen)
  const fetches = fetchesWith({ edgeFetchWindowBytes: 5_000, edgeFetchPoolBytes: 5_000 })
  const joined = await fetches.join('a', landing({ body: hand.body, store, reread: NOWHERE }), never())
  const reader = joined.ok ? readerOf(joined.body) : null
  const got: Uint8Array<ArrayBufferLike>[] = []
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    got.push(part.value)
    await Bun.sleep(1)
    expect(seen.length - got.length).toBeLessThanOrEqual(5)
  }
  expect(new Uint8Array(Buffer.concat(got))).toEqual(whole)
  // Where nobody reads, it goes on by itself.
  const second = byHand()
  const left = new AbortController()
  await fetches.join('b', landing({ body: second.body, store, reread: NOWHERE }), left.signal)
  allOf(second, pieces(40))
  await settled(() => seen.length > 41)
  left.abort()
  await settled(() => seen.filter((each) => each === 'end').length === 2)
})
const NOWHERE: Reread = { canServe: () => false, canBegin: () => false, open: () => new ReadableStream() }

test('a fetch under way can be followed from the middle, also from what has not come; who falls behind is told by the end', async () => {
  const hand = byHand()
  const fetches = fetchesWith({ edgeFetchWindowBytes: 5_000, edgeFetchPoolBytes: 5_000 })
  const reread: Reread = { canServe: () => true, canBegin: () => true, open: () => new ReadableStream() }
  const joined = await fetches.join('a', landing({ body: hand.body, reread }), never())
  const follow = (fromByte: number, aheadMax = 100_000) =>
    fetches.follow('a', { fromByte, aheadMax, signal: never(), isMeant: (head) => head === 200 })
  expect([
    follow(2_000, 1_000),
    fetches.follow('b', { fromByte: 0, aheadMax: 0, signal: never(), isMeant: () => true }),
  ]).toEqual([null, null])
  const [ahead, behind] = [follow(8_500), follow(500)]
  const whole = allOf(hand, pieces(10))
  expect(joined.ok && (await bytesOf(joined.body))).toEqual(whole)
  expect(await bytesOf(ahead)).toEqual(whole.subarray(8_500))
  const part = await bytesOf(behind)
  expect(part).toEqual(whole.subarray(500, 500 + part.byteLength))
  expect(fetches.stats()).toEqual({ fetches: 0, readers: 0, bufferedBytes: 0 })
})

test('a reader alone that does not read holds the origin back', async () => {
  let pulled = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1_000))
      },
    },
    { highWaterMark: 0 },
  )
  const joined = await fetchesWith().join('a', landing({ body }), never())
  const reader = joined.ok ? readerOf(joined.body) : null
  await reader?.read()
  await Bun.sleep(5)
  expect(pulled).toBe(1)
})

test('all windows together stay under their bound', async () => {
  const fetches = fetchesWith({ edgeFetchWindowBytes: 50_000, edgeFetchPoolBytes: 100_000 })
  const hands = Array.from({ length: 20 }, byHand)
  const seen: string[] = []
  const left = new AbortController()
  await Promise.all(
    hands.map(({ body }, at) => fetches.join(`${at}`, landing({ body, store: recordingStore(seen) }), left.signal)),
  )
  left.abort()
  for (let n = 0; n < 30; n += 1) for (const hand of hands) hand.give(new Uint8Array(2_000))
  let largest = 0
  await settled(() => {
    largest = Math.max(largest, fetches.stats().bufferedBytes)
    return seen.length === 600
  })
  expect(largest).toBeGreaterThan(50_000)
  expect(largest).toBeLessThanOrEqual(100_000)
})

test('who comes later joins while the beginning is kept, and fetches for himself after', async () => {
  const hand = byHand()
  const fetches = fetchesWith({ edgeFetchWindowBytes: 3_000 })
  const first = await fetches.join('a', landing({ body: hand.body }), never())
  const reader = first.ok ? readerOf(first.body) : null
  hand.give(new Uint8Array(2_000))
  await reader?.read()
  const second = await fetches.join('a', landing({}), never())
  expect(second.ok && second.role).toBe('collapsed')
  if (second.ok) cancelContent(second.body)
  hand.give(new Uint8Array(2_000))
  await reader?.read()
  const third = await fetches.join('a', landing({}), never())
  expect(third.ok && third.role).toBe('alone')
})

test('purged in flight: served to those who wait, joined and stored by nobody', async () => {
  const hands = [byHand(), byHand()] as const
  const seen: string[] = []
  const fetches = fetchesWith()
  const pending = Promise.withResolvers<Fetched<number>>()
  const before = fetches.join('a', () => pending.promise, never())
  const streaming = await fetches.join('b', landing({ body: hands[1].body, store: recordingStore(seen) }), never())
  fetches.detach(() => true)
  const after = await fetches.join('a', landing({ head: 2 }), never())
  expect(after).toMatchObject({ head: 2, role: 'first' })
  pending.resolve({ ok: true, head: 1, body: hands[0].body, share: true, store: recordingStore(seen), reread: null })
  for (const hand of hands) {
    hand.give(new TextEncoder().encode('x'))
    hand.end()
  }
  expect([await outcomeOf(before), await bodyOf(streaming)]).toEqual(['x', 'x'])
  expect(seen.every((each) => each.startsWith('fail: purged'))).toBe(true)
})

test('withdrawn: cut before the head, in the body, and after the body came whole', async () => {
  const fetches = fetchesWith()
  const waiting = outcomeOf(fetches.join('a', () => new Promise(() => {}), never()))
  const hand = byHand()
  const streaming = outcomeOf(fetches.join('b', landing({ body: hand.body }), never()))
  const whole = byHand()
  whole.give(new Uint8Array(1))
  whole.end()
  const store = recordingStore([])
  const kept = await fetches.join('c', landing({ body: whole.body, store }), never())
  await Bun.sleep(1)
  fetches.abort(() => true, { code: 'title-withdrawn', why: 'gone' })
  expect([await waiting, await streaming, await outcomeOf(Promise.resolve(kept))]).toEqual([
    'title-withdrawn',
    'cut: title-withdrawn',
    'cut: title-withdrawn',
  ])
})

test('a response that does not fit one who waits, or one who comes later, is not given to him', async () => {
  const pending = Promise.withResolvers<Fetched<number>>()
  const hand = byHand()
  const fetches = fetchesWith()
  const odd = (head: number): boolean => head % 2 === 1
  const first = fetches.join('a', () => pending.promise, never(), odd)
  const same = fetches.join('a', landing({ head: 3 }), never(), odd)
  const other = fetches.join('a', landing({ head: 2 }), never(), (head) => !odd(head))
  pending.resolve({ ok: true, head: 1, body: hand.body, share: true, store: null, reread: null })
  expect(await Promise.all([first, same, other])).toMatchObject([
    { head: 1, role: 'first' },
    { head: 1, role: 'collapsed' },
    { head: 2, role: 'alone' },
  ])
  const later = await fetches.join('a', landing({ head: 4 }), never(), (head) => !odd(head))
  expect(later).toMatchObject({ head: 4, role: 'alone' })
  expect(fetches.stats()).toMatchObject({ fetches: 1, readers: 2 })
})

test('fetches are bounded, and a bug in a start is thrown to everyone', async () => {
  const fetches = fetchesWith({ edgeFetchesMax: 1 })
  const leaving = new AbortController()
  const first = fetches.join('a', () => new Promise(() => {}), leaving.signal)
  expect(await fetches.join('b', landing({}), never())).toMatchObject({ ok: false, code: 'overloaded' })
  leaving.abort()
  await first
  const buggy = () => fetches.join('c', () => Promise.reject(new Error('a bug')), never())
  const told = (joining: Promise<unknown>): Promise<string> =>
    joining.then(
      () => 'joined',
      (error: Error) => error.message,
    )
  expect(await Promise.all([told(buggy()), told(buggy())])).toEqual(['a bug', 'a bug'])
})

test('a body that came whole is stored before anyone is told, and is the same bytes for all who waited', async () => {
  const bytes = new Uint8Array([1, 2, 3])
  const seen: string[] = []
  const fetches = fetchesWith()
  const start = landing({ body: bytes, store: recordingStore(seen) })
  const joined = await Promise.all(
    Array.from({ length: 3 }, () => fetches.join('a', start, never()).then((each) => [each, [...seen]] as const)),
  )
  for (const [each, seenThen] of joined) {
    expect(each.ok && each.body).toBe(bytes)
    expect(seenThen).toEqual(['3', 'end'])
  }
  expect(fetches.stats()).toEqual({ fetches: 0, readers: 0, bufferedBytes: 0 })
})

test('a body that came whole and is not wanted by the store is given to its reader, and not stored as complete', async () => {
  const seen: string[] = []
  const refusing: ChunkStore = { ...recordingStore(seen), append: () => false }
  const joined = await fetchesWith().join('a', landing({ body: new Uint8Array(2), store: refusing }), never())
  expect([joined.ok && joined.body, seen]).toEqual([new Uint8Array(2), []])
})
