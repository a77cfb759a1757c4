import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { LogRecord } from '../../engines/log/index.ts'
import { BLOCK_HEADER_BYTES, decodeBlock, encodeBlock, readBlockHeader, saltOf } from './block.ts'
import type { Codec } from './compression.ts'
import { decodeHead, decodeIndex, decodeTail, encodeHead, encodeIndex } from './format.ts'

const range = { topic: 'titles', partition: 3, first: 10, end: 1_000 }
const salt = saltOf(range)
const RAW_MAX = 1_000_000
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const records: fc.Arbitrary<LogRecord[]> = fc
  .array(
    fc.record({
      skip: fc.nat(3),
      appendedAtMs: fc.nat(),
      key: text,
      headers: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((all) => {
    let offset = range.first
    return all.map(({ skip, ...record }) => {
      offset += skip + 1
      return { topic: range.topic, partition: range.partition, offset, ...record }
    })
  })
const comparable = (all: readonly LogRecord[]): unknown[] =>
  all.map((record) => ({ ...record, headers: Object.entries(record.headers), value: [...record.value] }))

test.each<Codec>(['zstd', 'gzip'])('whatever records are, a block by %s gives them back exactly', async (codec) => {
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const place = { index: 4, from: range.first, to: 900, salt, codec }
      const decoded = await decodeBlock(await encodeBlock(all, place), { ...place, rawBytesMax: RAW_MAX }, range)
      expect(comparable(decoded ?? [])).toEqual(comparable(all))
    }),
    { numRuns: 50 },
  )
})

test('a block is refused in another place, of another object, and when it claims to be larger than any', async () => {
  const all = [
    { topic: 'titles', partition: 3, offset: 10, appendedAtMs: 1, key: 'k', headers: {}, value: Buffer.alloc(5_000) },
  ]
  const place = { index: 0, from: 10, to: 11, salt, codec: 'zstd' as const }
  const block = await encodeBlock(all, place)
  const expected = { ...place, rawBytesMax: RAW_MAX }
  expect(await decodeBlock(block, expected, range)).toHaveLength(1)
  for (const wrong of [{ index: 1 }, { from: 9 }, { to: 12 }, { salt: salt + 1 }, { rawBytesMax: 5_000 }])
    expect(await decodeBlock(block, { ...expected, ...wrong }, range)).toBeNull()
})

test('no bytes at all make the readers throw', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (noise, isPrefixed) => {
      const summary = {
        version: 1 as const,
        codec: 'zstd' as const,
        ...range,
        records: 1,
        bytes: 1,
        earliestMs: 1,
        latestMs: 1,
      }
      const head = encodeHead(summary)
      const bytes = isPrefixed ? Buffer.concat([head.subarray(0, noise.byteLength), noise]) : noise
      decodeHead(bytes, range)
      decodeTail(bytes)
      decodeIndex(bytes, 0, range)
      readBlockHeader(bytes, salt)
      const place = { index: 0, from: 10, to: 11, salt, codec: 'zstd' as const, rawBytesMax: RAW_MAX }
      expect(await decodeBlock(bytes, place, range)).toBeNull()
    }),
  )
})

test('an index that does not cover its range in one piece is refused, though its checksum holds', async () => {
  const { crc32 } = await import('node:zlib')
  const summary = {
    version: 1 as const,
    codec: 'zstd' as const,
    ...range,
    records: 1,
    bytes: 1,
    earliestMs: 1,
    latestMs: 1,
  }
  const good = [
    { at: 100, bytes: BLOCK_HEADER_BYTES + 10, from: 10, to: 500 },
    { at: 100 + BLOCK_HEADER_BYTES + 10, bytes: 90, from: 500, to: 1_000 },
  ]
  const decode = (blocks: typeof good) => {
    const bytes = encodeIndex({ summary, blocks })
    return decodeIndex(bytes, crc32(bytes), range)
  }
  expect(decode(good)?.blocks).toEqual(good)
  const [first, second] = good
  if (!first || !second) throw new Error('expected two blocks')
  for (const wrong of [[first], [second], [first, { ...second, from: 501 }], [first, { ...second, at: 0 }], []])
    expect(decode(wrong)).toBeNull()
})
