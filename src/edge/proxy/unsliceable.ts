import { LRUCache } from 'lru-cache'
import type { Clock, Limits } from '../../kernel/index.ts'

/**
 * What a range of a URI that cannot be had in slices is answered by: `as-asked`, where no part may be kept beside others, by
 * what the origin says to it as the client put it; `whole`, where the origin sends nothing but that, by the whole.
 */
export type Unsliceable = 'as-asked' | 'whole'

export type UnsliceableUris = { get(uri: string): Unsliceable | null; set(uri: string, how: Unsliceable): void }

export type UnsliceableLimits = Pick<Limits, 'edgeUnsliceableMax' | 'edgeUnsliceableMs'>

/** After `edgeUnsliceableMs` a slice is tried again: the origin may have changed its mind. */
export function createUnsliceable(limits: UnsliceableLimits, clock: Clock): UnsliceableUris {
  const known = new LRUCache<string, Unsliceable>({
    max: limits.edgeUnsliceableMax,
    ttl: limits.edgeUnsliceableMs,
    ttlResolution: 0,
    perf: { now: clock.elapsedMs },
  })
  return { get: (uri) => known.get(uri) ?? null, set: (uri, how) => void known.set(uri, how) }
}
