import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { sessionIdSchema } from '../../contracts/index.ts'
import { createId } from '../../kernel/index.ts'
import { createSessionId, isSessionOf } from './session-id.ts'

test('an id is a UUIDv7 of its own, and tells its viewer from every other', () => {
  const [viewer, other] = [createId(), createId()]
  const ids = Array.from({ length: 2_000 }, () => createSessionId(viewer))
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([isSessionOf(viewer, id), isSessionOf(other, id)]).toEqual([true, false])
  }
  expect(sessionIdSchema.safeParse(ids[0]).success).toBe(true)
  expect(ids.filter((_, at) => isSessionOf(viewer, createId()) && at)).toEqual([])
})

test('changed in any character it is nobody’s, and no text makes it throw', () => {
  const viewer = createId()
  const id = createSessionId(viewer)
  fc.assert(
    fc.property(fc.nat(id.length - 1), fc.constantFrom(...'0123456789abcdefAF-gG é'), (at, character) => {
      const changed = id.slice(0, at) + character + id.slice(at + 1)
      expect(isSessionOf(viewer, changed)).toBe(changed === id)
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !isSessionOf(viewer, text)))
})
