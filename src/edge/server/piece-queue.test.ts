import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createPieceQueue } from './piece-queue.ts'

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.uint8Array({ minLength: 1_000, maxLength: 1_100 }),
  // A part of more, as what follows a head is.
  fc.uint8Array({ minLength: 2, maxLength: 2_000 }).map((bytes) => bytes.subarray(1)),
)

test('what comes out is what went in, in few pieces, each with memory of its own', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (given, takes) => {
      const queue = createPieceQueue()
      const got: Uint8Array[] = []
      let waiting = 0
      const take = (): boolean => {
        const next = queue.shift()
        if (next) {
          got.push(next)
          waiting -= next.byteLength
          expect(next.byteLength).toBe(next.buffer.byteLength)
        }
        expect(queue.bytes()).toBe(waiting)
        return next !== null
      }
      for (const bytes of given) {
        queue.push(bytes)
        waiting += bytes.byteLength
        if (takes.next().value) take()
      }
      while (take());
      expect(got.every(({ byteLength }) => byteLength > 0)).toBe(true)
      expect(Buffer.compare(Buffer.concat(got), Buffer.concat(given))).toBe(0)
    }),
  )
})

test('a hundred thousand bytes, one at a time, wait in as many pieces as it takes blocks of 4 KiB', () => {
  const queue = createPieceQueue()
  for (let at = 0; at < 100_000; at++) queue.push(Uint8Array.of(at % 251))
  let pieces = 0
  for (let next = queue.shift(); next; next = queue.shift()) pieces += 1
  expect([pieces, queue.bytes()]).toEqual([25, 0])
})

test('a byte that is read at once brings no block with it; what is cleared is gone', () => {
  const queue = createPieceQueue()
  queue.push(Uint8Array.of(1))
  expect(queue.shift()?.buffer.byteLength).toBe(1)
  queue.push(Uint8Array.of(1))
  queue.push(new Uint8Array(2_000))
  queue.push(Uint8Array.of(1))
  queue.clear()
  expect([queue.bytes(), queue.shift()]).toEqual([0, null])
})
