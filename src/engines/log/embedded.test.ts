import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, faultCode, silentLogger } from '../../kernel/index.ts'
import { runLogContract } from './contract.ts'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './index.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'tentpole-log-'))
const temporary = (): string => {
  const directory = newDirectory()
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
const openLog = async (directory: string, options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> => {
  const log = await openEmbeddedLog({
    directory,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    trimmedTopics: [],
    ...options,
  })
  closers.push(() => log.close())
  return log
}
const value = (text: string): Buffer => Buffer.from(text)

runLogContract('embedded, in process', async () => {
  const directory = newDirectory()
  const log = await openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
  return {
    log,
    close: async () => {
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
})

test('what was appended and committed is there after reopening', async () => {
  const directory = temporary()
  const first = await openLog(directory)
  for (let index = 0; index < 20; index++) await first.append('titles', [{ key: 'k', value: value(String(index)) }])
  await first.commit({ group: 'g', topic: 'titles', partition: 0, offset: 7 })
  await first.close()
  const second = await openLog(directory)
  const records = await second.read({ topic: 'titles', from: 0, max: 100 })
  expect(records.map((record) => Buffer.from(record.value).toString())).toEqual(
    Array.from({ length: 20 }, (_, index) => String(index)),
  )
  const seen: number[] = []
  const onRecords = (batch: readonly { offset: number }[]): void => void seen.push(...batch.map(({ offset }) => offset))
  await second.subscribe({ topic: 'titles', group: 'g', onRecords }).caughtUp()
  expect(seen[0]).toBe(7)
  expect(await second.append('titles', [{ key: 'k', value: value('next') }])).toEqual([20])
  expect(second.damage()).toEqual([])
})

test('segments roll; whole topics are kept, trimmed ones lose their oldest segments', async () => {
  const directory = temporary()
  const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 10_000, logRetentionBytes: 30_000, logBatchBytesMax: 4_000 }
  const log = await openLog(directory, { limits, trimmedTopics: ['signals'] })
  const body = Buffer.alloc(1_000, 1)
  for (let index = 0; index < 100; index++)
    await Promise.all(['titles', 'signals'].map((topic) => log.append(topic, [{ key: 'k', value: body }])))
  const { 0: titles } = await log.bounds('titles')
  const { 0: signals } = await log.bounds('signals')
  expect(titles).toEqual({ first: 0, end: 100 })
  expect(signals?.end).toBe(100)
  expect(signals?.first).toBeGreaterThan(50)
  expect(signals?.first).toBeLessThan(80)
  expect(readdirSync(join(directory, 'topics', 'titles')).length).toBeGreaterThan(8)
  expect(readdirSync(join(directory, 'topics', 'signals')).length).toBeLessThan(6)
  // A reader that asks for what is gone gets what is left, and all of it.
  const seen: number[] = []
  const onRecords = (batch: readonly { offset: number }[]): void => void seen.push(...batch.map(({ offset }) => offset))
  await log.subscribe({ topic: 'signals', start: 'beginning', onRecords }).caughtUp()
  expect(seen[0]).toBe(signals?.first ?? -1)
  expect(seen).toHaveLength(100 - (signals?.first ?? 0))
  expect(log.damage()).toEqual([])
})

test('a reader far behind reads every record from disk, once and in order', async () => {
  const directory = temporary()
  const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 50_000, logBatchBytesMax: 10_000 }
  const log = await openLog(directory, { limits })
  for (let group = 0; group < 40; group++)
    await log.append(
      'titles',
      Array.from({ length: 25 }, (_, index) => ({ key: 'k', value: Buffer.alloc(200, group * 25 + index) })),
    )
  const seen: number[] = []
  const onRecords = (batch: readonly { offset: number }[]): void => void seen.push(...batch.map(({ offset }) => offset))
  await log.subscribe({ topic: 'titles', start: 'beginning', onRecords }).caughtUp()
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
})

test('one process owns a directory', async () => {
  const directory = temporary()
  const log = await openLog(directory)
  expect(await openLog(directory).catch(faultCode)).toBe('log-locked')
  await log.close()
  const again = await openLog(directory)
  expect(await again.append('titles', [{ key: 'k', value: value('x') }])).toEqual([0])
})

test('a closed log refuses, and a wrong topic or commit is named', async () => {
  const log = await openLog(temporary())
  expect(await log.append('../titles', [{ key: 'k', value: value('x') }]).catch(faultCode)).toBe('topic-invalid')
  expect(await log.commit({ group: 'g', topic: 'titles', partition: 0, offset: 5 }).catch(faultCode)).toBe(
    'commit-invalid',
  )
  await log.append('titles', [{ key: 'k', value: value('x') }])
  await log.close()
  expect(await log.append('titles', [{ key: 'k', value: value('x') }]).catch(faultCode)).toBe('log-unavailable')
})

test('the file of committed offsets stays small and right', async () => {
  const directory = temporary()
  const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 4_000 }
  const log = await openLog(directory, { limits })
  await log.append(
    'titles',
    Array.from({ length: 400 }, () => ({ key: 'k', value: value('x') })),
  )
  for (let offset = 1; offset <= 400; offset++)
    await Promise.all(
      ['a', 'b'].map((group) =>
        log.commit({ group, topic: 'titles', partition: 0, offset: group === 'a' ? offset : 3 }),
      ),
    )
  await log.close()
  expect(readdirSync(join(directory, 'groups')).length).toBeLessThanOrEqual(2)
  const again = await openLog(directory, { limits })
  const gate = Promise.withResolvers<void>()
  const starts = await Promise.all(
    ['a', 'b', 'c'].map(async (group) => {
      const subscription = again.subscribe({ topic: 'titles', group, onRecords: () => gate.promise })
      const { next } = subscription.position()
      return next[0]
    }),
  )
  expect(starts).toEqual([400, 3, 0])
  gate.resolve()
})

test('a trim deletes whole segments below the offset, for good, and never the one that is written to', async () => {
  const directory = temporary()
  const limits = { ...DEFAULT_LIMITS, logSegmentBytes: 1_000 }
  const log = await openLog(directory, { limits })
  for (let index = 0; index < 40; index++)
    await log.append('titles', [{ key: 'k', value: Buffer.alloc(200, index + 1) }])
  const files = (): number => readdirSync(join(directory, 'topics', 'titles')).length
  const before = files()
  await log.trim({ topic: 'titles', partition: 0, before: 20 })
  const { first, end } = (await log.bounds('titles'))[0] ?? { first: -1, end: -1 }
  expect({ end, fewer: files() < before, close: first > 10 && first <= 20 }).toEqual({ end, fewer: true, close: true })
  // From before the cut a reader goes on at what is left.
  expect((await log.read({ topic: 'titles', from: 0, max: 100 })).map(({ offset }) => offset)[0]).toBe(first)
  await log.trim({ topic: 'titles', partition: 0, before: end })
  expect(files()).toBe(1)
  await log.close()
  const again = await openLog(directory, { limits })
  expect(again.damage()).toEqual([])
  expect(await again.append('titles', [{ key: 'k', value: value('next') }])).toEqual([end])
})
