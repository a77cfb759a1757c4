import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { deriveId, originOf, REDRIVE_HEADER, toRedriveHeader } from './derive-id.ts'

const UUID_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('the same parts give the same id, other parts another, and each is a UUIDv8', () => {
  const part = fc.oneof(fc.string(), fc.nat())
  fc.assert(
    fc.property(fc.array(part), fc.array(part), (a, b) => {
      expect(deriveId(...a)).toMatch(UUID_8)
      expect(deriveId(...a) === deriveId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})

test('a record that was put back is known by its dead letter, wherever it lies', () => {
  const headers = { [REDRIVE_HEADER]: toRedriveHeader('prices', 'letter-1') }
  expect(originOf({ topic: 't', partition: 0, offset: 1 }, headers)).toBe(
    originOf({ topic: 't', partition: 0, offset: 2 }, headers),
  )
  expect(originOf({ topic: 't', partition: 0, offset: 1 }, {})).not.toBe(
    originOf({ topic: 't', partition: 0, offset: 2 }, {}),
  )
})
