import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type PathKeys, signPathToken, verifyPathToken } from './path-token.ts'

const field = fc.string({ unit: fc.constantFrom(...'abcXYZ019_.:-'), minLength: 1, maxLength: 64 })
const claims = fc.record({
  expiresAtS: fc.integer({ min: 1, max: 99_999_999_999 }),
  titleId: field,
  sessionId: field,
  cell: field,
})
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
const keysOf = (id: string, text: string): PathKeys => ({ current: id, keys: { [id]: text } })
const BASE = { expiresAtS: 2_000_000_000, titleId: 't1', sessionId: 's1', cell: 'a' }
const KEYS = keysOf('k1', Buffer.alloc(32, 7).toString('base64url'))

test('what was signed is read back, until the second it expires', () => {
  fc.assert(
    fc.property(claims, field, secret, (signed, keyId, text) => {
      const keys = keysOf(keyId, text)
      const token = signPathToken(keys, signed)
      expect(token).toMatch(/^[\w-]+\.[\w-]{43}$/)
      const endMs = signed.expiresAtS * 1000
      expect(verifyPathToken(keys, token, endMs - 1)).toEqual({ ok: true, token: { keyId, ...signed } })
      expect(verifyPathToken(keys, token, endMs)).toEqual({ ok: false, code: 'expired' })
    }),
  )
})

test('a token changed in any character is refused', () => {
  const token = signPathToken(KEYS, BASE)
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.~'), (at, character) => {
      fc.pre(token[at] !== character)
      const changed = token.slice(0, at) + character + token.slice(at + 1)
      expect(verifyPathToken(KEYS, changed, 0).ok).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('no text whatever passes or throws', () => {
  fc.assert(fc.property(fc.string({ maxLength: 600 }), (text) => expect(verifyPathToken(KEYS, text, 0).ok).toBe(false)))
  for (const text of ['', '.', 'a.', '.a', 'a.b.c', `${'A'.repeat(600)}.b`])
    expect(verifyPathToken(KEYS, text, 0)).toMatchObject({ ok: false })
})

test('a retired key still verifies, an unknown one does not, another secret does not', () => {
  const token = signPathToken(KEYS, BASE)
  const other = Buffer.alloc(32, 9).toString('base64url')
  const rotated: PathKeys = { current: 'k2', keys: { ...KEYS.keys, k2: other } }
  expect(verifyPathToken(rotated, token, 0).ok).toBe(true)
  expect(verifyPathToken(keysOf('k2', other), token, 0)).toEqual({ ok: false, code: 'unknown-key' })
  expect(verifyPathToken(keysOf('k1', other), token, 0)).toEqual({ ok: false, code: 'bad-signature' })
  const inherited = signPathToken(keysOf('constructor', other), BASE)
  expect(verifyPathToken(KEYS, inherited, 0)).toEqual({ ok: false, code: 'unknown-key' })
})

test('fields that could be taken for another are refused when signing', () => {
  for (const titleId of ['', 'a~b', 'a/b', 'a b', 'é', 'x'.repeat(65)])
    expect(() => signPathToken(KEYS, { ...BASE, titleId })).toThrow('cannot carry')
  expect(() => signPathToken({ current: 'gone', keys: {} }, BASE)).toThrow('gone is not among the keys')
})
