import { LRUCache } from 'lru-cache'
import type { Limits } from '../kernel/index.ts'

/** An immutable file of a title, whole in memory. */
export type MediaObject = {
  readonly bytes: Uint8Array
  /** Strong, with its quotes. */
  readonly etag: string
  readonly contentType: string
}

/** Objects by `<titleId>/<file>`, the least recently used out first, bounded in bytes. */
export type MediaCache = {
  get(key: string): MediaObject | undefined
  set(key: string, object: MediaObject): void
  /** Forgets all of a title. */
  purge(titleId: string): void
  bytes(): number
}

/** What an entry costs beside its bytes, roughly: key, headers, list links. */
const ENTRY_OVERHEAD_BYTES = 512

export function createMediaCache(limits: Pick<Limits, 'edgeCacheBytes'>): MediaCache {
  const objects = new LRUCache<string, MediaObject>({
    maxSize: limits.edgeCacheBytes,
    sizeCalculation: (object, key) => object.bytes.byteLength + key.length + ENTRY_OVERHEAD_BYTES,
  })
  return {
    get: (key) => objects.get(key),
    set: (key, object) => {
      objects.set(key, object)
    },
    purge(titleId) {
      for (const key of [...objects.keys()]) if (key.startsWith(`${titleId}/`)) objects.delete(key)
    },
    bytes: () => objects.calculatedSize,
  }
}
