import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { EVENTS } from './events.ts'
import { signPathToken } from './path-token.ts'
import { findPurgeFault, PURGE_SCOPES, type PurgeScope } from './purge.ts'

const TOKEN = signPathToken(
  { current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64url') } },
  { expiresAtS: 2_000_000_000, prefix: '/t1/', sessionId: 's1', cell: 'a', network: null },
)

const cases: readonly (readonly [PurgeScope, string, boolean])[] = [
  ['url', 'http://films.example/a/b.mp4?x=1', true],
  ['url', 'HTTPS://Films.Example:8443/', true],
  ['url', '/a/b.mp4', true],
  ['url', '/a%41b', true],
  ['url', 'http://[::1]:80/a', true],
  ['prefix', '/films/', true],
  ['prefix', '/', true],
  ['tag', 'title-1', true],
  ['url', 'films.example/a', false],
  ['url', 'http://films.example', false],
  ['url', 'http://me@films.example/', false],
  ['url', 'ftp://films.example/a', false],
  ['url', '//films.example/a', false],
  ['url', '/a#b', false],
  ['url', '/a b', false],
  ['url', '/ä', false],
  ['url', '/a\\b', false],
  ['url', '/a/../b', false],
  ['url', '/a//b', false],
  ['url', '/a/.', false],
  ['url', '/a%2fb', false],
  ['url', '/a%2', false],
  ['prefix', '', false],
  ['tag', 'two tags', false],
  ['tag', '', false],
  ['tag', 'a\nb', false],
  ['url', '/v/0123456789abcdef/v360/7.m4s', true],
  ['url', '/a-name-that-is-rather-long.mp4', true],
  ['url', `/sums/${'a'.repeat(43)}.${'b'.repeat(64)}`, true],
  ['url', `http://films.example/v/${TOKEN}/v360/7.m4s`, false],
  ['url', `/v/${TOKEN}/v360/7.m4s`, false],
  ['url', `/v/${TOKEN.slice(0, -9)}/v360/7.m4s`, false],
  ['url', `/v/%${TOKEN.charCodeAt(0).toString(16)}${TOKEN.slice(1)}/v360/7.m4s`, false],
  ['url', `/v/${'a'.repeat(40)}.${'b'.repeat(43)}/7.m4s`, false],
  ['url', `/t1/7.m4s?token=${TOKEN}`, false],
  ['url', `/t1/7.m4s?token=${TOKEN.replace('.', '%2e')}`, false],
  ['prefix', `/v/${TOKEN}`, false],
  ['tag', `http://films.example/v/${TOKEN}/v360/7.m4s`, false],
]
test.each(cases)('%s %s: %p', (scope, value, good) => {
  expect(findPurgeFault({ scope, value }) === null).toBe(good)
  const { success } = EVENTS['tentpole.cache.purged.v1'].data.safeParse({ scope, value, reason: '' })
  expect(success).toBe(good)
})

test('who pastes a signed address is told the right form, and nothing of it is repeated', () => {
  const fault = findPurgeFault({ scope: 'url', value: `http://films.example/v/${TOKEN}/v360/7.m4s` })
  expect(fault).toContain('"/v/<title>/<file>" on the platform')
  expect(fault).not.toContain(TOKEN.slice(0, 8))
})

test('any text gets an answer, and in time', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PURGE_SCOPES), fc.string({ unit: 'binary', maxLength: 4_096 }), (scope, value) => {
      const fault = findPurgeFault({ scope, value })
      expect(fault === null || fault.startsWith('expected')).toBe(true)
    }),
  )
  const startedMs = performance.now()
  for (const value of [
    `/${'a/'.repeat(2_000)}#`,
    `http://${'a.'.repeat(2_000)}`,
    `/${'%41'.repeat(1_300)}%`,
    `${'a'.repeat(4_095)}#`,
  ])
    expect(findPurgeFault({ scope: 'url', value })).not.toBeNull()
  expect(performance.now() - startedMs).toBeLessThan(50)
})
