import { afterEach, beforeEach, expect, test } from 'bun:test'
import { z } from 'zod'
import type { LogAppend, LogPort } from '../../engines/log/index.ts'
import { Fault } from '../../kernel/index.ts'
import { CLAIM_HEADER, toClaimHeader, toRef } from '../claims/claim.ts'
import { until } from '../testing.ts'
import { decodeText, opaque } from './decode.ts'
import { definePipe, type EnrichContext } from './define-pipe.ts'
import { REDRIVE_HEADER, toRedriveHeader } from './derive-id.ts'
import type { PipeEvent } from './ports.ts'
import {
  IMAGE_ADDED,
  openPipeBench,
  type PipeBench,
  PRICE_CHANGED,
  pricePipe,
  publishTo,
  RAW_TOPIC,
  testRegistry,
  toPrice,
} from './testing.ts'

let bench: PipeBench
beforeEach(async () => {
  bench = await openPipeBench()
})
afterEach(() => bench.close())

const append = (...records: readonly LogAppend[]): Promise<readonly number[]> => bench.log.append(RAW_TOPIC, records)
const numbers = (events: readonly PipeEvent[]): number[] => events.map(({ data }) => (data as { n: number }).n)

/** One kind of bad record: its bytes and what is to be said of it. */
const BAD = [
  { value: Buffer.from('{"n": 1, "items'), code: 'decode-failed', path: null, says: 'JSON' },
  { value: Buffer.from([0xff, 0xfe]), code: 'decode-failed', path: null, says: '' },
  {
    value: toPrice(1, 'dear' as unknown as number),
    code: 'schema-refused',
    path: '/items/0/price',
    says: '/items/0/price',
  },
  { value: Buffer.from('[]'), code: 'schema-refused', path: '', says: '(the whole)' },
  { value: toPrice(-1), code: 'transform-failed', path: null, says: 'a price list without a number' },
  { value: toPrice(1, 1e6), code: 'event-invalid', path: '/data/items/0/cents', says: 'com.example.price.changed.v1' },
] as const

/** Each would answer later, and fail then: nobody must be left waiting, and the process must not end of it. */
const later = async (): Promise<never> => {
  throw new Error('down')
}
const WAITING: readonly (readonly [what: string, changes: object, code: string])[] = [
  ['filter', { filter: later }, 'filter-failed'],
  ['decode', { decode: later }, 'decode-failed'],
  ['transform', { transform: later }, 'transform-failed'],
  ['transform', { transform: () => [later(), later()] }, 'transform-failed'],
  ['to.type', { to: { type: later } }, 'transform-failed'],
  ['to.subject', { to: { type: PRICE_CHANGED, subject: later } }, 'transform-failed'],
  ['to.data', { to: { type: PRICE_CHANGED, data: later } }, 'transform-failed'],
  ['to.data', { to: { type: PRICE_CHANGED, data: () => ({ n: 1, items: [later()] }) } }, 'transform-failed'],
  [
    'to.payload.contentType',
    { decode: opaque, schema: z.any(), transform: () => 1, to: { type: IMAGE_ADDED, payload: { contentType: later } } },
    'transform-failed',
  ],
]
test.each(WAITING)('a promise of %s is refused', async (what, changes, code) => {
  const pipe = bench.run(pricePipe(changes))
  await append({ key: 'shop', value: toPrice(1) }, { key: 'shop', value: toPrice(2) })
  await pipe.caughtUp({ timeoutMs: 5_000 })
  const letters = [...bench.letters.values()]
  expect(letters.map((letter) => letter.code)).toEqual([code, code])
  expect(letters[0]?.reason).toContain(`${what}: expected no promise`)
  expect([await bench.published(), await bench.published('images')]).toEqual([[], []])
})

test('a type that a record asks for, and that would come back to the pipe itself, is refused', async () => {
  const type = (_: unknown, { headers }: { headers: Readonly<Record<string, string>> }): string => headers['type'] ?? ''
  const pipe = bench.run(pricePipe({ from: { topic: 'images' }, to: { type } }))
  await bench.log.append('images', [
    { key: 'shop', value: toPrice(1), headers: { type: IMAGE_ADDED } },
    { key: 'shop', value: toPrice(2), headers: { type: PRICE_CHANGED } },
  ])
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect([...bench.letters.values()]).toMatchObject([{ code: 'event-invalid', path: '/type' }])
  expect(numbers(await bench.published())).toEqual([2])
})

test('a thousand records: the good ones once and in order per key, the bad ones in quarantine with all about them', async () => {
  const records = Array.from({ length: 1_000 }, (_, n): LogAppend => {
    const bad = n % 13 === 5 ? BAD[n % BAD.length] : undefined
    return { key: `shop-${n % 50}`, value: bad?.value ?? toPrice(n), headers: { origin: `feed-${n}` } }
  })
  const pipe = bench.run(pricePipe())
  for (let at = 0; at < records.length; at += 100) await append(...records.slice(at, at + 100))
  await pipe.caughtUp({ timeoutMs: 5_000 })

  const isBad = (n: number): boolean => n % 13 === 5
  const events = await bench.published()
  const good = records.flatMap((_, n) => (isBad(n) ? [] : [n]))
  expect(numbers(events).toSorted((a, b) => a - b)).toEqual(good)
  expect(new Set(events.map(({ id }) => id)).size).toBe(good.length)
  for (let shop = 0; shop < 50; shop++) {
    const own = numbers(events.filter(({ subject }) => subject === `shop-${shop}`))
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
  for (const event of events)
    expect(event).toMatchObject({ source: 'pipe-prices', causedby: `${RAW_TOPIC}:0:${numbers([event])[0]}` })

  const letters = [...bench.letters.values()]
  expect(letters.length).toBe(1_000 - good.length)
  for (const letter of letters) {
    const n = letter.position.offset
    const bad = BAD[n % BAD.length]
    expect(letter).toMatchObject({
      kind: 'pipe',
      name: 'prices',
      code: bad?.code,
      path: bad?.path,
      key: `shop-${n % 50}`,
    })
    expect(letter).toMatchObject({ headers: { origin: `feed-${n}` }, payload: records[n]?.value, attempts: 1 })
    expect(letter.reason).toContain(bad?.says ?? '?')
  }
  expect(pipe.view()).toMatchObject({
    accepted: good.length,
    quarantined: letters.length,
    filtered: 0,
    lagRecords: 0,
    lastError: expect.stringMatching(/^[a-z-]+: /),
  })
})

test('a filter looks at key and headers; what it leaves out is never decoded', async () => {
  const pipe = bench.run(pricePipe({ filter: ({ headers }) => headers['kind'] === 'price' }))
  await append({ key: 'a', value: Buffer.from('no JSON') }, { key: 'a', value: toPrice(1), headers: { kind: 'price' } })
  await pipe.caughtUp()
  expect(numbers(await bench.published())).toEqual([1])
  expect(pipe.view()).toMatchObject({ filtered: 1, accepted: 1, quarantined: 0 })
})

test('one record becomes several events, none, or all of none when one of them is refused', async () => {
  const split = (input: unknown): unknown => {
    const { n } = input as { n: number }
    const made = (cents: number): unknown => ({ n, items: [{ cents }] })
    return n === 0 ? null : n === 1 ? [made(1), made(2), made(3)] : [made(1), made(1e9)]
  }
  const pipe = bench.run(pricePipe({ transform: split }))
  await append(...[0, 1, 2].map((n) => ({ key: 'a', value: toPrice(n) })))
  await pipe.caughtUp()
  const events = await bench.published()
  expect(numbers(events)).toEqual([1, 1, 1])
  expect(new Set(events.map(({ id }) => id)).size).toBe(3)
  expect([...bench.letters.values()].map(({ position, path }) => [position.offset, path])).toEqual([
    [2, '/data/items/0/cents'],
  ])
})

test('more events than one record may make are a refusal, not a flood', async () => {
  const pipe = bench.run(pricePipe({ transform: () => Array.from({ length: 4 }, () => ({ n: 1, items: [] })) }), {
    limits: { hubPipeEventsPerRecordMax: 3 },
  })
  await append({ key: 'a', value: toPrice(1) })
  await pipe.caughtUp()
  expect([...bench.letters.values()][0]?.reason).toContain('hubPipeEventsPerRecordMax')
  expect(await bench.published()).toEqual([])
})

test('records that make many events do not pile them up: no more is made while they wait to be published', async () => {
  let made = 0
  let open = false
  const gate = Promise.withResolvers<void>()
  const published: number[] = []
  const many = (input: unknown): unknown => {
    made += 10
    return Array.from({ length: 10 }, () => input)
  }
  const publishEvents = async (events: readonly PipeEvent[]): Promise<void> => {
    if (!open) await gate.promise
    published.push(...numbers(events))
    expect(events.length).toBeLessThanOrEqual(20)
  }
  const pipe = bench.run(pricePipe({ transform: many, schema: z.unknown(), concurrency: 1 }), {
    publishEvents,
    registry: { ...testRegistry, check: (_, data) => ({ ok: true, data }) },
    limits: { hubPipeEventsPerRecordMax: 20, hubPipeEventsMax: 50 },
  })
  await append(...Array.from({ length: 100 }, (_, n) => ({ key: `${n % 7}`, value: toPrice(n) })))
  await until('as many events as may wait', () => made === 50)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(made).toBe(50)
  open = true
  gate.resolve()
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect(published.length).toBe(1_000)
})

test('what the log delivers again while it is on its way is not worked on twice', async () => {
  const log: LogPort = {
    ...bench.log,
    subscribe: (options) =>
      bench.log.subscribe({
        ...options,
        async onRecords(records) {
          await options.onRecords(records)
          await options.onRecords(records.slice(records.length >> 1))
        },
      }),
  }
  const pipe = bench.run(pricePipe(), { log })
  for (let batch = 0; batch < 5; batch++)
    await append(...Array.from({ length: 20 }, (_, n) => ({ key: `${n % 3}`, value: toPrice(batch * 20 + n) })))
  await pipe.caughtUp()
  expect((await bench.published()).length).toBe(100)
})

test('a slow key holds up neither other keys nor their order; the position waits for it', async () => {
  const slow = Promise.withResolvers<void>()
  const pipe = bench.run(
    pricePipe({
      concurrency: 4,
      enrich: async (out, { record }) => {
        if (record.key === 'slow') await slow.promise
        return out
      },
    }),
  )
  const keys = ['slow', 'a', 'b', 'c', 'slow', 'a']
  for (let batch = 0; batch < 20; batch++)
    await append(...keys.map((key, at) => ({ key, value: toPrice(batch * keys.length + at) })))
  const fast = async (): Promise<PipeEvent[]> => (await bench.published()).filter(({ subject }) => subject !== 'slow')
  await until('all of the fast keys', async () => (await fast()).length === 80)
  expect((await bench.published()).length).toBe(80)
  expect(pipe.view().lagRecords).toBe(120)
  slow.resolve()
  await pipe.caughtUp({ timeoutMs: 5_000 })
  for (const key of new Set(keys)) {
    const own = numbers((await bench.published()).filter(({ subject }) => subject === key))
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
  expect(await bench.published()).toHaveLength(120)
  expect(pipe.view().lagRecords).toBe(0)
})

test('no more is taken from the log than the bounds allow while a key hangs', async () => {
  const stuck = Promise.withResolvers<void>()
  let seen = 0
  const enrich = async (out: unknown): Promise<unknown> => {
    seen += 1
    await stuck.promise
    return out
  }
  const pipe = bench.run(pricePipe({ enrich, concurrency: 64 }), { limits: { hubPipeRecordsMax: 10 } })
  await append(...Array.from({ length: 50 }, (_, n) => ({ key: `${n}`, value: toPrice(n) })))
  await until('the window to fill', () => seen === 10)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(seen).toBe(10)
  stuck.resolve()
  await pipe.caughtUp()
  expect(await bench.published()).toHaveLength(50)
})

test('an enrichment is tried again, then the record is refused; one that hangs is cut', async () => {
  const attempts = new Map<string, number[]>()
  const enrich = async (out: unknown, { record, attempt, signal }: EnrichContext): Promise<unknown> => {
    attempts.set(record.key, [...(attempts.get(record.key) ?? []), attempt])
    if (record.key === 'broken') throw new Error('the directory is down')
    if (record.key === 'hanging')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (record.key === 'deaf') await new Promise(() => {})
    if (record.key === 'shaky' && attempt < 3) throw new Error('once more')
    return out
  }
  const pipe = bench.run(pricePipe({ enrich }), { limits: { hubPipeEnrichTimeoutMs: 20 } })
  const keys = ['broken', 'hanging', 'deaf', 'shaky', 'good']
  await append(...keys.map((key, n) => ({ key, value: toPrice(n) })))
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect(numbers(await bench.published()).toSorted((a, b) => a - b)).toEqual([3, 4])
  for (const key of ['broken', 'hanging', 'deaf', 'shaky']) expect(attempts.get(key)).toEqual([1, 2, 3])
  const letters = [...bench.letters.values()].map(({ key, code, attempts: tried, reason }) => ({
    key,
    code,
    tried,
    reason,
  }))
  expect(letters.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
    { key: 'broken', code: 'enrich-failed', tried: 3, reason: 'the directory is down' },
    ...['deaf', 'hanging'].map((key) => ({
      key,
      code: 'enrich-failed',
      tried: 3,
      reason: expect.stringContaining('20 ms'),
    })),
  ])
})

test('engines that are away are no fault of the record: it waits, and nothing is in quarantine', async () => {
  let failures = 0
  const troubled = ['log-unavailable', 'hub-busy', 'timeout', 'tables-unavailable']
  const publishEvents = async (events: readonly PipeEvent[]): Promise<void> => {
    const code = troubled[failures++]
    if (code) throw new Fault(code, `${code} for a while`, { detail: { retryAfterMs: 2 } })
    await publishTo(bench.log)(events)
  }
  let letterFailures = 0
  const addDeadLetters = async (letters: readonly { id: string }[]): Promise<void> => {
    if (letterFailures++ < 3) throw new Fault('record-too-large', 'even what looks final is tried again here')
    for (const letter of letters) seen.push(letter.id)
  }
  const seen: string[] = []
  const pipe = bench.run(pricePipe(), { publishEvents, addDeadLetters })
  await append(...[1, 2, -1].map((n) => ({ key: 'a', value: toPrice(n) })))
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect(numbers(await bench.published())).toEqual([1, 2])
  expect(seen).toHaveLength(1)
  expect(pipe.view()).toMatchObject({ accepted: 2, quarantined: 1 })
})

test('events that the producer refuses are found among a batch; the others are published, in order', async () => {
  const publishEvents = async (events: readonly PipeEvent[]): Promise<void> => {
    const at = events.findIndex(({ data }) => [7, 40].includes((data as { n: number }).n))
    if (at >= 0)
      throw new Fault('event-invalid', 'refused', {
        detail: { errors: [{ index: at, path: 'subject', detail: 'too long' }] },
      })
    await publishTo(bench.log)(events)
  }
  const pipe = bench.run(pricePipe({ batchMax: 16 }), { publishEvents })
  await append(...Array.from({ length: 50 }, (_, n) => ({ key: 'a', value: toPrice(n) })))
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect(numbers(await bench.published())).toEqual(
    Array.from({ length: 50 }, (_, n) => n).filter((n) => n !== 7 && n !== 40),
  )
  expect([...bench.letters.values()].map(({ position, code, path }) => [position.offset, code, path])).toEqual([
    [7, 'event-invalid', '/subject'],
    [40, 'event-invalid', '/subject'],
  ])
})

test('data that no JSON can be made of is refused, not tried for ever', async () => {
  const registry = { ...testRegistry, check: (_: string, data: unknown) => ({ ok: true as const, data }) }
  const pipe = bench.run(pricePipe({ transform: (input) => ((input as { n: number }).n === 1 ? { n: 1n } : input) }), {
    registry,
  })
  await append(...[0, 1, 2].map((n) => ({ key: 'a', value: toPrice(n) })))
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect(numbers(await bench.published())).toEqual([0, 2])
  expect([...bench.letters.values()].map(({ code }) => code)).toEqual(['event-invalid'])
})

test('a batch never has more records than batchMax, nor more bytes than a batch of the log', async () => {
  const sizes: number[] = []
  const publishEvents = async (events: readonly PipeEvent[]): Promise<void> => {
    sizes.push(events.length)
    await publishTo(bench.log)(events)
  }
  await append(...Array.from({ length: 95 }, (_, n) => ({ key: `${n % 3}`, value: toPrice(n) })))
  const pipe = bench.run(pricePipe({ batchMax: 10 }), { publishEvents })
  await pipe.caughtUp()
  expect(Math.max(...sizes)).toBe(10)
  expect(await bench.published()).toHaveLength(95)
  await pipe.close()

  sizes.length = 0
  const bytes = toPrice(1).byteLength
  await append(...Array.from({ length: 9 }, () => ({ key: 'a', value: toPrice(1) })))
  const byBytes = bench.run(pricePipe(), { publishEvents, limits: { logBatchBytesMax: bytes * 4 } })
  await byBytes.caughtUp()
  expect(sizes).toEqual([4, 4, 1])
})

const CLAIM = { ref: toRef('0123456789abcdef', 0), size: 500_000, digest: `sha-256=${'0'.repeat(64)}` }

test('a large record is loaded by its claim; one whose payload is gone or damaged is refused', async () => {
  const large = { ...CLAIM, ref: toRef('1123456789abcdef', 0) }
  bench.objects.set(large.ref, toPrice(5))
  const pipe = bench.run(pricePipe())
  const headers = [toClaimHeader(CLAIM), toClaimHeader(large), 'nonsense'].map((text) => ({ [CLAIM_HEADER]: text }))
  await append(...headers.map((each) => ({ key: 'a', value: new Uint8Array(), headers: each })))
  await pipe.caughtUp()
  expect(numbers(await bench.published())).toEqual([5])
  const letters = [...bench.letters.values()]
  expect(letters.map(({ code }) => code)).toEqual(['payload-missing', 'payload-missing'])
  expect(letters[0]?.payload).toEqual(CLAIM)
})

test('an opaque payload is passed on by reference and never loaded; a small one goes along as bytes', async () => {
  const published: PipeEvent[] = []
  const definition = definePipe({
    name: 'images',
    from: { topic: RAW_TOPIC },
    decode: opaque,
    schema: z.object({ headers: z.object({ type: z.string() }), sizeBytes: z.int().max(1_000_000) }),
    transform: ({ headers }) => ({ type: headers.type }),
    to: { type: IMAGE_ADDED, subject: (_, { key }) => `image-${key}`, payload: { contentType: ({ type }) => type } },
  })
  const pipe = bench.run(definition, {
    openRecord: (record) => ({
      claim: record.headers[CLAIM_HEADER] ? CLAIM : null,
      bytes: () => Promise.reject(new Error('nobody may load it')),
    }),
    publishEvents: async (events) => void published.push(...events),
  })
  const type = { type: 'image/png' }
  await append(
    { key: 'large', value: new Uint8Array(), headers: { ...type, [CLAIM_HEADER]: toClaimHeader(CLAIM) } },
    { key: 'small', value: Buffer.from('png'), headers: type },
    { key: 'bare', value: Buffer.from('png') },
  )
  await pipe.caughtUp()
  expect(published.map(({ subject, data, payload }) => ({ subject, data, payload }))).toEqual([
    { subject: 'image-large', data: undefined, payload: { body: CLAIM, contentType: 'image/png' } },
    { subject: 'image-small', data: undefined, payload: { body: Buffer.from('png'), contentType: 'image/png' } },
  ])
  expect([...bench.letters.values()].map(({ code, path }) => [code, path])).toEqual([
    ['schema-refused', '/headers/type'],
  ])
})

test('a pipe goes on where the last of its name was, and makes the same ids of what comes again', async () => {
  await append(...[1, 2].map((n) => ({ key: 'a', value: toPrice(n) })))
  const first = bench.run(pricePipe())
  await first.caughtUp()
  await first.close()
  await append({ key: 'a', value: toPrice(3) })
  const second = bench.run(pricePipe())
  await second.caughtUp()
  await second.close()
  const once = await bench.published()
  expect(numbers(once)).toEqual([1, 2, 3])
  await bench.log.commit({ group: 'pipe-prices', topic: RAW_TOPIC, partition: 0, offset: 0 })
  await bench.run(pricePipe()).caughtUp()
  const twice = await bench.published()
  expect(twice.slice(3)).toEqual(once)
})

test('a record that is put back twice from one dead letter makes one id; a letter is added once', async () => {
  const headers = { [REDRIVE_HEADER]: toRedriveHeader('prices', 'letter-1') }
  const pipe = bench.run(pricePipe())
  await append(...[1, 1, -1, -1].map((n) => ({ key: 'a', value: toPrice(n), headers })))
  await pipe.caughtUp()
  expect(new Set((await bench.published()).map(({ id }) => id)).size).toBe(1)
  expect(bench.letters.size).toBe(1)
})

test('a record that is put back is for the pipe that refused it; another of its topic has had it', async () => {
  const other = bench.run(pricePipe({ name: 'prices-too', schema: z.looseObject({ n: z.literal(1) }) }))
  const pipe = bench.run(pricePipe())
  const headers = { [REDRIVE_HEADER]: toRedriveHeader('prices', 'letter-1') }
  await append({ key: 'a', value: toPrice(1), headers })
  await Promise.all([pipe.caughtUp(), other.caughtUp()])
  expect((await bench.published()).map(({ source }) => source)).toEqual(['pipe-prices'])
  expect(other.view()).toMatchObject({ accepted: 0, filtered: 1, quarantined: 0 })
})

test('closing does not wait for an enrichment that hangs, and its record comes again', async () => {
  const entered = Promise.withResolvers<void>()
  const hanging = bench.run(
    pricePipe({
      enrich: () => {
        entered.resolve()
        return new Promise(() => {})
      },
    }),
  )
  await append({ key: 'a', value: toPrice(1) })
  await entered.promise
  await hanging.close()
  expect(bench.letters.size).toBe(0)
  await bench.run(pricePipe()).caughtUp()
  expect(numbers(await bench.published())).toEqual([1])
})

test('two of one name: one works, the other takes over when it goes', async () => {
  const first = bench.run(pricePipe())
  const second = bench.run(pricePipe())
  await append(...[1, 2, 3].map((n) => ({ key: 'a', value: toPrice(n) })))
  await first.caughtUp()
  expect(second.view().accepted).toBe(0)
  await first.close()
  await append({ key: 'a', value: toPrice(4) })
  await second.caughtUp()
  expect(numbers(await bench.published())).toEqual([1, 2, 3, 4])
})

test('text is decoded as UTF-8, strictly', () => {
  expect(decodeText(Buffer.from('né'), { key: '', headers: {} })).toBe('né')
  expect(() => decodeText(new Uint8Array([0xe9]), { key: '', headers: {} })).toThrow()
})
