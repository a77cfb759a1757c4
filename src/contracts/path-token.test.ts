import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { networkOf, parseAddress, parseNetwork } from './network.ts'
import {
  admitsAddress,
  coversPath,
  isPathPrefix,
  type PathKeys,
  type PathToken,
  signPathToken,
  titleOf,
  toTitlePrefix,
  verifyPathToken,
} from './path-token.ts'

const field = fc.string({ unit: fc.constantFrom(...'abcXYZ019_.:-'), minLength: 1, maxLength: 64 })
const segment = fc
  .string({ unit: fc.constantFrom(...'abXY01_-,;=%'), minLength: 1, maxLength: 12 })
  .map(encodeURIComponent)
const prefix = fc
  .tuple(fc.array(segment, { maxLength: 8 }), fc.boolean())
  .map(([segments, isDirectory]) => `/${segments.join('/')}${isDirectory && segments.length > 0 ? '/' : ''}`)
  .filter(isPathPrefix)
const address = fc.oneof(fc.ipV4(), fc.ipV6())
const network = fc.option(
  fc.tuple(address, fc.integer({ min: 1, max: 128 })).map(([text, bits]) => networkOf(parseAddress(text) ?? [], bits)),
)
const claims = fc.record({
  expiresAtS: fc.integer({ min: 1, max: 99_999_999_999 }),
  prefix,
  sessionId: field,
  cell: field,
  network,
})
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
const keysOf = (id: string, text: string): PathKeys => ({ current: id, keys: { [id]: text } })
const BASE = { expiresAtS: 2_000_000_000, prefix: '/t1/', sessionId: 's1', cell: 'a', network: null }
const KEYS = keysOf('k1', Buffer.alloc(32, 7).toString('base64url'))

/** The same token with its payload read, changed and put back. */
function withPayload(token: string, change: (text: string) => string): string {
  const [payload = '', mac = ''] = token.split('.')
  const text = change(Buffer.from(payload, 'base64url').toString('latin1'))
  return `${Buffer.from(text, 'latin1').toString('base64url')}.${mac}`
}

describe('a path token', () => {
  test('is read back as it was signed, until the second it expires', () => {
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

  test('changed in any character is refused', () => {
    const bound = parseNetwork('192.0.2.0/24')
    for (const token of [signPathToken(KEYS, BASE), signPathToken(KEYS, { ...BASE, network: bound })])
      fc.assert(
        fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.~/='), (at, character) => {
          fc.pre(token[at] !== character)
          const changed = token.slice(0, at) + character + token.slice(at + 1)
          expect(verifyPathToken(KEYS, changed, 0).ok).toBe(false)
        }),
        { numRuns: 500 },
      )
  })

  const changes: readonly (readonly [string, (text: string) => string])[] = [
    ['a later expiry', (text) => text.replace('2000000000', '2000000001')],
    ['another prefix', (text) => text.replace('/t1/', '/t2/')],
    ['a wider prefix', (text) => text.replace('/t1/', '/')],
    ['another session', (text) => text.replace('s1', 's2')],
    ['another cell', (text) => text.replace('~a~', '~b~')],
    ['another network', (text) => text.replace('192.0.2.0', '192.0.3.0')],
    ['a wider network', (text) => text.replace('/24', '/16').replace('192.0.2.0', '192.0.0.0')],
    ['no network', (text) => text.replace(/~192.*/, '')],
    ['another key', (text) => text.replace('k1', 'k2')],
    ['nothing changed but its padding', (text) => `${text}\0`],
  ]
  test.each(changes)('with %s is refused', (_, change) => {
    const other = Buffer.alloc(32, 9).toString('base64url')
    const keys: PathKeys = { current: 'k1', keys: { ...KEYS.keys, k2: other } }
    const token = signPathToken(keys, { ...BASE, network: parseNetwork('192.0.2.0/24') })
    expect(verifyPathToken(keys, token, 0).ok).toBe(true)
    expect(withPayload(token, change)).not.toBe(token)
    expect(verifyPathToken(keys, withPayload(token, change), 0).ok).toBe(false)
  })

  test('is no other text whatever', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000 }), (text) => expect(verifyPathToken(KEYS, text, 0).ok).toBe(false)),
    )
    for (const text of ['', '.', 'a.', '.a', 'a.b.c', `${'A'.repeat(2_000)}.b`, `${signPathToken(KEYS, BASE)}=`])
      expect(verifyPathToken(KEYS, text, 0)).toMatchObject({ ok: false })
  })

  test('with a payload of any text under any signature neither passes nor throws', () => {
    const part = fc.oneof(field, fc.constantFrom('/', '/a/', '~', '99', '192.0.2.0/24', '::/0', '/a/../b'))
    const payload = fc.array(part, { maxLength: 8 }).map((parts) => parts.join('~'))
    const forged = fc.tuple(payload, fc.string({ maxLength: 60 })).map(([text, mac]) => `${btoa(text)}.${mac}`)
    fc.assert(fc.property(forged, (text) => expect(verifyPathToken(KEYS, text, 0).ok).toBe(false)))
  })

  test('of the form before prefixes is malformed, never taken for one with a prefix', () => {
    const payload = Buffer.from('k1~2000000000~t1~s1~a').toString('base64url')
    expect(verifyPathToken(KEYS, `${payload}.${'A'.repeat(43)}`, 0)).toEqual({ ok: false, code: 'malformed' })
  })

  test('of an older key still verifies, of an unknown one does not, with another secret does not', () => {
    const token = signPathToken(KEYS, BASE)
    const other = Buffer.alloc(32, 9).toString('base64url')
    const rotated: PathKeys = { current: 'k2', keys: { ...KEYS.keys, k2: other } }
    expect(verifyPathToken(rotated, token, 0).ok).toBe(true)
    expect(verifyPathToken(keysOf('k2', other), token, 0)).toEqual({ ok: false, code: 'unknown-key' })
    expect(verifyPathToken(keysOf('k1', other), token, 0)).toEqual({ ok: false, code: 'bad-signature' })
    const inherited = signPathToken(keysOf('constructor', other), BASE)
    expect(verifyPathToken(KEYS, inherited, 0)).toEqual({ ok: false, code: 'unknown-key' })
  })

  const uncarried: readonly Partial<PathToken>[] = [
    { sessionId: '' },
    { sessionId: 'a~b' },
    { sessionId: 'a/b' },
    { cell: 'x'.repeat(65) },
    { cell: 'é' },
    { prefix: '' },
    { prefix: 't1/' },
    { prefix: '/a~b/' },
    { prefix: '/a/../b/' },
    { expiresAtS: -1 },
    { expiresAtS: 1.5 },
    { network: { base: [192, 0, 2, 7], prefixBits: 24 } },
    { network: { base: [1, 2], prefixBits: 8 } },
  ]
  test.each(uncarried)('%p is refused when signing', (claim) => {
    expect(() => signPathToken(KEYS, { ...BASE, ...claim })).toThrow('cannot carry')
  })

  test('cannot be signed with a key that is gone', () => {
    expect(() => signPathToken({ current: 'gone', keys: {} }, BASE)).toThrow('gone is not among the keys')
  })
})

describe('what a token opens', () => {
  const paths: readonly (readonly [prefix: string, path: string, covered: boolean])[] = [
    ['/a/b/', '/a/b/c', true],
    ['/a/b/', '/a/b/c/d.m4s', true],
    ['/a/b/', '/a/b/', true],
    ['/a/b/', '/a/b', false],
    ['/a/b/', '/a/bc', false],
    ['/a/b/', '/a/bc/d', false],
    ['/a/b/', '/a/B/c', false],
    ['/a/b/', '/x/a/b/c', false],
    ['/a/b/', '', false],
    ['/a/b', '/a/b', true],
    ['/a/b', '/a/b/', false],
    ['/a/b', '/a/b/c', false],
    ['/a/b', '/a/bc', false],
    ['/', '/a', true],
    ['/', '/', true],
  ]
  test.each(paths)('%p, the path %p: %p', (text, path, covered) => {
    expect(coversPath({ prefix: text }, path)).toBe(covered)
  })

  test('ends at a segment: never a path that only begins like the prefix', () => {
    fc.assert(
      fc.property(prefix, segment, (text, more) => {
        expect(coversPath({ prefix: text }, text)).toBe(true)
        const directory = text.endsWith('/') ? text : `${text}/`
        expect(coversPath({ prefix: directory }, directory + more)).toBe(true)
        if (directory !== '/') expect(coversPath({ prefix: directory }, `${directory.slice(0, -1)}${more}`)).toBe(false)
        if (!text.endsWith('/')) expect(coversPath({ prefix: text }, text + more)).toBe(false)
      }),
    )
  })

  const places: readonly (readonly [network: string | null, address: string, admitted: boolean])[] = [
    [null, '192.0.2.1', true],
    [null, 'no address', true],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '::ffff:192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.0/24', '', false],
    ['192.0.2.0/24', '192.0.2.1, 192.0.2.2', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:DB8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::ffff:192.0.2.0/120', '192.0.2.9', true],
  ]
  test.each(places)('bound to %p, from %p: %p', (text, from, admitted) => {
    expect(admitsAddress({ network: text === null ? null : parseNetwork(text) }, from)).toBe(admitted)
  })

  test('a title’s token names its title, no other does', () => {
    expect(titleOf({ prefix: toTitlePrefix('0123456789abcdef') })).toBe('0123456789abcdef')
    for (const text of ['/', '/a', '/a/b', '/a/b/']) expect(titleOf({ prefix: text })).toBeNull()
  })
})

describe('a prefix', () => {
  const cases: readonly (readonly [text: string, isPrefix: boolean])[] = [
    ['/', true],
    ['/films/', true],
    ['/films/x.mp4', true],
    ['/films/a%20b/', true],
    ['/films/%C3%A9/', true],
    ["/a!$&'()*+,;=:@-/", true],
    ['/...', true],
    ['', false],
    ['films/', false],
    ['//', false],
    ['/a//b', false],
    ['/.', false],
    ['/./a', false],
    ['/a/..', false],
    ['/a b/', false],
    ['/é/', false],
    ['/a~b/', false],
    ['/a?b', false],
    ['/a#b', false],
    ['/a\\b', false],
    ['/a%', false],
    ['/a%2', false],
    ['/a%zz', false],
    ['/%c3%a9/', false],
    ['/%41/', false],
    ['/%7E/', false],
    ['/a%2Fb', false],
    ['/a%5Cb', false],
    ['/%2E%2E/', false],
    ['/a%25b', false],
    ['/a%00', false],
    ['/a%7F', false],
    [`/${'a'.repeat(511)}`, true],
    [`/${'a'.repeat(512)}`, false],
  ]
  test.each(cases)('%p: %p', (text, isPrefix) => expect(isPathPrefix(text)).toBe(isPrefix))
})
