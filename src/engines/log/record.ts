import { crc32 } from 'node:zlib'
import type { LogAppend, LogRecord } from './port.ts'

/**
 * One record as it lies in a segment; integers big-endian:
 *
 *     0  u32  magic
 *     4  u32  CRC-32 of bytes 8 to 36 (the rest of the header)
 *     8  u32  CRC-32 of the body
 *    12  u32  length of the body
 *    16  u64  offset
 *    24  u64  when the engine took it, ms since 1970
 *    32  u16  length of the key in the body
 *    34  u16  length of the headers in the body
 *    36       body: key, headers (u16 length and text, name and value in turn), value
 *
 * Two checksums, because a header that checks out makes the length trustworthy: a flipped bit in a body costs that one
 * record, and an incomplete last record can be told from a damaged one. Both start from the segment's random salt, so
 * that bytes inside a value that look like a record (somebody may send them) never pass for one while resynchronising.
 */
export const RECORD_MAGIC = 0x54_50_4c_31
export const RECORD_HEADER_BYTES = 36
/** Key and headers are counted in 16 bits each. */
export const RECORD_PART_BYTES_MAX = 0xffff

const U32 = 0x1_0000_0000
const magicBytes = Buffer.alloc(4)
magicBytes.writeUInt32BE(RECORD_MAGIC)

export type RecordHeader = {
  readonly bodyCrc: number
  readonly bodyBytes: number
  readonly offset: number
  readonly appendedAtMs: number
  readonly keyBytes: number
  readonly headersBytes: number
}

/** What an append will take, so that a group's buffer is allocated once. */
export type RecordSizes = { readonly keyBytes: number; readonly headersBytes: number; readonly totalBytes: number }

export function measureRecord(record: LogAppend): RecordSizes {
  const keyBytes = Buffer.byteLength(record.key)
  let headersBytes = 0
  if (record.headers)
    for (const name in record.headers)
      headersBytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(record.headers[name] ?? '')
  return { keyBytes, headersBytes, totalBytes: RECORD_HEADER_BYTES + keyBytes + headersBytes + record.value.byteLength }
}

/** Writes one record into `buffer` at `at`; returns where it ends. */
export function writeRecord(
  buffer: Buffer,
  at: number,
  record: LogAppend,
  meta: { sizes: RecordSizes; offset: number; appendedAtMs: number; salt: number },
): number {
  const { sizes, offset, appendedAtMs, salt } = meta
  const end = at + sizes.totalBytes
  const body = at + RECORD_HEADER_BYTES
  let cursor = body
  cursor += buffer.write(record.key, cursor)
  if (sizes.headersBytes > 0) cursor = writeHeaders(buffer, cursor, record.headers ?? {})
  buffer.set(record.value, cursor)
  buffer.writeUInt32BE(RECORD_MAGIC, at)
  buffer.writeUInt32BE(crc32(buffer.subarray(body, end), salt), at + 8)
  buffer.writeUInt32BE(end - body, at + 12)
  writeU64(buffer, at + 16, offset)
  writeU64(buffer, at + 24, appendedAtMs)
  buffer.writeUInt16BE(sizes.keyBytes, at + 32)
  buffer.writeUInt16BE(sizes.headersBytes, at + 34)
  buffer.writeUInt32BE(crc32(buffer.subarray(at + 8, body), salt), at + 4)
  return end
}

/** The header at `at`, or null where there is none that checks out. */
export function readHeader(buffer: Buffer, at: number, salt: number): RecordHeader | null {
  if (at + RECORD_HEADER_BYTES > buffer.byteLength || buffer.readUInt32BE(at) !== RECORD_MAGIC) return null
  if (crc32(buffer.subarray(at + 8, at + RECORD_HEADER_BYTES), salt) !== buffer.readUInt32BE(at + 4)) return null
  return {
    bodyCrc: buffer.readUInt32BE(at + 8),
    bodyBytes: buffer.readUInt32BE(at + 12),
    offset: readU64(buffer, at + 16),
    appendedAtMs: readU64(buffer, at + 24),
    keyBytes: buffer.readUInt16BE(at + 32),
    headersBytes: buffer.readUInt16BE(at + 34),
  }
}

export function bodyChecksOut(buffer: Buffer, at: number, header: RecordHeader, salt: number): boolean {
  const body = at + RECORD_HEADER_BYTES
  return crc32(buffer.subarray(body, body + header.bodyBytes), salt) === header.bodyCrc
}

/** The record at `at`, whose header and body have been checked. Its value is a view on `buffer`. */
export function toLogRecord(buffer: Buffer, at: number, header: RecordHeader, topic: string): LogRecord {
  const body = at + RECORD_HEADER_BYTES
  const headersAt = body + header.keyBytes
  const valueAt = headersAt + header.headersBytes
  return {
    topic,
    partition: 0,
    offset: header.offset,
    appendedAtMs: header.appendedAtMs,
    key: buffer.toString('utf8', body, headersAt),
    headers: header.headersBytes === 0 ? NO_HEADERS : readHeaders(buffer, headersAt, valueAt),
    value: buffer.subarray(valueAt, body + header.bodyBytes),
  }
}

export const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

/** Where the next candidate for a record begins at or after `at`; -1 when there is none in `buffer`. */
export function findMagic(buffer: Buffer, at: number): number {
  return buffer.indexOf(magicBytes, at)
}

/** Headers as in a record's body; also used on the store's socket. */
export function writeHeaders(buffer: Buffer, at: number, headers: Readonly<Record<string, string>>): number {
  let cursor = at
  const text = (value: string): void => {
    const bytes = buffer.write(value, cursor + 2)
    buffer.writeUInt16BE(bytes, cursor)
    cursor += 2 + bytes
  }
  for (const name in headers) {
    text(name)
    text(headers[name] ?? '')
  }
  return cursor
}

export function readHeaders(buffer: Buffer, at: number, end: number): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  let cursor = at
  const text = (): string => {
    const bytes = buffer.readUInt16BE(cursor)
    cursor += 2 + bytes
    return buffer.toString('utf8', cursor - bytes, cursor)
  }
  while (cursor < end) {
    const name = text()
    headers[name] = text()
  }
  return headers
}

function writeU64(buffer: Buffer, at: number, value: number): void {
  buffer.writeUInt32BE(Math.floor(value / U32), at)
  buffer.writeUInt32BE(value % U32, at + 4)
}

function readU64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * U32 + buffer.readUInt32BE(at + 4)
}
