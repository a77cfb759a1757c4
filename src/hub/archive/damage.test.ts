import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { type EmbeddedLog, openEmbeddedLog } from '../../engines/log/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { faultCode, silentLogger } from '../../kernel/index.ts'
import { listArchives } from './catalog.ts'
import { type ArchiveRange, toArchiveKey } from './key.ts'
import { createArchiveReader } from './reader.ts'
import { appendRecords, expected, openArchiveBench, plain, readAll, SMALL_LIMITS } from './testing.ts'

const RECORDS = 120
const root = mkdtempSync(join(tmpdir(), 'tentpole-archive-damage-'))
const objects = createDirectoryObjects({ root: join(root, 'objects') })
let log: EmbeddedLog
const files: { range: ArchiveRange; bytes: Buffer }[] = []
let segment: { name: string; bytes: Buffer }

const pathOf = (range: ArchiveRange): string => join(root, 'objects', 'data', `${toArchiveKey(range)}~`)
const write = (range: ArchiveRange, bytes: Uint8Array): void => {
  mkdirSync(dirname(pathOf(range)), { recursive: true })
  rmSync(pathOf(range), { force: true })
  writeFileSync(pathOf(range), bytes)
}

/** An archive whose log has forgotten everything, in a directory of its own. */
beforeAll(async () => {
  const bench = await openArchiveBench()
  await appendRecords(bench.log, 'titles', 0, RECORDS)
  await bench.archive('titles')
  for (const range of await listArchives(bench.objects, { topic: 'titles', partition: 0 })) {
    const bytes = Buffer.from((await bench.objects.read(toArchiveKey(range))) ?? [])
    files.push({ range, bytes })
    write(range, bytes)
  }
  await bench.close()
  log = await openEmbeddedLog({
    directory: join(root, 'log'),
    limits: SMALL_LIMITS,
    logger: silentLogger,
    trimmedTopics: [],
  })
  segment = await makeSegment()
})
afterAll(async () => {
  await log.close()
  rmSync(root, { recursive: true, force: true })
})

/** A log of the same records, in one segment, for damage there. */
async function makeSegment(): Promise<typeof segment> {
  const directory = join(root, 'whole')
  const whole = await openLog(directory)
  await appendRecords(whole, 'titles', 0, RECORDS)
  await whole.close()
  const topic = join(directory, 'topics', 'titles')
  const name = readdirSync(topic)[0] ?? ''
  return { name, bytes: readFileSync(join(topic, name)) }
}
const openLog = (directory: string): Promise<EmbeddedLog> =>
  openEmbeddedLog({
    directory,
    limits: { ...SMALL_LIMITS, logSegmentBytes: 1_000_000 },
    logger: silentLogger,
    trimmedTopics: [],
  })

type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'zero' | 'noise'; readonly at: number; readonly bytes: number }
  | { readonly kind: 'swap'; readonly at: number; readonly other: number; readonly bytes: number }

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: share, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: share }),
  fc.record({
    kind: fc.constantFrom('zero' as const, 'noise' as const),
    at: share,
    bytes: fc.integer({ min: 1, max: 600 }),
  }),
  fc.record({ kind: fc.constant('swap' as const), at: share, other: share, bytes: fc.integer({ min: 1, max: 600 }) }),
)

function corrupt(original: Buffer, how: Damage): Buffer {
  const bytes = Buffer.from(original)
  const at = Math.floor(how.at * bytes.byteLength)
  if (how.kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << how.bit)
  if (how.kind === 'cut') return bytes.subarray(0, at)
  if (how.kind === 'zero') bytes.fill(0, at, Math.min(at + how.bytes, bytes.byteLength))
  if (how.kind === 'noise')
    for (let i = at; i < Math.min(at + how.bytes, bytes.byteLength); i++) bytes[i] = (i * 167) & 0xff
  if (how.kind === 'swap') {
    const other = Math.floor(how.other * bytes.byteLength)
    const length = Math.min(how.bytes, Math.abs(other - at), bytes.byteLength - Math.max(at, other))
    const first = Buffer.from(bytes.subarray(at, at + length))
    bytes.set(bytes.subarray(other, other + length), at)
    bytes.set(first, other)
  }
  return bytes
}

/** As if the log went as far as the archive and had forgotten all of it. */
const forgetful = { read: async () => [], bounds: async () => ({ 0: { first: RECORDS, end: RECORDS } }) }
const reader = createArchiveReader({ log: forgetful, objects, limits: SMALL_LIMITS, logger: silentLogger })

/** Reads with and without skipping: what is given is what was written, and what is not is told. */
async function checkTold(index: number): Promise<{ given: number; lost: number }> {
  const range = files[index]?.range
  if (!range) throw new Error('there is no such object')
  const losses: { from: number; to: number }[] = []
  const wanted = { topic: 'titles', from: range.first, until: range.end }
  const all = await readAll(reader, { ...wanted, skipDamaged: true, onLoss: (loss) => losses.push(loss) })
  expect(losses.length).toBeGreaterThan(0)
  const lost = new Set(losses.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)))
  const offsets = Array.from({ length: range.end - range.first }, (_, at) => range.first + at)
  const rest = offsets.filter((offset) => !lost.has(offset))
  expect(all.map(plain)).toEqual(rest.map(expected))
  for (const offset of lost) expect(offset >= range.first && offset < range.end).toBe(true)

  // Without skipping, the good prefix comes, then the fault that says where to go on.
  const prefix: object[] = []
  const reading = (async () => {
    for await (const batch of reader.read(wanted)) prefix.push(...batch.map(plain))
  })()
  expect(await reading.then(() => 'resolved', faultCode)).toBe('archive-damaged')
  expect(prefix).toEqual(rest.filter((offset) => offset < (losses[0]?.from ?? 0)).map(expected))
  return { given: all.length, lost: lost.size }
}

test('500 random corruptions of archive objects are all told, and only what they hit is lost', async () => {
  const totals = { given: 0, lost: 0 }
  await fc.assert(
    fc.asyncProperty(fc.nat(files.length - 1), damage, async (index, how) => {
      const file = files[index]
      if (!file) throw new Error('there is no such object')
      const bytes = corrupt(file.bytes, how)
      if (bytes.equals(file.bytes)) return
      write(file.range, bytes)
      try {
        const { given, lost } = await checkTold(index)
        totals.given += given
        totals.lost += lost
      } finally {
        write(file.range, file.bytes)
      }
    }),
    { numRuns: 500, seed: seed() },
  )
  expect(totals.given).toBeGreaterThan(totals.lost)
  expect((await readAll(reader, { topic: 'titles' })).map(plain)).toHaveLength(RECORDS)
}, 60_000)

test('two blocks that changed places, blocks of another object and a missing object are told', async () => {
  const [first, second] = files
  if (!first || !second) throw new Error('expected two objects')
  for (const bytes of [second.bytes, Buffer.concat([first.bytes, first.bytes]), Buffer.alloc(0)]) {
    write(first.range, bytes)
    await checkTold(0)
  }
  rmSync(pathOf(first.range))
  const code = await readAll(reader, { topic: 'titles' }).then(() => 'resolved', faultCode)
  expect(code).toBe('archive-damaged')
  write(first.range, first.bytes)
})

test('500 random corruptions of the log’s segments: what is served is what was appended, what is lost is told', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(damage, async (how) => {
      const bytes = corrupt(segment.bytes, how)
      if (bytes.equals(segment.bytes)) return
      const directory = join(root, `run-${run++}`)
      mkdirSync(join(directory, 'topics', 'titles'), { recursive: true })
      writeFileSync(join(directory, 'topics', 'titles', segment.name), bytes)
      const damaged = await openLog(directory)
      const one = createArchiveReader({
        log: damaged,
        objects: createDirectoryObjects({ root: join(root, 'none') }),
        limits: SMALL_LIMITS,
        logger: silentLogger,
      })
      const lost = new Set<number>()
      const onLoss = ({ from, to }: { from: number; to: number }): void => {
        for (let offset = from; offset < to; offset++) lost.add(offset)
      }
      const given = await readAll(one, { topic: 'titles', skipDamaged: true, onLoss })
      await damaged.close()
      rmSync(directory, { recursive: true, force: true })
      // A cut at the end cannot be told from an append that never finished; everything before it is there.
      const end = how.kind === 'cut' ? (given.at(-1)?.offset ?? -1) + 1 : RECORDS
      const rest = Array.from({ length: end }, (_, offset) => offset).filter((offset) => !lost.has(offset))
      expect(given.map(plain)).toEqual(rest.map(expected))
    }),
    { numRuns: 500, seed: seed() },
  )
}, 60_000)

test('where the log is damaged and the archive is not, the archive gives what the log lost', async () => {
  const directory = join(root, 'healed')
  mkdirSync(join(directory, 'topics', 'titles'), { recursive: true })
  const bytes = corrupt(segment.bytes, { kind: 'zero', at: 0.4, bytes: 500 })
  writeFileSync(join(directory, 'topics', 'titles', segment.name), bytes)
  const damaged = await openLog(directory)
  const healed = createArchiveReader({ log: damaged, objects, limits: SMALL_LIMITS, logger: silentLogger })
  expect((await readAll(healed, { topic: 'titles' })).map(plain)).toEqual(
    Array.from({ length: RECORDS }, (_, offset) => expected(offset)),
  )
  expect(damaged.damage().length).toBeGreaterThan(0)
  await damaged.close()
})

test('an object that is damaged where the log begins loses only what the log has not', async () => {
  const straddled = files[1]
  if (!straddled) throw new Error('expected two objects')
  const { range, bytes } = straddled
  const first = Math.floor((range.first + range.end) / 2)
  const directory = join(root, 'straddled')
  const whole = await openLog(directory)
  await appendRecords(whole, 'titles', 0, RECORDS)
  const records = await whole.read({ topic: 'titles', from: 0, max: RECORDS })
  await whole.close()
  const trimmed = {
    read: async ({ from, max }: { from: number; max: number }) =>
      records.slice(Math.max(from, first), Math.max(from, first) + max),
    bounds: async () => ({ 0: { first, end: RECORDS } }),
  }
  const half = createArchiveReader({ log: trimmed, objects, limits: SMALL_LIMITS, logger: silentLogger })
  for (const share of [0.5, 0.1, 0]) {
    write(range, bytes.subarray(0, Math.floor(bytes.byteLength * share)))
    const lost: { from: number; to: number }[] = []
    const given = await readAll(half, { topic: 'titles', skipDamaged: true, onLoss: (loss) => lost.push(loss) })
    const missing = new Set(lost.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)))
    for (const offset of missing) expect(offset < first).toBe(true)
    const rest = Array.from({ length: RECORDS }, (_, offset) => offset).filter((offset) => !missing.has(offset))
    expect(given.map(plain)).toEqual(rest.map(expected))
  }
  write(range, bytes)
})

test('a damaged object beside damage in the log loses only where both are damaged', async () => {
  const directory = join(root, 'both')
  mkdirSync(join(directory, 'topics', 'titles'), { recursive: true })
  const torn = corrupt(segment.bytes, { kind: 'zero', at: 0.4, bytes: 60 })
  writeFileSync(join(directory, 'topics', 'titles', segment.name), torn)
  const damaged = await openLog(directory)
  await readAll(createArchiveReader({ log: damaged, objects, limits: SMALL_LIMITS, logger: silentLogger }), {
    topic: 'titles',
  })
  const holes = damaged.damage()
  expect(holes.length).toBeGreaterThan(0)
  const one = createArchiveReader({ log: damaged, objects, limits: SMALL_LIMITS, logger: silentLogger })
  for (const { range, bytes } of files) write(range, bytes.subarray(0, 20))
  const lost: { from: number; to: number }[] = []
  const given = await readAll(one, { topic: 'titles', skipDamaged: true, onLoss: (loss) => lost.push(loss) })
  const missing = new Set(lost.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)))
  // A few records lay where the zeros are; an object has many more.
  expect(missing.size).toBeLessThan(10)
  const rest = Array.from({ length: RECORDS }, (_, offset) => offset).filter((offset) => !missing.has(offset))
  expect(given.map(plain)).toEqual(rest.map(expected))
  for (const { range, bytes } of files) write(range, bytes)
  await damaged.close()
})

/** Printed, so that a failing run can be done again: `SEED=… bun test …`. */
function seed(): number {
  const chosen = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  console.info(`seed ${chosen}`)
  return chosen
}
