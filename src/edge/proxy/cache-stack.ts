import type { Clock, Limits } from '../../kernel/index.ts'
import { type PolicyOptions, toPolicy } from '../cache/policy/index.ts'
import { createMemoryTier, type MemoryTier, toMemoryTierOptions } from '../memory/index.ts'
import { createSharedFetches, type SharedFetches } from '../origin/index.ts'
import type { Upstream } from './ask.ts'
import { type CachingProxy, createCachingProxy } from './caching-proxy.ts'
import type { FetchedHead } from './land.ts'
import { type CacheMeta, createResponseCache } from './response-cache.ts'

/** A cache with all it stands on; `tier` and `fetches` are what purges go through. */
export type CacheStack<C> = {
  readonly proxy: CachingProxy<C>
  readonly tier: MemoryTier<CacheMeta>
  readonly fetches: SharedFetches<FetchedHead>
}

export function createCacheStack<C>(options: {
  readonly upstream: Upstream<C>
  readonly limits: Limits
  readonly clock: Clock
  readonly policy?: Partial<PolicyOptions>
}): CacheStack<C> {
  const { upstream, limits, clock } = options
  const policy = { ...toPolicy(limits), ...options.policy }
  const tier = createMemoryTier<CacheMeta>(toMemoryTierOptions(limits))
  const fetches = createSharedFetches<FetchedHead>({ clock, limits })
  const cache = createResponseCache({
    tier,
    policy,
    sliceBytes: limits.edgeSliceBytes,
    tagsMax: limits.edgeTagsMax,
    objectBytesMax: Math.floor(limits.edgeCacheBytes * limits.edgeObjectShareMax),
  })
  const proxy = createCachingProxy({ upstream, cache, fetches, policy, clock, limits })
  return { proxy, tier, fetches }
}
