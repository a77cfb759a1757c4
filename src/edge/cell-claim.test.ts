import { expect, test } from 'bun:test'
import { createCellClaims, readCellClaim } from './cell-claim.ts'

const token = (claims: unknown): string =>
  `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

test.each([
  [token({ cell: 'a', sub: 'x' }), 'a'],
  [token({ cell: 7 }), null],
  [token({}), null],
  [token(null), null],
  [token('cell'), null],
  ['Bearer a.b', null],
  ['Bearer a.!!!.c', null],
  ['', null],
])('%s', (authorization, expected) => {
  expect(readCellClaim(authorization)).toBe(expected)
  const cellOf = createCellClaims({ tokensMax: 2 })
  expect([cellOf(authorization), cellOf(authorization), cellOf(null)]).toEqual([expected, expected, null])
})
