import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { appendCacheStatus, type CacheReport, toCacheStatus } from './cache-status.ts'
import { parseList } from './structured-fields.ts'

test.each<[CacheReport, string]>([
  [{ hit: true }, 'tentpole; hit'],
  [{ hit: true, ttlS: 376 }, 'tentpole; hit; ttl=376'],
  [{ hit: true, ttlS: -412.9 }, 'tentpole; hit; ttl=-412'],
  [{ hit: true, ttlS: -0.4, detail: 'memory' }, 'tentpole; hit; ttl=0; detail=memory'],
  [{ fwd: 'uri-miss' }, 'tentpole; fwd=uri-miss'],
  [{ fwd: 'stale', fwdStatus: 304, stored: true }, 'tentpole; fwd=stale; fwd-status=304; stored'],
  [{ fwd: 'uri-miss', collapsed: true, stored: false }, 'tentpole; fwd=uri-miss; stored=?0; collapsed'],
  [{ fwd: 'uri-miss', collapsed: false, ttlS: 5 }, 'tentpole; fwd=uri-miss; collapsed=?0; ttl=5'],
  [{ fwd: 'bypass', detail: 'a "b"\r\n\u00fc' }, 'tentpole; fwd=bypass; detail="a \\"b\\"???"'],
])('%p', (report, expected) => {
  expect(toCacheStatus(report)).toBe(expected)
  expect(parseList(expected)).not.toBeNull()
})

test.each<[string | null, string]>([
  [null, 'own; hit'],
  ['', 'own; hit'],
  ['OriginCache; hit; ttl=1100', 'OriginCache; hit; ttl=1100, own; hit'],
  ['"A, B"; hit, c;fwd=miss', '"A, B"; hit, c;fwd=miss, own; hit'],
  ['HIT from 10.0.0.1', 'own; hit'],
  ['a,', 'own; hit'],
])('after %p', (upstream, expected) => expect(appendCacheStatus(upstream, 'own; hit')).toBe(expected))

test('whatever the detail and whatever came before, a list is sent and ours is its last member', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.option(fc.string()),
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
      (detail, upstream, ttlS) => {
        const members = parseList(appendCacheStatus(upstream, toCacheStatus({ hit: true, detail, ttlS })))
        expect(members?.at(-1)).toMatchObject({ kind: 'item', bare: { type: 'token', value: 'tentpole' } })
      },
    ),
  )
})
