import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { sessionIdSchema } from '../../contracts/index.ts'
import { createId } from '../../kernel/index.ts'
import { createSessionIds } from './session-id.ts'

const ids = createSessionIds(Buffer.alloc(32, 1))

test('an id is a UUIDv7 of its own, and tells its viewer from every other', () => {
  const [viewer, other] = [createId(), createId()]
  const made = Array.from({ length: 2_000 }, () => ids.create(viewer))
  expect(new Set(made).size).toBe(made.length)
  for (const id of made) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([ids.isOf(viewer, id), ids.isOf(other, id)]).toEqual([true, false])
  }
  expect(sessionIdSchema.safeParse(made[0]).success).toBe(true)
  expect(made.filter(() => ids.isOf(viewer, createId()))).toEqual([])
})

test('every cell with the secret knows it, nobody without', () => {
  const viewer = createId()
  const id = ids.create(viewer)
  expect(createSessionIds(Buffer.alloc(32, 1)).isOf(viewer, id)).toBe(true)
  expect(createSessionIds(Buffer.alloc(32, 2)).isOf(viewer, id)).toBe(false)
})

test('from what its viewer knows no id can be made up', () => {
  const viewer = createId()
  const head = ids.create(viewer).slice(0, 24)
  // As ids were made before they had a secret.
  const madeUp = createHash('sha256').update(head).update(viewer).digest('hex').slice(0, 12)
  expect(ids.isOf(viewer, head + madeUp)).toBe(false)
  // What is known of one says nothing about another.
  expect(ids.isOf(viewer, ids.create(viewer).slice(0, 24) + ids.create(viewer).slice(24))).toBe(false)
})

test('changed in any character it is nobody’s, and no text makes it throw', () => {
  const viewer = createId()
  const id = ids.create(viewer)
  fc.assert(
    fc.property(fc.nat(id.length - 1), fc.constantFrom(...'0123456789abcdefAF-gG é'), (at, character) => {
      const changed = id.slice(0, at) + character + id.slice(at + 1)
      expect(ids.isOf(viewer, changed)).toBe(changed === id)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !ids.isOf(viewer, text)))
})
