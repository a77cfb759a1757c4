import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { EVENTS } from './events.ts'
import { findPurgeFault, PURGE_SCOPES, type PurgeScope } from './purge.ts'

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
]
test.each(cases)('%s %s: %p', (scope, value, good) => {
  expect(findPurgeFault({ scope, value }) === null).toBe(good)
  const { success } = EVENTS['tentpole.cache.purged.v1'].data.safeParse({ scope, value, reason: '' })
  expect(success).toBe(good)
})

test('any text gets an answer, and in time', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PURGE_SCOPES), fc.string({ unit: 'binary', maxLength: 4_096 }), (scope, value) => {
      const fault = findPurgeFault({ scope, value })
      expect(fault === null || fault.startsWith('expected')).toBe(true)
    }),
  )
  const startedMs = performance.now()
  for (const value of [`/${'a/'.repeat(2_000)}#`, `http://${'a.'.repeat(2_000)}`, `/${'%41'.repeat(1_300)}%`])
    expect(findPurgeFault({ scope: 'url', value })).not.toBeNull()
  expect(performance.now() - startedMs).toBeLessThan(50)
})
