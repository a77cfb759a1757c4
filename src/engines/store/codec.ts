import { Fault } from '../../kernel/index.ts'
import type { LogAppend, LogRecord } from '../log/port.ts'
import { measureRecord, readHeaders, writeHeaders } from '../log/record.ts'
import type { SqlValue } from '../tables/port.ts'

/**
 * The bytes of a message, written and read in the same order on both ends; integers big-endian, offsets and times as
 * doubles (whole numbers to 2^53). Internal to one machine and one release, as the frames they travel in.
 */
export type Writer = {
  u8(value: number): Writer
  u32(value: number): Writer
  f64(value: number): Writer
  text(value: string): Writer
  bytes(value: Uint8Array): Writer
  record(record: LogAppend): Writer
  value(value: SqlValue): Writer
  done(): Uint8Array
}

export type Reader = {
  u8(): number
  u32(): number
  f64(): number
  text(): string
  /** A view on the message. */
  bytes(): Uint8Array
  record(): LogAppend
  value(): SqlValue
  more(): boolean
}

const TAG = { null: 0, number: 1, text: 2, bytes: 3 } as const

export function createWriter(bytes = 256): Writer {
  let buffer = Buffer.allocUnsafe(bytes)
  let at = 0

  /** Makes room for `more` bytes and returns where they go. */
  const take = (more: number): number => {
    if (at + more > buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.byteLength * 2, at + more))
      larger.set(buffer.subarray(0, at))
      buffer = larger
    }
    at += more
    return at - more
  }

  const writer: Writer = {
    u8(value) {
      // Not `buffer[take(1)]`: that would evaluate `buffer` before it grows.
      const to = take(1)
      buffer[to] = value
      return writer
    },
    u32(value) {
      const to = take(4)
      buffer.writeUInt32BE(value, to)
      return writer
    },
    f64(value) {
      const to = take(8)
      buffer.writeDoubleBE(value, to)
      return writer
    },
    text(value) {
      const length = Buffer.byteLength(value)
      writer.u32(length)
      const to = take(length)
      buffer.write(value, to)
      return writer
    },
    bytes(value) {
      writer.u32(value.byteLength)
      const to = take(value.byteLength)
      buffer.set(value, to)
      return writer
    },
    record(record) {
      const { headersBytes } = measureRecord(record)
      writer.text(record.key).u32(headersBytes)
      const to = take(headersBytes)
      if (record.headers && headersBytes > 0) writeHeaders(buffer, to, record.headers)
      return writer.bytes(record.value)
    },
    value(value) {
      if (value === null) return writer.u8(TAG.null)
      if (typeof value === 'number') return writer.u8(TAG.number).f64(value)
      if (typeof value === 'string') return writer.u8(TAG.text).text(value)
      if (value instanceof Uint8Array) return writer.u8(TAG.bytes).bytes(value)
      throw new Fault('sql-invalid', `expected a string, number, null or Uint8Array as SQL value, got ${typeof value}`)
    },
    done: () => buffer.subarray(0, at),
  }
  return writer
}

export function createReader(payload: Uint8Array): Reader {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  let at = 0

  const take = (bytes: number): number => {
    if (at + bytes > buffer.byteLength)
      throw new Fault('message-invalid', `expected ${bytes} more bytes at ${at}, got ${buffer.byteLength - at}`)
    at += bytes
    return at - bytes
  }

  const reader: Reader = {
    u8: () => buffer.readUInt8(take(1)),
    u32: () => buffer.readUInt32BE(take(4)),
    f64: () => buffer.readDoubleBE(take(8)),
    text() {
      const length = reader.u32()
      const from = take(length)
      return buffer.toString('utf8', from, from + length)
    },
    bytes() {
      const length = reader.u32()
      const from = take(length)
      return buffer.subarray(from, from + length)
    },
    record() {
      const key = reader.text()
      const headersBytes = reader.u32()
      const from = take(headersBytes)
      const value = (): Uint8Array => reader.bytes()
      return headersBytes === 0
        ? { key, value: value() }
        : { key, headers: readHeaders(buffer, from, from + headersBytes), value: value() }
    },
    value() {
      const tag = reader.u8()
      if (tag === TAG.null) return null
      if (tag === TAG.number) return reader.f64()
      if (tag === TAG.text) return reader.text()
      return new Uint8Array(reader.bytes())
    },
    more: () => at < buffer.byteLength,
  }
  return reader
}

export function writeRecords(writer: Writer, records: readonly LogRecord[]): Writer {
  writer.u32(records.length)
  for (const record of records) writer.u32(record.partition).f64(record.offset).f64(record.appendedAtMs).record(record)
  return writer
}

/** Where it is, and the lengths of its parts. */
const RECORD_FRAME_BYTES = 32
const COUNT_BYTES = 4

/** What `writeRecords` takes, where keys are of ASCII as they nearly always are; a writer grows otherwise. */
export function measureRecords(records: readonly LogRecord[]): number {
  return records.reduce((sum, record) => sum + measureFramed(record), COUNT_BYTES)
}

function measureFramed({ key, headers, value }: LogRecord): number {
  let bytes = RECORD_FRAME_BYTES + key.length + value.byteLength
  for (const name in headers) bytes += 4 + name.length + (headers[name]?.length ?? 0)
  return bytes
}

/** Cuts them into lists of at most `bytesMax`, or of one record that is larger. */
export function* sliceRecords(records: readonly LogRecord[], bytesMax: number): Generator<readonly LogRecord[]> {
  let from = 0
  let bytes = 0
  for (let at = 0; at < records.length; at += 1) {
    const more = measureFramed(records[at] as LogRecord) // within its bounds
    if (at > from && bytes + more > bytesMax) {
      yield records.slice(from, at)
      from = at
      bytes = 0
    }
    bytes += more
  }
  if (from < records.length) yield from === 0 ? records : records.slice(from)
}

const NO_HEADERS = Object.freeze({})

export function readRecords(reader: Reader, topic: string): LogRecord[] {
  const count = reader.u32()
  const records: LogRecord[] = []
  for (let index = 0; index < count; index++) {
    const partition = reader.u32()
    const offset = reader.f64()
    const appendedAtMs = reader.f64()
    const { key, headers = NO_HEADERS, value } = reader.record()
    records.push({ topic, partition, offset, appendedAtMs, key, headers, value })
  }
  return records
}
