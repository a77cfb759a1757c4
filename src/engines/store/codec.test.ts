import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { LogRecord } from '../log/port.ts'
import { createReader, createWriter, measureRecords, readRecords, sliceRecords, writeRecords } from './codec.ts'

/** Found by a title's verification: a tag written just when the buffer grew was lost. */
test('values survive wherever the buffer has to grow', () => {
  const value = fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.string(), fc.uint8Array({ maxLength: 20 }))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), fc.integer({ min: 1, max: 64 }), (values, bytes) => {
      const writer = createWriter(bytes)
      for (const each of values) writer.value(each)
      const reader = createReader(writer.done())
      for (const each of values) expect(reader.value()).toEqual(each instanceof Uint8Array ? Buffer.from(each) : each)
      expect(reader.more()).toBe(false)
    }),
  )
})

function record(offset: number, bytes: number): LogRecord {
  const value = Buffer.alloc(bytes, offset)
  return { topic: 't', partition: 0, offset, appendedAtMs: 5, key: `key-${offset}`, headers: { h: 'v' }, value }
}

test('records are cut into lists within a bound, none lost and in order; one that is larger goes alone', () => {
  const records = [300, 10, 10, 10, 900, 10, 200, 200].map((bytes, offset) => record(offset, bytes))
  for (const bytesMax of [1, 100, 250, 600, 1_000_000]) {
    const lists = [...sliceRecords(records, bytesMax)]
    expect(lists.flat()).toEqual(records)
    for (const list of lists) expect(list.length === 1 || measureRecords(list) - 4 <= bytesMax).toBe(true)
  }
  expect([...sliceRecords(records, 1)].map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
  expect([...sliceRecords([], 1)]).toEqual([])
})

test('what records take is measured exactly, and comes out as it went in', () => {
  const records = [record(0, 0), record(7, 1_000)]
  const written = writeRecords(createWriter(measureRecords(records)), records).done()
  expect(written.byteLength).toBe(measureRecords(records))
  const read = readRecords(createReader(written), 't').map((one) => ({ ...one, value: Buffer.from(one.value) }))
  expect(read).toEqual(records.map((one) => ({ ...one, value: Buffer.from(one.value) })))
})
