import { LRUCache } from 'lru-cache'
import { type Clock, Fault, systemClock } from '../../kernel/index.ts'
import type { CachePort } from './port.ts'

/** What an entry takes besides its key and value. */
const ENTRY_BYTES = 128

type Entry = { readonly value: Uint8Array; readonly expiresAtMs: number }

/**
 * A cache in this process, at most `bytesMax` large; the least recently used goes first. Counters are decimal text, as
 * in Redis, so that `get` of a counter is defined. Fault `cache-not-a-number` when what `increment` finds is none.
 */
export function createMemoryCache(options: { bytesMax: number; clock?: Clock }): CachePort {
  const { bytesMax, clock = systemClock } = options
  const entries = new LRUCache<string, Entry>({
    maxSize: bytesMax,
    sizeCalculation: ({ value }, key) => value.byteLength + key.length * 2 + ENTRY_BYTES,
  })

  /** Expiry is our own: it follows the injected clock. */
  const find = (key: string): Entry | null => {
    const entry = entries.get(key)
    if (!entry) return null
    if (entry.expiresAtMs > clock.elapsedMs()) return entry
    entries.delete(key)
    return null
  }

  return {
    async get(key) {
      const entry = find(key)
      return entry && new Uint8Array(entry.value)
    },
    async set(key, value, { ttlMs }) {
      entries.set(key, { value: new Uint8Array(value), expiresAtMs: clock.elapsedMs() + ttlMs })
    },
    async delete(key) {
      entries.delete(key)
    },
    async increment(key, by, { ttlMs }) {
      const entry = find(key)
      const text = entry ? Buffer.from(entry.value).toString() : '0'
      if (!/^-?\d+(?:\.\d+)?$/.test(text))
        throw new Fault(
          'cache-not-a-number',
          `expected a number under ${key} to add to, got ${entry?.value.byteLength} bytes`,
        )
      const sum = Number(text) + by
      entries.set(key, {
        value: Buffer.from(String(sum)),
        expiresAtMs: entry?.expiresAtMs ?? clock.elapsedMs() + ttlMs,
      })
      return sum
    },
    async close() {
      entries.clear()
    },
  }
}
