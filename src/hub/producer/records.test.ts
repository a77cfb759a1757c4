import { afterEach, expect, test } from 'bun:test'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { LogRecord } from '../../engines/log/index.ts'
import { DEFAULT_LIMITS, Fault, faultCode } from '../../kernel/index.ts'
import { CLAIM_HEADER } from '../claims/index.ts'
import { claimStates, drain, streamOf } from '../claims/testing.ts'
import { takeSmall } from './gather.ts'
import type { NewRecord } from './records.ts'
import { openProducerBed, type ProducerBed } from './testing.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
async function open(options: Parameters<typeof openProducerBed>[0] = {}): Promise<ProducerBed> {
  const bed = await openProducerBed(options)
  closers.push(bed.remove)
  return bed
}

async function recordAt({ log }: ProducerBed, offset: number): Promise<LogRecord> {
  const [record] = await log.read({ topic: 'raw', from: offset, max: 1 })
  if (!record) throw new Error(`expected a record at ${offset}`)
  return record
}

const MIN = DEFAULT_LIMITS.hubClaimBytesMin
test.each([
  ['nothing', 0, false],
  ['a little', 10, false],
  ['just what fits', MIN, false],
  ['one byte more', MIN + 1, true],
  ['40 MB', DEFAULT_LIMITS.hubRecordBytesMax, true],
] as const)('%s, as bytes and as a stream, comes back the same', async (_, size, claimed) => {
  const bed = await open()
  const body = Buffer.alloc(size, 'record')
  const records: NewRecord[] = [
    { key: 'k1', headers: { 'Content-Type': 'x/y' }, body },
    { key: 'k2', body: streamOf(body, 100_000) },
  ]
  const positions = await bed.records.append('raw', records)
  expect(positions).toEqual([0, 1].map((offset) => ({ topic: 'raw', partition: 0, offset })))
  for (const offset of [0, 1]) {
    const record = await recordAt(bed, offset)
    expect(record.key).toBe(`k${offset + 1}`)
    if (offset === 0) expect(record.headers['Content-Type']).toBe('x/y')
    expect(CLAIM_HEADER in record.headers).toBe(claimed)
    const opened = bed.openRecord(record)
    expect(opened.claim?.size ?? null).toBe(claimed ? size : null)
    expect(Buffer.compare(await opened.bytes(), body)).toBe(0)
    expect(Buffer.compare(await drain(await opened.stream()), body)).toBe(0)
  }
  expect(Object.values(await claimStates(bed.tables))).toEqual(claimed ? ['referenced', 'referenced'] : [])
})

const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`h${index}`, '']))
const wrong: readonly (readonly [string, Partial<NewRecord>, readonly string[]])[] = [
  ['a key that is too long', { key: 'k'.repeat(1_025) }, ['key']],
  ['too many headers', { headers: many }, ['headers']],
  ['headers that are too long', { headers: { a: 'x'.repeat(16_384) } }, ['headers']],
  ['a name of spaces', { headers: { 'a b': '' } }, ['headers.a b']],
  ['a name that is no name', { headers: JSON.parse('{"__proto__":"x"}') }, ['headers.__proto__']],
  ['a claim of its own making', { headers: { 'Tentpole-Claim': '{"ref":"titles/film"}' } }, ['headers.Tentpole-Claim']],
]
test.each(wrong)('%s: record-invalid, nothing is taken', async (_, change, paths) => {
  const bed = await open()
  const good: NewRecord = { key: 'k', body: new Uint8Array(MIN + 1) }
  const error = await bed.records.append('raw', [good, { ...good, ...change }]).catch((caught: unknown) => caught)
  expect(faultCode(error)).toBe('record-invalid')
  const errors = error instanceof Fault ? (error.detail['errors'] as { index: number; path: string }[]) : []
  expect(errors.map(({ index, path }) => `${index} ${path}`)).toEqual(paths.map((path) => `1 ${path}`))
  expect(await bed.log.read({ topic: 'raw', from: 0, max: 1 })).toEqual([])
  expect(await bed.objects.list('')).toEqual([])
})

test('a body over the limit: payload-too-large, nothing left behind', async () => {
  const bed = await open({ limits: { hubRecordBytesMax: 300_000 } })
  const body = streamOf(new Uint8Array(300_001))
  const records = [
    { key: 'a', body: new Uint8Array(300_000) },
    { key: 'b', body },
  ]
  expect(await bed.records.append('raw', records).then(() => '', faultCode)).toBe('payload-too-large')
  expect(await bed.log.read({ topic: 'raw', from: 0, max: 1 })).toEqual([])
  expect(await claimStates(bed.tables)).toEqual({})
  expect(await bed.objects.list('')).toEqual([])
})

test('a record whose object is damaged, gone or no claim says so', async () => {
  const bed = await open()
  await bed.records.append('raw', [{ key: 'k', body: new Uint8Array(MIN + 1) }])
  const record = await recordAt(bed, 0)
  const { claim, bytes } = bed.openRecord(record)
  const path = join(bed.directory, 'objects', 'data', `${claim?.ref}~`)
  chmodSync(path, 0o600)
  writeFileSync(path, new Uint8Array(MIN + 1).fill(1, 0, 1))
  expect(await bytes().then(() => '', faultCode)).toBe('claim-damaged')
  await bed.objects.delete(claim?.ref ?? '')
  expect(await bytes().then(() => '', faultCode)).toBe('claim-missing')
  const headers = { [CLAIM_HEADER]: '{"ref":"titles/film","size":1,"digest":"x"}' }
  expect(() => bed.openRecord({ headers, value: new Uint8Array(0) })).toThrow('expected a claim')
})

test('a body is taken whole up to the limit, and streams whole beyond it, however it is cut', async () => {
  const property = fc.asyncProperty(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 1, max: 50 }),
    fc.nat(100),
    async (bytes, chunkBytes, bytesMax) => {
      const taken = await takeSmall(streamOf(bytes, chunkBytes), bytesMax)
      expect(taken instanceof Uint8Array).toBe(bytes.byteLength <= bytesMax)
      expect(Buffer.from(taken instanceof Uint8Array ? taken : await drain(taken))).toEqual(Buffer.from(bytes))
    },
  )
  await fc.assert(property)
})
