import { LRUCache } from 'lru-cache'
import type { Clock, Limits } from '../../kernel/index.ts'

/** URIs whose parts may not be kept: a range of one goes to the origin as the client asked, without trying a slice first. */
export type Unsliceable = { has(uri: string): boolean; add(uri: string): void }

export type UnsliceableLimits = Pick<Limits, 'edgeUnsliceableMax' | 'edgeUnsliceableMs'>

/** After `edgeUnsliceableMs` a slice is tried again: the origin may have changed its mind. */
export function createUnsliceable(limits: UnsliceableLimits, clock: Clock): Unsliceable {
  const known = new LRUCache<string, true>({
    max: limits.edgeUnsliceableMax,
    ttl: limits.edgeUnsliceableMs,
    ttlResolution: 0,
    perf: { now: clock.elapsedMs },
  })
  return { has: (uri) => known.has(uri), add: (uri) => void known.set(uri, true) }
}
