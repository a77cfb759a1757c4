import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isPathPrefix, type PathKeys, parseNetwork, signPathToken } from '../contracts/index.ts'
import { createPathTokens } from './path-tokens.ts'
import { parseRequestTarget } from './target.ts'

const secretOf = (seed: number): string => Buffer.alloc(32, seed).toString('base64url')
const OLD: PathKeys = { current: 'k1', keys: { k1: secretOf(1) } }
const BOTH: PathKeys = { current: 'k2', keys: { k1: secretOf(1), k2: secretOf(2) } }
const NEW: PathKeys = { current: 'k2', keys: { k2: secretOf(2) } }
const CLAIMS = {
  expiresAtS: 100,
  prefix: '/films/x/',
  sessionId: 's',
  cell: 'a',
  network: parseNetwork('192.0.2.0/24'),
}
const PATH = '/films/x/0.m4s'
const HERE = '192.0.2.1'

function open(keys: PathKeys = OLD, tokensMax = 8) {
  let current = keys
  const check = createPathTokens({ keys: () => current, tokensMax })
  const codeOf = (token: string, path = PATH, address = HERE, nowMs = 0): string => {
    const access = check(token, path, address, nowMs)
    return access.ok ? 'ok' : access.code
  }
  const rotate = (next: PathKeys): void => {
    current = next
  }
  return { codeOf, rotate }
}

describe('a token that was verified before', () => {
  const token = signPathToken(OLD, CLAIMS)
  const cases: readonly (readonly [string, Parameters<ReturnType<typeof open>['codeOf']>, string])[] = [
    ['the same', [token], 'ok'],
    ['another file below', [token, '/films/x/v240/7.m4s'], 'ok'],
    ['a path beside', [token, '/films/xy/0.m4s'], 'other-path'],
    ['the path above', [token, '/films/'], 'other-path'],
    ['no path', [token, ''], 'other-path'],
    ['from the next network', [token, PATH, '192.0.3.1'], 'other-network'],
    ['from the same address written as IPv6', [token, PATH, '::ffff:192.0.2.1'], 'ok'],
    ['from nowhere', [token, PATH, ''], 'other-network'],
    ['just in time', [token, PATH, HERE, 99_999], 'ok'],
    ['too late', [token, PATH, HERE, 100_000], 'expired'],
    ['changed', [`${token.slice(0, -2)}AA`], 'bad-signature'],
    ['cut', [token.slice(0, 9)], 'malformed'],
  ]
  test.each(cases)('%s', (_, call, expected) => {
    const { codeOf } = open()
    expect(codeOf(...call)).toBe(expected)
    expect(codeOf(token)).toBe('ok')
    expect(codeOf(...call)).toBe(expected)
  })

  test('stays good while its key verifies, and is refused at once when it is retired or has another secret', () => {
    const { codeOf, rotate } = open()
    expect(codeOf(token)).toBe('ok')
    rotate(BOTH)
    expect([codeOf(token), codeOf(signPathToken(BOTH, CLAIMS))]).toEqual(['ok', 'ok'])
    rotate({ current: 'k1', keys: { k1: secretOf(3) } })
    expect(codeOf(token)).toBe('bad-signature')
    rotate(NEW)
    expect([codeOf(token), codeOf(signPathToken(NEW, CLAIMS))]).toEqual(['unknown-key', 'ok'])
  })

  test('is one of so many: more are verified again, none is let in without', () => {
    const { codeOf } = open(OLD, 2)
    const tokens = Array.from({ length: 9 }, (_, at) => signPathToken(OLD, { ...CLAIMS, sessionId: `s${at}` }))
    for (const each of [...tokens, ...tokens]) expect(codeOf(each)).toBe('ok')
    for (const each of tokens) expect(codeOf(each.replace(/.{3}$/, 'AAA'))).toBe('bad-signature')
  })
})

test('what cannot be verified is not remembered as if it could', () => {
  const { codeOf, rotate } = open()
  const early = signPathToken(NEW, CLAIMS)
  expect(codeOf(early)).toBe('unknown-key')
  rotate(BOTH)
  expect(codeOf(early)).toBe('ok')
})

test('every prefix that can be signed is a path as routing reads it, so that nothing else is ever compared', () => {
  const text = fc
    .string({ unit: fc.constantFrom(...'aZ0-_.~!:@%23457EFCDbf/\\? é'), maxLength: 12 })
    .map((rest) => `/${rest}`)
  fc.assert(
    fc.property(text, (prefix) => {
      const target = parseRequestTarget(prefix)
      const isCanonical = target !== null && target.path === prefix && !prefix.includes('~')
      expect(isPathPrefix(prefix)).toBe(isCanonical)
    }),
    { numRuns: 3_000 },
  )
})
