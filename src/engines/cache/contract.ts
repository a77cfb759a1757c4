import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { faultCode } from '../../kernel/index.ts'
import type { CachePort } from './port.ts'

const LONG = { ttlMs: 60_000 }

/** What every adapter of the cache's port promises. `pass` lets time go by. */
export function runCacheContract(
  name: string,
  open: () => Promise<{ readonly cache: CachePort; readonly pass: (ms: number) => Promise<void> }>,
): void {
  describe(`cache contract: ${name}`, () => {
    let cache: CachePort
    let pass: (ms: number) => Promise<void>
    beforeAll(async () => {
      const opened = await open()
      cache = opened.cache
      pass = opened.pass
    })
    afterAll(() => cache.close())
    const text = async (key: string): Promise<string | null> => {
      const value = await cache.get(key)
      return value && Buffer.from(value).toString()
    }

    test('a value comes back until it is deleted or replaced', async () => {
      expect(await text('a')).toBeNull()
      await cache.set('a', Buffer.from('one'), LONG)
      expect(await text('a')).toBe('one')
      await cache.set('a', Buffer.from('two'), LONG)
      expect(await text('a')).toBe('two')
      await cache.delete('a')
      await cache.delete('a')
      expect(await text('a')).toBeNull()
    })

    test('a value is forgotten after its time', async () => {
      await cache.set('short', Buffer.from('x'), { ttlMs: 50 })
      await cache.set('long', Buffer.from('y'), LONG)
      await pass(60)
      expect([await text('short'), await text('long')]).toEqual([null, 'y'])
    })

    test('what callers do to their bytes stays with them', async () => {
      const value = Buffer.from('safe')
      await cache.set('own', value, LONG)
      value.fill(0)
      const got = await cache.get('own')
      got?.fill(0)
      expect(await text('own')).toBe('safe')
    })

    test('increments add up however many come at once, and live as long as the first said', async () => {
      const sums = await Promise.all(Array.from({ length: 50 }, () => cache.increment('count', 2, { ttlMs: 200 })))
      expect([...sums].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => (index + 1) * 2))
      await pass(150)
      expect(await cache.increment('count', -1, LONG)).toBe(99)
      expect(await text('count')).toBe('99')
      await pass(100)
      expect(await cache.increment('count', 5, LONG)).toBe(5)
    })

    test('what is no number cannot be added to', async () => {
      await cache.set('word', Buffer.from('word'), LONG)
      expect(await cache.increment('word', 1, LONG).catch(faultCode)).toBe('cache-not-a-number')
    })
  })
}
