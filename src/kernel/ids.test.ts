import { expect, test } from 'bun:test'
import { createId, createShortId } from './ids.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are version 7 UUIDs that carry their time', () => {
  const nowMs = Date.now() + 60_000
  const id = createId(nowMs)
  expect(id).toMatch(UUID_V7)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(nowMs)
})

test('ids differ and sort in the order they were made, within a millisecond and when the clock goes back', () => {
  const nowMs = Date.now() + 120_000
  const ids = [
    ...Array.from({ length: 10_000 }, () => createId(nowMs)),
    ...Array.from({ length: 100 }, () => createId(nowMs - 5_000)),
    createId(nowMs + 10_000),
  ]
  for (const id of ids) expect(id).toMatch(UUID_V7)
  expect(ids).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
})

test('short ids are 16 characters of Crockford base 32, and every bit is used', () => {
  const ids = Array.from({ length: 2_000 }, createShortId)
  for (const id of ids) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/)
  expect(new Set(ids).size).toBe(ids.length)
  for (let place = 0; place < 16; place++) expect(new Set(ids.map((id) => id[place])).size).toBe(32)
})
