import { afterEach, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import fc from 'fast-check'
import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { Fault, faultCode, silentLogger } from '../../kernel/index.ts'
import { hubMigrations } from '../migrations.ts'
import { until } from '../testing.ts'
import { createArchiver } from './archiver.ts'
import { readArchivedTo, readGaps } from './book.ts'
import { listArchives } from './catalog.ts'
import { toArchiveKey } from './key.ts'
import { rollArchive } from './roll.ts'
import {
  type ArchiveBench,
  appendRecords,
  expected,
  openArchiveBench,
  plain,
  readAll,
  recordOf,
  SMALL_LIMITS,
} from './testing.ts'

let bench: ArchiveBench
beforeEach(async () => {
  bench = await openArchiveBench()
})
afterEach(() => bench.close())

const numbers = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, at) => expected(from + at))
const at = { topic: 'titles', partition: 0 }
/** The archive alone, whatever the log still has. */
const archived = async (objects: ObjectsPort = bench.objects): Promise<number[][]> =>
  (await listArchives(objects, at)).map(({ first, end }) => [first, end])

test('objects follow one another without hole or overlap, and give every record as it was', async () => {
  await appendRecords(bench.log, 'titles', 0, 300)
  await bench.archive('titles')
  const ranges = await archived()
  expect(ranges.length).toBeGreaterThan(3)
  expect(ranges[0]?.[0]).toBe(0)
  for (const [index, [first]] of ranges.slice(1).entries()) expect(first).toBe(ranges[index]?.[1] ?? -1)
  const original = await bench.log.read({ topic: 'titles', from: 0, max: 1_000 })
  await bench.log.trim({ ...at, before: 300 })
  const first = (await bench.log.bounds('titles'))[0]?.first ?? 0
  expect(first).toBeGreaterThan(200)
  const records = await readAll(bench.reader, { topic: 'titles' })
  expect(records.map(plain)).toEqual(numbers(0, 300))
  expect(records.map(({ appendedAtMs }) => appendedAtMs)).toEqual(original.map(({ appendedAtMs }) => appendedAtMs))
  expect(await readArchivedTo(bench.tables)).toEqual([{ ...at, next: 300 }])
})

test('what is neither much nor old waits', async () => {
  const limits = { ...SMALL_LIMITS, hubArchiveAgeMs: 1_000_000 }
  await appendRecords(bench.log, 'titles', 0, 300)
  const archiver = createArchiver(bench.options({ limits }))
  await until('the full objects are there', async () => ((await archived()).at(-1)?.[1] ?? 0) > 250)
  archiver.poke()
  await archiver.close()
  const end = (await archived()).at(-1)?.[1] ?? 0
  expect(end).toBeLessThan(300)
  const old = createArchiver(
    bench.options({ limits, clock: { nowMs: () => Date.now() + 2_000_000, elapsedMs: () => performance.now() } }),
  )
  await until('the rest is there', async () => (await archived()).at(-1)?.[1] === 300)
  await old.close()
})

test('the log is trimmed to what it may keep, never of what is not archived, and reads go on across the seam', async () => {
  await appendRecords(bench.log, 'titles', 0, 400)
  await bench.archive('titles', { trimmedTopics: ['titles'] })
  const { first } = (await bench.log.bounds('titles'))[0] ?? { first: 0 }
  expect(first).toBeGreaterThan(100)
  expect(first).toBeLessThan(395)
  for (const from of [0, 1, first - 1, first, first + 1, 399])
    expect((await readAll(bench.reader, { topic: 'titles', from })).map(plain)).toEqual(numbers(from, 400))
  await appendRecords(bench.log, 'titles', 400, 420)
  expect((await readAll(bench.reader, { topic: 'titles', from: 350 })).map(plain)).toEqual(numbers(350, 420))
})

test('what somebody who reads the log alone still wants stays in it', async () => {
  await appendRecords(bench.log, 'titles', 0, 400)
  await bench.archive('titles', { trimmedTopics: ['titles'], neededFrom: () => 60 })
  const { first } = (await bench.log.bounds('titles'))[0] ?? { first: 0 }
  expect(first).toBeGreaterThan(30)
  expect(first).toBeLessThanOrEqual(60)
})

test('an object that is missing among others is made anew from the log, in its place', async () => {
  await appendRecords(bench.log, 'titles', 0, 200)
  await bench.archive('titles')
  const before = await archived()
  const [first = 0, end = 0] = before[2] ?? []
  await bench.objects.delete(toArchiveKey({ ...at, first, end }))
  const tables = openSqliteTables({ path: join(bench.directory, 'fresh.sqlite'), migrations: hubMigrations })
  const archiver = createArchiver(bench.options({ tables }))
  await until('it is whole', async () => (await readArchivedTo(tables))[0]?.next === 200)
  await archiver.close()
  expect(await archived()).toEqual(before)
  expect(await readGaps(tables)).toEqual([])
  await tables.close()
})

test('readers see each record once while the archiver rolls and trims under them', async () => {
  const archiver = createArchiver(bench.options({ trimmedTopics: ['titles'] }))
  const appending = appendRecords(bench.log, 'titles', 0, 1_500)
  for (let round = 0; round < 10; round++) {
    const records = await readAll(bench.reader, { topic: 'titles' })
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index))
  }
  await appending
  await until('all is archived', async () => (await readArchivedTo(bench.tables))[0]?.next === 1_500)
  await archiver.close()
  expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, 1_500))
})

test('what the log has forgotten before it was archived is a gap that is recorded and told', async () => {
  await appendRecords(bench.log, 'titles', 0, 200)
  await bench.log.trim({ ...at, before: 150 })
  const { first } = (await bench.log.bounds('titles'))[0] ?? { first: 0 }
  expect(first).toBeGreaterThan(50)
  await bench.archive('titles')
  expect(await readGaps(bench.tables)).toMatchObject([{ ...at, from: 0, to: first }])
  const reading = readAll(bench.reader, { topic: 'titles' })
  expect(await reading.catch(({ code, detail }) => ({ code, detail }))).toMatchObject({
    code: 'archive-damaged',
    detail: { from: 0, to: first },
  })
  const losses: unknown[] = []
  const rest = await readAll(bench.reader, {
    topic: 'titles',
    skipDamaged: true,
    onLoss: ({ from, to }) => losses.push([from, to]),
  })
  expect({ offsets: rest.map(plain), losses }).toEqual({ offsets: numbers(first, 200), losses: [[0, first]] })
})

test('without its tables the archive is found again by its keys, and goes on', async () => {
  await appendRecords(bench.log, 'titles', 0, 200)
  await bench.archive('titles')
  await appendRecords(bench.log, 'titles', 200, 300)
  const tables = openSqliteTables({ path: join(bench.directory, 'fresh.sqlite'), migrations: hubMigrations })
  const archiver = createArchiver(bench.options({ tables, trimmedTopics: ['titles'] }))
  await until('it has gone on', async () => (await readArchivedTo(tables))[0]?.next === 300)
  await archiver.close()
  expect(await readGaps(tables)).toEqual([])
  expect((await bench.log.bounds('titles'))[0]?.first).toBeGreaterThan(100)
  expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, 300))
  await tables.close()
})

test('an object that a crash left damaged is made anew while the log has its records', async () => {
  await appendRecords(bench.log, 'titles', 0, 100)
  await bench.objects.put('archive/titles/0/0000000000000000-0000000000000040', Buffer.from('torn'))
  await bench.objects.put('archive/titles/0/0000000000000040-0000000000000050', Buffer.from('torn too'))
  await bench.archive('titles')
  expect((await archived()).slice(0, 2)).toEqual([
    [0, 40],
    [40, 50],
  ])
  await bench.log.trim({ ...at, before: 100 })
  expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, 100))
})

test('a damaged object is left to whoever holds the lease', async () => {
  await appendRecords(bench.log, 'titles', 0, 20)
  const survey = { from: 0, to: 20, records: 20, bytes: 1, earliestMs: 0, latestMs: 1 }
  const key = toArchiveKey({ ...at, first: 0, end: 20 })
  await bench.objects.put(key, Buffer.from('half of an'))
  const lost = rollArchive(at, survey, {
    ...bench,
    onBlock: async () => {
      throw new Fault('lease-lost', 'another archiver goes on from here')
    },
  })
  expect(await lost.then(() => 'made', faultCode)).toBe('lease-lost')
  expect(await bench.objects.list('archive/')).toEqual([key])
})

test('a topic that cannot be archived costs the others nothing', async () => {
  await appendRecords(bench.log, 'titles', 0, 100)
  await appendRecords(bench.log, 'orders', 0, 100)
  let refused = 0
  let listed = 0
  const objects: ObjectsPort = {
    ...bench.objects,
    async put(key, body) {
      if (!key.startsWith('archive/orders/')) return bench.objects.put(key, body)
      refused += 1
      throw new Fault('objects-unavailable', `object ${key} could not be stored`)
    },
    async list(prefix, options) {
      if (prefix.startsWith('archive/titles/')) listed += 1
      return bench.objects.list(prefix, options)
    },
  }
  const archiver = createArchiver(bench.options({ objects, topics: ['orders', 'titles'] }))
  await until('it has tried again and again', () => refused > 5)
  await until('the other is archived', async () => ((await archived()).at(-1)?.[1] ?? 0) === 100)
  await archiver.close()
  // Once at the start, whatever became of the other.
  expect(listed).toBe(1)
})

test('a log that is shorter than its archive is left alone', async () => {
  await appendRecords(bench.log, 'titles', 0, 20)
  await bench.objects.put('archive/titles/0/0000000000000030-0000000000000040', Buffer.from('of another log'))
  const warnings: unknown[] = []
  const logger = { ...silentLogger, warn: (_: string, fields: unknown) => void warnings.push(fields) }
  const archiver = createArchiver(bench.options({ logger }))
  await until('it says so', () => JSON.stringify(warnings).includes('the archive goes to offset'))
  await archiver.close()
  expect(await archived()).toEqual([[30, 40]])
})

type Ports = { readonly log: LogPort; readonly objects: ObjectsPort; readonly tables: TablesPort }

/** Lets `calls` calls through; the next happens or not, and is never answered, nor is any after it: a process killed there. */
function killAfter(calls: number, happens: boolean): Ports & { dead(): boolean; kill(): void } {
  let left = calls
  const pass = <Arguments extends unknown[], Result>(act: (...given: Arguments) => Promise<Result>) => {
    return async (...given: Arguments): Promise<Result> => {
      left -= 1
      if (left >= 0) return await act(...given)
      if (left === -1 && happens) await act(...given)
      return await new Promise<Result>(() => {})
    }
  }
  const { log, objects, tables } = bench
  // A dead process's open files close with it; here they must not be opened before all of the bytes are there.
  const putWhole: ObjectsPort['put'] = async (key, body) =>
    objects.put(key, new Uint8Array(await new Response(body as BodyInit).arrayBuffer())) // both kinds of body are one
  return {
    dead: () => left < 0,
    kill() {
      left = -1
    },
    log: { ...log, read: pass(log.read), trim: pass(log.trim) },
    objects: { ...objects, put: pass(putWhole), delete: pass(objects.delete), head: pass(objects.head) },
    tables: { ...tables, query: pass(tables.query), batch: pass(tables.batch) },
  }
}

test('an archiver killed at any point leaves nothing that its heir does not put right', async () => {
  const kill = fc.record({ calls: fc.nat(40), happens: fc.boolean() })
  let end = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(kill, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 120 }),
      async (kills, more) => {
        await appendRecords(bench.log, 'titles', end, end + more)
        end += more
        const isDone = async (): Promise<boolean> => (await readArchivedTo(bench.tables))[0]?.next === end
        for (const { calls, happens } of kills) {
          const victim = killAfter(calls, happens)
          createArchiver(bench.options({ ...victim, trimmedTopics: ['titles'] }))
          await until('it is dead or done', async () => victim.dead() || (await isDone()))
          victim.kill()
        }
        await bench.archive('titles', { trimmedTopics: ['titles'] })
        const ranges = await archived()
        for (const [index, [first]] of ranges.entries()) expect(first).toBe(ranges[index - 1]?.[1] ?? 0)
        expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, end))
        expect(await readGaps(bench.tables)).toEqual([])
      },
    ),
    { numRuns: 12 },
  )
}, 30_000)

test('a full disk costs nothing: the log keeps its records until there is room, and all is archived then', async () => {
  await appendRecords(bench.log, 'titles', 0, 200)
  let isFull = true
  let refusals = 0
  const put: ObjectsPort['put'] = async (key, body) => {
    if (!isFull) return bench.objects.put(key, body)
    refusals += 1
    if (body instanceof ReadableStream) await body.cancel()
    throw new Fault('objects-full', 'there is no room')
  }
  const archiver = createArchiver(bench.options({ objects: { ...bench.objects, put }, trimmedTopics: ['titles'] }))
  await until('it has tried', () => refusals > 2)
  expect(await bench.log.bounds('titles')).toEqual({ 0: { first: 0, end: 200 } })
  isFull = false
  await until('all is archived', async () => (await readArchivedTo(bench.tables))[0]?.next === 200)
  await archiver.close()
  expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, 200))
})

test('of two archivers one works at a time; when both believe to, their objects are the same', async () => {
  await appendRecords(bench.log, 'titles', 0, 100)
  const paused = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const put: ObjectsPort['put'] = async (key, body) => {
    reached.resolve()
    await paused.promise
    return bench.objects.put(key, body)
  }
  const first = createArchiver(bench.options({ objects: { ...bench.objects, put } }))
  await reached.promise
  await bench.archive('titles')
  const before = await archived()
  paused.resolve()
  await first.close()
  expect(await archived()).toEqual(before)
  expect((await readAll(bench.reader, { topic: 'titles' })).map(plain)).toEqual(numbers(0, 100))
})

test('a record of 30 MB, alone and among small ones', async () => {
  const big = { key: 'big', value: Buffer.alloc(30 * 1024 * 1024, 'tentpole ') }
  await bench.log.append('titles', [recordOf(0)])
  await bench.log.append('titles', [big])
  await bench.log.append('titles', [recordOf(2)])
  await bench.archive('titles')
  await bench.log.trim({ ...at, before: 3 })
  const records = await readAll(bench.reader, { topic: 'titles' })
  expect(records.map(({ value }) => value.byteLength)).toEqual([0, big.value.byteLength, recordOf(2).value.byteLength])
  expect(big.value.equals(records[1]?.value ?? new Uint8Array(0))).toBe(true)
})
