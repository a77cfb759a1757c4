import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createReader, createWriter } from './codec.ts'

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
