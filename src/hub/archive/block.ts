import { crc32 } from 'node:zlib'
import type { LogRecord } from '../../engines/log/index.ts'
import { type Codec, codecOf } from './compression.ts'
import type { ArchiveRange } from './key.ts'

/**
 * A block: records that are compressed and checked together. Integers big-endian, offsets and times as doubles.
 *
 *     0  u32  magic
 *     4  u32  CRC-32 of bytes 8 to 60, begun with the object's salt: a block of another object does not pass
 *     8  u32  number of the block in its object, from 0
 *    12  u32  CRC-32 of the body
 *    16  u32  bytes of the body
 *    20  u32  bytes of the records in it, uncompressed
 *    24  u32  records
 *    28  f64  from which offset on it holds the partition's records
 *    36  f64  to before which
 *    44  f64  the earliest `appendedAtMs` in it
 *    52  f64  the latest
 *    60       body
 */
export const BLOCK_HEADER_BYTES = 60
const BLOCK_MAGIC = 0x54_50_41_42
/** Offset, time, and the lengths of key, headers and value. */
const RECORD_FIXED_BYTES = 28
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

export type BlockHeader = {
  readonly index: number
  readonly bodyCrc: number
  readonly bodyBytes: number
  readonly rawBytes: number
  readonly records: number
  readonly from: number
  readonly to: number
  readonly earliestMs: number
  readonly latestMs: number
}

/** What makes an object's blocks its own. */
export const saltOf = (range: ArchiveRange): number =>
  crc32(`${range.topic}/${range.partition}/${range.first}-${range.end}`)

/** What a record takes in a block, before compression. */
export function measureRecord({ key, headers, value }: LogRecord): number {
  let bytes = RECORD_FIXED_BYTES + Buffer.byteLength(key) + value.byteLength
  for (const name in headers) bytes += 8 + Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '')
  return bytes
}

/** One block of these records, which hold the partition from `place.from` to before `place.to`. */
export async function encodeBlock(
  records: readonly LogRecord[],
  place: { index: number; from: number; to: number; salt: number; codec: Codec },
): Promise<Uint8Array> {
  const raw = Buffer.allocUnsafeSlow(records.reduce((sum, record) => sum + measureRecord(record), 0))
  let at = 0
  let earliestMs = Number.POSITIVE_INFINITY
  let latestMs = Number.NEGATIVE_INFINITY
  for (const record of records) {
    at = writeRecord(raw, at, record)
    earliestMs = Math.min(earliestMs, record.appendedAtMs)
    latestMs = Math.max(latestMs, record.appendedAtMs)
  }
  const body = await codecOf(place.codec).compress(raw)
  const block = Buffer.allocUnsafeSlow(BLOCK_HEADER_BYTES + body.byteLength)
  block.set(body, BLOCK_HEADER_BYTES)
  block.writeUInt32BE(BLOCK_MAGIC, 0)
  block.writeUInt32BE(place.index, 8)
  block.writeUInt32BE(crc32(body), 12)
  block.writeUInt32BE(body.byteLength, 16)
  block.writeUInt32BE(raw.byteLength, 20)
  block.writeUInt32BE(records.length, 24)
  for (const [index, value] of [place.from, place.to, earliestMs, latestMs].entries())
    block.writeDoubleBE(value, 28 + 8 * index)
  block.writeUInt32BE(crc32(block.subarray(8, BLOCK_HEADER_BYTES), place.salt), 4)
  return block
}

/** Null when the bytes do not begin with an intact header of a block of this object. */
export function readBlockHeader(bytes: Uint8Array, salt: number): BlockHeader | null {
  if (bytes.byteLength < BLOCK_HEADER_BYTES) return null
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES)
  if (header.readUInt32BE(0) !== BLOCK_MAGIC) return null
  if (header.readUInt32BE(4) !== crc32(header.subarray(8), salt)) return null
  return {
    index: header.readUInt32BE(8),
    bodyCrc: header.readUInt32BE(12),
    bodyBytes: header.readUInt32BE(16),
    rawBytes: header.readUInt32BE(20),
    records: header.readUInt32BE(24),
    from: header.readDoubleBE(28),
    to: header.readDoubleBE(36),
    earliestMs: header.readDoubleBE(44),
    latestMs: header.readDoubleBE(52),
  }
}

/** The records of a whole block, checked first; null when anything about it is not as it was written. */
export async function decodeBlock(
  bytes: Uint8Array,
  expected: { index: number; from: number; to: number; salt: number; codec: Codec; rawBytesMax: number },
  range: Pick<ArchiveRange, 'topic' | 'partition'>,
): Promise<readonly LogRecord[] | null> {
  const header = readBlockHeader(bytes, expected.salt)
  if (!header || header.index !== expected.index || header.from !== expected.from || header.to !== expected.to)
    return null
  const body = bytes.subarray(BLOCK_HEADER_BYTES)
  if (header.bodyBytes !== body.byteLength || header.rawBytes > expected.rawBytesMax) return null
  if (crc32(body) !== header.bodyCrc) return null
  const raw = await codecOf(expected.codec)
    .decompress(body, Math.max(1, header.rawBytes))
    .catch(() => null)
  return raw?.byteLength === header.rawBytes ? readRecords(raw, header, range) : null
}

function writeRecord(buffer: Buffer, at: number, record: LogRecord): number {
  let cursor = at + RECORD_FIXED_BYTES
  const keyBytes = buffer.write(record.key, cursor)
  cursor += keyBytes
  const headersAt = cursor
  for (const name in record.headers) {
    cursor = writeText(buffer, cursor, name)
    cursor = writeText(buffer, cursor, record.headers[name] ?? '')
  }
  buffer.set(record.value, cursor)
  buffer.writeDoubleBE(record.offset, at)
  buffer.writeDoubleBE(record.appendedAtMs, at + 8)
  buffer.writeUInt32BE(keyBytes, at + 16)
  buffer.writeUInt32BE(cursor - headersAt, at + 20)
  buffer.writeUInt32BE(record.value.byteLength, at + 24)
  return cursor + record.value.byteLength
}

function writeText(buffer: Buffer, at: number, text: string): number {
  const bytes = buffer.write(text, at + 4)
  buffer.writeUInt32BE(bytes, at)
  return at + 4 + bytes
}

/** Null when the lengths do not come out even, or an offset is out of its place: bytes that no writer of ours made. */
function readRecords(
  bytes: Uint8Array,
  header: BlockHeader,
  { topic, partition }: Pick<ArchiveRange, 'topic' | 'partition'>,
): LogRecord[] | null {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: LogRecord[] = []
  let next = header.from
  let at = 0
  while (at + RECORD_FIXED_BYTES <= raw.byteLength) {
    const offset = raw.readDoubleBE(at)
    const keyAt = at + RECORD_FIXED_BYTES
    const headersAt = keyAt + raw.readUInt32BE(at + 16)
    const valueAt = headersAt + raw.readUInt32BE(at + 20)
    const end = valueAt + raw.readUInt32BE(at + 24)
    if (end > raw.byteLength || !(offset >= next && offset < header.to)) return null
    const headers = readHeaders(raw, headersAt, valueAt)
    if (!headers) return null
    const key = raw.toString('utf8', keyAt, headersAt)
    const appendedAtMs = raw.readDoubleBE(at + 8)
    records.push({ topic, partition, offset, appendedAtMs, key, headers, value: raw.subarray(valueAt, end) })
    next = offset + 1
    at = end
  }
  return at === raw.byteLength && records.length === header.records ? records : null
}

function readHeaders(raw: Buffer, from: number, to: number): Readonly<Record<string, string>> | null {
  if (from === to) return NO_HEADERS
  const texts: string[] = []
  for (let at = from; at < to; ) {
    const end = at + 4 <= to ? at + 4 + raw.readUInt32BE(at) : Number.POSITIVE_INFINITY
    if (end > to) return null
    texts.push(raw.toString('utf8', at + 4, end))
    at = end
  }
  if (texts.length % 2 !== 0) return null
  const pairs = Array.from({ length: texts.length / 2 }, (_, index) => [texts[2 * index], texts[2 * index + 1]])
  return Object.fromEntries(pairs) as Record<string, string> // pairs of texts, by the line above
}
