import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { faultCode } from '../../kernel/index.ts'
import type { LogAppend, LogPort, LogRecord, LogSubscription } from './port.ts'

export type OpenLog = () => Promise<{ readonly log: LogPort; readonly close: () => Promise<void> }>

/** What every adapter of the log's port promises, run against a real engine. One partition is assumed nowhere but in `only`. */
export function runLogContract(name: string, open: OpenLog): void {
  describe(`log contract: ${name}`, () => {
    let log: LogPort
    let close: () => Promise<void>
    const subscriptions: LogSubscription[] = []
    let topics = 0
    const newTopic = (): string => `contract-${++topics}`

    beforeAll(async () => {
      const opened = await open()
      log = opened.log
      close = opened.close
    })
    afterAll(async () => {
      for (const subscription of subscriptions) await subscription.close()
      await close()
    })

    const subscribe = (options: Parameters<LogPort['subscribe']>[0]): LogSubscription => {
      const subscription = log.subscribe(options)
      subscriptions.push(subscription)
      return subscription
    }
    const collect = (topic: string, options: Partial<Parameters<LogPort['subscribe']>[0]> = {}) => {
      const seen: LogRecord[] = []
      const subscription = subscribe({ topic, ...options, onRecords: (records) => void seen.push(...records) })
      return { seen, subscription }
    }

    test('an appended record comes back as it was', async () => {
      const topic = newTopic()
      const records: LogAppend[] = [
        { key: 'one', value: bytes('first'), headers: { 'content-type': 'application/json', empty: '' } },
        { key: '', value: new Uint8Array(0) },
        { key: 'schlüssel 🎬', value: bytes('x'.repeat(300_000)), headers: { näme: 'wért' } },
      ]
      const before = Date.now()
      const offsets = await log.append(topic, records)
      const read = await log.read({ topic, from: 0, max: 10 })
      expect(read.map((record) => record.offset)).toEqual([...offsets])
      for (const [index, record] of read.entries()) {
        expect(record).toMatchObject({ topic, partition: 0, key: records[index]?.key ?? null })
        expect(record.headers).toEqual(records[index]?.headers ?? {})
        expect(Buffer.from(record.value).equals(records[index]?.value ?? bytes('?'))).toBe(true)
        expect(record.appendedAtMs).toBeGreaterThanOrEqual(before - 1_000)
      }
    })

    test('the caller may use its buffer again once the append resolved', async () => {
      const topic = newTopic()
      const value = bytes('before')
      await log.append(topic, [{ key: 'k', value }])
      value.fill(0)
      expect(texts(await log.read({ topic, from: 0, max: 1 }))).toEqual(['before'])
    })

    test('bounds and reads follow the appends', async () => {
      const topic = newTopic()
      expect(only(await log.bounds(topic))).toEqual({ first: 0, end: 0 })
      expect(await log.read({ topic, from: 0, max: 10 })).toEqual([])
      await log.append(topic, numbered(0, 10))
      const { end } = only(await log.bounds(topic))
      const all = await log.read({ topic, from: 0, max: 100 })
      expect(texts(all)).toEqual(numbers(0, 10))
      expect(end).toBe((all.at(-1)?.offset ?? 0) + 1)
      expect(texts(await log.read({ topic, from: all[3]?.offset ?? 0, max: 2 }))).toEqual(['3', '4'])
      expect(await log.read({ topic, from: end, max: 10 })).toEqual([])
      expect(await log.append(topic, [])).toEqual([])
    })

    test('a trim takes nothing from where it was told on, and no offset is used again', async () => {
      const topic = newTopic()
      const offsets = await log.append(topic, numbered(0, 10))
      const { end } = only(await log.bounds(topic))
      const sixth = offsets[6] ?? 0
      for (const before of [0, sixth, sixth]) await log.trim({ topic, partition: 0, before })
      expect(only(await log.bounds(topic)).first).toBeLessThanOrEqual(sixth)
      expect(texts(await log.read({ topic, from: sixth, max: 100 }))).toEqual(numbers(6, 10))
      await log.trim({ topic, partition: 0, before: end })
      const { seen, subscription } = collect(topic, { start: { offsets: { 0: end } } })
      expect((await log.append(topic, numbered(10, 12)))[0]).toBeGreaterThanOrEqual(end)
      await subscription.caughtUp()
      expect(texts(seen)).toEqual(numbers(10, 12))
      expect(await codeOf(log.trim({ topic, partition: 0, before: end + 100 }))).toBe('trim-invalid')
    })

    test('records of a key keep the order of the calls, many callers at once', async () => {
      const topic = newTopic()
      const appends: Promise<readonly number[]>[] = []
      for (let index = 0; index < 500; index++)
        appends.push(log.append(topic, [{ key: `k${index % 7}`, value: bytes(String(index)) }]))
      const offsets = (await Promise.all(appends)).flat()
      expect(new Set(offsets).size).toBe(500)
      const { seen, subscription } = collect(topic, { start: 'beginning' })
      await subscription.caughtUp()
      expect(seen).toHaveLength(500)
      for (let key = 0; key < 7; key++) {
        const ofKey = seen.filter((record) => record.key === `k${key}`).map((record) => Number(text(record)))
        expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b))
      }
    })

    test('a subscription starts where it was told and follows what comes', async () => {
      const topic = newTopic()
      await log.append(topic, numbered(0, 4))
      const third = (await log.read({ topic, from: 0, max: 10 }))[2]?.offset ?? 0
      const begin = collect(topic, { start: 'beginning' })
      const later = collect(topic, { start: { offsets: { 0: third } } })
      const end = collect(topic, { start: 'end' })
      await Promise.all([begin, later, end].map(({ subscription }) => until(() => subscription.silentForMs() < 1_000)))
      await log.append(topic, numbered(4, 6))
      await Promise.all([begin, later, end].map(({ subscription }) => subscription.caughtUp()))
      expect(texts(begin.seen)).toEqual(numbers(0, 6))
      expect(texts(later.seen)).toEqual(numbers(2, 6))
      expect(texts(end.seen)).toEqual(numbers(4, 6))
      expect(begin.subscription.lag()).toBe(0)
      expect(begin.subscription.position()).toEqual({ next: { 0: 6 }, end: { 0: 6 } })
    })

    test('one batch at a time, in order, and a rejected one comes again', async () => {
      const topic = newTopic()
      let handling = 0
      let overlaps = 0
      let rejections = 0
      const seen: string[] = []
      const subscription = subscribe({
        topic,
        start: 'beginning',
        async onRecords(records) {
          handling += 1
          if (handling > 1) overlaps += 1
          await Bun.sleep(1)
          handling -= 1
          if (rejections < 2) {
            rejections += 1
            throw new Error('not now')
          }
          seen.push(...texts(records))
        },
      })
      for (let index = 0; index < 30; index += 3) await log.append(topic, numbered(index, index + 3))
      await subscription.caughtUp()
      expect({ seen, overlaps, rejections }).toEqual({ seen: numbers(0, 30), overlaps: 0, rejections: 2 })
    })

    test('lag counts what is not handled, and caughtUp gives up in time', async () => {
      const topic = newTopic()
      const gate = Promise.withResolvers<void>()
      const subscription = subscribe({ topic, start: 'beginning', onRecords: () => gate.promise })
      await log.append(topic, numbered(0, 5))
      await until(() => subscription.lag() === 5)
      expect(await codeOf(subscription.caughtUp({ timeoutMs: 50 }))).toBe('timeout')
      gate.resolve()
      await subscription.caughtUp()
      expect(subscription.lag()).toBe(0)
    })

    test('a group goes on at what it committed; another group sees everything', async () => {
      const topic = newTopic()
      await log.append(topic, numbered(0, 6))
      const first = collect(topic, { group: 'one' })
      await first.subscription.caughtUp()
      await log.commit({ group: 'one', topic, partition: 0, offset: first.seen[3]?.offset ?? 0 })
      await first.subscription.close()
      const second = collect(topic, { group: 'one' })
      const other = collect(topic, { group: 'other' })
      await Promise.all([second.subscription.caughtUp(), other.subscription.caughtUp()])
      expect(texts(second.seen)).toEqual(numbers(3, 6))
      expect(texts(other.seen)).toEqual(numbers(0, 6))
    })

    test('one of a group is live, the next takes over when it leaves', async () => {
      const topic = newTopic()
      const first = collect(topic, { group: 'g' })
      await until(() => first.subscription.silentForMs() < 1_000)
      const second = collect(topic, { group: 'g' })
      await log.append(topic, numbered(0, 3))
      await first.subscription.caughtUp()
      await log.commit({ group: 'g', topic, partition: 0, offset: 3 })
      // One that stands by hears how far its group has come.
      await second.subscription.caughtUp({ timeoutMs: 5_000 })
      expect({ first: texts(first.seen), second: texts(second.seen) }).toEqual({ first: numbers(0, 3), second: [] })
      await first.subscription.close()
      await log.append(topic, numbered(3, 5))
      await until(() => second.seen.length === 2)
      expect(texts(second.seen)).toEqual(numbers(3, 5))
    })

    test('nothing is delivered after close, and the batch under way is awaited', async () => {
      const topic = newTopic()
      const gate = Promise.withResolvers<void>()
      let begun = 0
      let done = 0
      const subscription = subscribe({
        topic,
        start: 'beginning',
        async onRecords() {
          begun += 1
          await gate.promise
          done += 1
        },
      })
      await log.append(topic, numbered(0, 1))
      await until(() => begun === 1)
      const closing = subscription.close()
      gate.resolve()
      await closing
      expect(done).toBe(1)
      await log.append(topic, numbered(1, 2))
      const witness = collect(topic, { start: 'beginning' })
      await witness.subscription.caughtUp()
      expect(begun).toBe(1)
    })

    test('a quiet subscription hears from its engine every second', async () => {
      const { subscription } = collect(newTopic(), { start: 'beginning' })
      await until(() => subscription.silentForMs() < 1_000)
      let longest = 0
      const end = performance.now() + 2_200
      while (performance.now() < end) {
        longest = Math.max(longest, subscription.silentForMs())
        await Bun.sleep(20)
      }
      expect(longest).toBeGreaterThan(100)
      expect(longest).toBeLessThan(1_500)
    })

    test('what is too large is refused and costs nobody else anything', async () => {
      const topic = newTopic()
      const tooLarge = log.append(topic, [{ key: 'k', value: new Uint8Array(42 * 1024 * 1024) }])
      const longKey = log.append(topic, [{ key: 'k'.repeat(70_000), value: bytes('x') }])
      const fine = log.append(topic, numbered(0, 1))
      expect(await codeOf(tooLarge)).toBe('record-too-large')
      expect(await codeOf(longKey)).toBe('record-too-large')
      expect(await fine).toHaveLength(1)
    })

    test('a record of megabytes passes through append, read and subscription', async () => {
      const topic = newTopic()
      const value = Buffer.alloc(9 * 1024 * 1024, 'tentpole')
      await log.append(topic, [{ key: 'big', value }])
      await log.append(topic, numbered(0, 2))
      const { seen, subscription } = collect(topic, { start: 'beginning' })
      await subscription.caughtUp()
      expect(seen.map((record) => record.value.byteLength)).toEqual([value.byteLength, 1, 1])
      expect(value.equals((await log.read({ topic, from: 0, max: 1 }))[0]?.value ?? bytes('?'))).toBe(true)
    })
  })
}

const bytes = (value: string): Buffer => Buffer.from(value)
const text = (record: LogRecord): string => Buffer.from(record.value).toString()
const texts = (records: readonly LogRecord[]): string[] => records.map(text)
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => String(from + at))
const numbered = (from: number, to: number): LogAppend[] =>
  numbers(from, to).map((value) => ({ key: 'k', value: bytes(value) }))
const only = (bounds: Awaited<ReturnType<LogPort['bounds']>>): { first: number; end: number } =>
  bounds[0] ?? { first: -1, end: -1 }
const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'resolved', faultCode)

async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${condition}`)
    await Bun.sleep(5)
  }
}
