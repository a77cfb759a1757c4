import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { DEFAULT_LIMITS, Fault, silentLogger } from '../../kernel/index.ts'
import { type EmbeddedLog, type LogRecord, openEmbeddedLog } from './index.ts'
import { measureRecord, writeRecord } from './record.ts'

const RECORDS = 24
const root = mkdtempSync(join(tmpdir(), 'tentpole-damage-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let directories = 0
/** The segment of a log of `RECORDS` records, and where each begins. */
let segment: { name: string; bytes: Buffer; starts: number[] }

const open = (directory: string): Promise<EmbeddedLog> =>
  openEmbeddedLog({ directory, limits: DEFAULT_LIMITS, logger: silentLogger, trimmedTopics: [] })
const topicDirectory = (directory: string): string => join(directory, 'topics', 'titles')
/** Something that looks like a record to whoever does not know the segment's salt. */
const forgery = (): Buffer => {
  const record = { key: 'forged', value: Buffer.from('forged') }
  const sizes = measureRecord(record)
  const buffer = Buffer.alloc(sizes.totalBytes)
  writeRecord(buffer, 0, record, { sizes, offset: 15, appendedAtMs: 1, salt: 0 })
  return buffer
}
const bodyOf = (index: number): Buffer =>
  index % 5 === 4 ? forgery() : Buffer.from(`value ${index} ${'x'.repeat((index * 37) % 150)}`)

beforeAll(async () => {
  const directory = join(root, 'original')
  const log = await open(directory)
  const starts: number[] = []
  let at = 0
  for (let index = 0; index < RECORDS; index++) {
    const record = { key: `k${index % 3}`, value: bodyOf(index), headers: { index: String(index) } }
    starts.push(at)
    at += measureRecord(record).totalBytes
    await log.append('titles', [record])
  }
  await log.close()
  const name = readdirSync(topicDirectory(directory))[0] ?? ''
  segment = { name, bytes: readFileSync(join(topicDirectory(directory), name)), starts }
  expect(segment.bytes.byteLength).toBe(at)
})

/** Opens a log whose only segment has these bytes. */
async function openWith(bytes: Uint8Array): Promise<{ log: EmbeddedLog; directory: string }> {
  const directory = join(root, String(++directories))
  mkdirSync(topicDirectory(directory), { recursive: true })
  writeFileSync(join(topicDirectory(directory), segment.name), bytes)
  return { log: await open(directory), directory }
}

/** Reads everything that can be read, stepping over what is reported as lost. */
async function readAll(log: EmbeddedLog): Promise<{ records: LogRecord[]; lost: number[] }> {
  const records: LogRecord[] = []
  const lost: number[] = []
  let from = 0
  for (;;) {
    try {
      const got = await log.read({ topic: 'titles', from, max: 7 })
      if (got.length === 0) return { records, lost }
      records.push(...got)
      from = (got.at(-1)?.offset ?? from) + 1
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'log-damaged') throw error
      const range = error.detail as { from: number; to: number }
      for (let offset = range.from; offset < range.to; offset++) lost.push(offset)
      from = range.to
    }
  }
}

/** Whatever happened to the bytes: what is served is what was appended, and what is not is reported. */
async function checkHonest(bytes: Uint8Array): Promise<void> {
  const { log, directory } = await openWith(bytes)
  const { records, lost } = await readAll(log)
  for (const { offset, value, key, headers } of records) {
    expect(Buffer.from(value).equals(bodyOf(offset))).toBe(true)
    expect({ key, headers }).toEqual({ key: `k${offset % 3}`, headers: { index: String(offset) } })
  }
  const offsets = records.map(({ offset }) => offset)
  expect([...offsets, ...lost].filter((offset) => offset < RECORDS).sort((a, b) => a - b)).toEqual(
    Array.from({ length: RECORDS }, (_, index) => index),
  )
  const reported = new Set(
    log.damage().flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)),
  )
  for (const offset of lost) expect(reported.has(offset)).toBe(true)

  // A subscription steps over the same, and the log goes on behind it.
  const seen: number[] = []
  const onRecords = (batch: readonly LogRecord[]): void => void seen.push(...batch.map(({ offset }) => offset))
  const subscription = log.subscribe({ topic: 'titles', start: 'beginning', onRecords })
  const [next] = await log.append('titles', [{ key: 'k', value: Buffer.from('after') }])
  await subscription.caughtUp()
  expect(seen).toEqual([...offsets, next ?? -1])
  expect(next).toBeGreaterThanOrEqual(RECORDS)
  await log.close()

  const again = await open(directory)
  const second = await readAll(again)
  await again.close()
  expect({ offsets: second.records.map(({ offset }) => offset), lost: second.lost }).toEqual({ offsets: seen, lost })
  rmSync(directory, { recursive: true, force: true })
}

test('one flipped bit anywhere costs at most the record it is in, is reported, and is never served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(segment.bytes.byteLength * 8 - 1), async (bit) => {
      const bytes = Buffer.from(segment.bytes)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await checkHonest(bytes)
    }),
    { numRuns: 150 },
  )
})

test('a flipped bit in each byte of the last record’s header does not pass for an append that never finished', async () => {
  const start = segment.starts.at(-1) ?? 0
  for (let at = start; at < start + 36; at++) {
    const bytes = Buffer.from(segment.bytes)
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    await checkHonest(bytes)
  }
})

test('any number of overwritten stretches', async () => {
  const stretch = fc.record({
    at: fc.nat(segment?.bytes.byteLength ?? 6_000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 400 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 4 }), async (stretches) => {
      const bytes = Buffer.from(segment.bytes)
      for (const { at, bytes: over } of stretches)
        bytes.set(over.subarray(0, Math.max(0, bytes.byteLength - at)), Math.min(at, bytes.byteLength))
      await checkHonest(bytes)
    }),
    { numRuns: 60 },
  )
})

test.each([2, 3])('the last %i records without a readable header count as lost, every one', async (records) => {
  const bytes = Buffer.from(segment.bytes)
  for (const start of segment.starts.slice(-records)) bytes.fill(0, start, start + 8)
  await checkHonest(bytes)
})

test('a stretch over the end of the last record but one and the head of the last costs both', async () => {
  const bytes = Buffer.from(segment.bytes)
  const start = segment.starts.at(-1) ?? 0
  bytes.fill(0, start - 3, start + 3)
  await checkHonest(bytes)
})

test('an append that was cut short, at each of its bytes, is cut off: the rest is whole and nothing counts as lost', async () => {
  const start = segment.starts.at(-1) ?? 0
  for (let length = start; length < segment.bytes.byteLength; length++) {
    const { log, directory } = await openWith(segment.bytes.subarray(0, length))
    const { records, lost } = await readAll(log)
    expect({ records: records.length, lost, damage: log.damage() }).toEqual({
      records: RECORDS - 1,
      lost: [],
      damage: [],
    })
    expect(await log.append('titles', [{ key: 'k', value: Buffer.from('again') }])).toEqual([RECORDS - 1])
    await log.close()
    rmSync(directory, { recursive: true, force: true })
  }
})

test('offsets that a group committed are not used again when their records are gone', async () => {
  const directory = join(root, 'committed')
  const log = await open(directory)
  for (let index = 0; index < 5; index++) await log.append('titles', [{ key: 'k', value: bodyOf(index) }])
  await log.commit({ group: 'g', topic: 'titles', partition: 0, offset: 5 })
  await log.close()
  const path = join(topicDirectory(directory), readdirSync(topicDirectory(directory))[0] ?? '')
  writeFileSync(path, readFileSync(path).subarray(0, segment.starts[3]))
  const again = await open(directory)
  expect(again.damage().map(({ from, to }) => ({ from, to }))).toEqual([{ from: 3, to: 5 }])
  expect(await again.append('titles', [{ key: 'k', value: Buffer.from('new') }])).toEqual([5])
  await again.close()
})
