import { LRUCache } from 'lru-cache'

/** URIs whose parts may not be kept: a range of one goes to the origin as the client asked, without trying a slice first. */
export type Unsliceable = { has(uri: string): boolean; add(uri: string): void }

const URIS_MAX = 10_000
/** Then it is tried again: the origin may have changed its mind. */
const FOR_MS = 60_000

export function createUnsliceable(): Unsliceable {
  const known = new LRUCache<string, true>({ max: URIS_MAX, ttl: FOR_MS })
  return { has: (uri) => known.has(uri), add: (uri) => void known.set(uri, true) }
}
