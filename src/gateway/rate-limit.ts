import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../kernel/index.ts'
import { toProblem } from './problem.ts'

/** A token bucket per key, in this process's memory; the longest unseen keys are forgotten, which only ever helps them. */
export type RateLimit = {
  /** 0 when the request may pass, else the seconds after which it is worth asking again. */
  take(key: string): number
}

type Bucket = { left: number; atMs: number }

export function createRateLimit(options: {
  burstMax: number
  perSecondMax: number
  keysMax: number
  clock?: Clock
}): RateLimit {
  const { burstMax, perSecondMax, keysMax, clock = systemClock } = options
  const buckets = new LRUCache<string, Bucket>({ max: keysMax })
  return {
    take(key) {
      const now = clock.elapsedMs()
      const bucket = buckets.get(key)
      if (!bucket) {
        buckets.set(key, { left: burstMax - 1, atMs: now })
        return 0
      }
      bucket.left = Math.min(burstMax, bucket.left + ((now - bucket.atMs) / 1000) * perSecondMax)
      bucket.atMs = now
      if (bucket.left < 1) return Math.ceil((1 - bucket.left) / perSecondMax)
      bucket.left -= 1
      return 0
    },
  }
}

/** The problem to answer with, or null when the request may pass. */
export type LimitRate = (viewerId: string) => Response | null

export function toLimitRate(rate: RateLimit): LimitRate {
  return (viewerId) => {
    const waitS = rate.take(viewerId)
    if (waitS === 0) return null
    return toProblem('too-many-requests', `This viewer asks too often; ask again in ${waitS} s.`, {
      headers: { 'retry-after': String(waitS) },
    })
  }
}
