import type { CacheDirectives } from '../../http/cache-control.ts'
import { parseHttpDate } from '../../http/dates.ts'
import type { ResponseHead } from '../../http/message.ts'
import type { MessageTimes } from './age.ts'
import { directiveMs, toResponseDirectives, toWithheld } from './directives.ts'
import { toNegativeLifetimeMs } from './negative.ts'
import type { PolicyOptions } from './options.ts'
import { isHeuristicallyCacheable } from './statuses.ts'

export type Freshness = {
  /** Fresh while the age is below this (RFC 9111, 4.2). */
  readonly lifetimeMs: number
  readonly source: 'cdn' | 's-maxage' | 'max-age' | 'expires' | 'heuristic' | 'none'
  /** must-revalidate, proxy-revalidate or s-maxage: never served stale (RFC 9111, 5.2.2.2, 5.2.2.8, 5.2.2.10). */
  readonly mustRevalidate: boolean
  /** Unqualified no-cache: never served unvalidated (RFC 9111, 5.2.2.4). */
  readonly noCache: boolean
  readonly immutable: boolean
  /** How long after its freshness (RFC 5861, 3 and 4); 0 where something forbids stale answers. */
  readonly staleWhileRevalidateMs: number
  /** Null: the response says nothing about errors. */
  readonly staleIfErrorMs: number | null
}

export type FreshnessOptions = Pick<
  PolicyOptions,
  'heuristicShare' | 'heuristicMaxMs' | 'negativeMs' | 'jitterShare' | 'jitterAboveMs'
> & {
  /** The cache key; lifetimes are jittered by it. */
  readonly key: string
}

type Lifetime = Pick<Freshness, 'lifetimeMs' | 'source'>

/** What RFC 9111, 4.2.1 and 4.2.2 say of a response received at `times`. */
export function toFreshness(response: ResponseHead, times: MessageTimes, options: FreshnessOptions): Freshness {
  const { directives, targeted } = toResponseDirectives(response.fields)
  const lifetime =
    toExplicitLifetime(response, times, { directives, targeted }) ?? toHeuristicLifetime(response, times, options)
  const noCache = toWithheld(directives).noCache
  const mustRevalidate =
    directives.has('must-revalidate') || directives.has('proxy-revalidate') || directives.has('s-maxage')
  const mayBeStale = !noCache && !mustRevalidate
  return {
    lifetimeMs: toJittered(lifetime.lifetimeMs, options),
    source: lifetime.source,
    mustRevalidate,
    noCache,
    immutable: directives.has('immutable'),
    staleWhileRevalidateMs: mayBeStale ? (directiveMs(directives, 'stale-while-revalidate', 0) ?? 0) : 0,
    staleIfErrorMs: mayBeStale ? directiveMs(directives, 'stale-if-error', 0) : 0,
  }
}

/** s-maxage, max-age, Expires less Date, in this order; a number that cannot be read makes the response stale (4.2.1). */
function toExplicitLifetime(
  response: ResponseHead,
  times: MessageTimes,
  { directives, targeted }: { directives: CacheDirectives; targeted: boolean },
): Lifetime | null {
  for (const name of ['s-maxage', 'max-age'] as const) {
    const lifetimeMs = directiveMs(directives, name, 0)
    if (lifetimeMs !== null) return { lifetimeMs, source: targeted ? 'cdn' : name }
  }
  const expires = targeted ? null : response.fields.get('expires')
  if (expires === null) return null
  // Anything that is no date, "0" above all, is a time in the past (5.3).
  const expiresMs = parseHttpDate(expires, times.responseMs)
  const lifetimeMs = expiresMs === null ? 0 : Math.max(0, expiresMs - toDateMs(response, times))
  return { lifetimeMs, source: 'expires' }
}

/** Only where nothing explicit is there, and only for statuses that allow it or with `public` (4.2.2). */
function toHeuristicLifetime(response: ResponseHead, times: MessageTimes, options: FreshnessOptions): Lifetime {
  const { directives } = toResponseDirectives(response.fields)
  if (!isHeuristicallyCacheable(response.status) && !directives.has('public')) return NO_LIFETIME
  const negativeMs = toNegativeLifetimeMs(response, options.negativeMs)
  if (negativeMs !== null) return { lifetimeMs: negativeMs, source: 'heuristic' }
  const lastModified = response.fields.get('last-modified')
  const modifiedMs = lastModified === null ? null : parseHttpDate(lastModified, times.responseMs)
  if (modifiedMs === null) return NO_LIFETIME
  const sinceMs = Math.max(0, toDateMs(response, times) - modifiedMs)
  return { lifetimeMs: Math.min(sinceMs * options.heuristicShare, options.heuristicMaxMs), source: 'heuristic' }
}

const NO_LIFETIME: Lifetime = { lifetimeMs: 0, source: 'none' }

/** Date, or the time of receipt where it is absent or cannot be read (RFC 9110, 6.6.1). */
function toDateMs(response: ResponseHead, times: MessageTimes): number {
  const date = response.fields.get('date')
  return (date === null ? null : parseHttpDate(date, times.responseMs)) ?? times.responseMs
}

/** Only ever shorter: a cache may always consider a response stale early, never late. */
function toJittered(lifetimeMs: number, { jitterShare, jitterAboveMs, key }: FreshnessOptions): number {
  if (lifetimeMs <= jitterAboveMs || jitterShare <= 0) return lifetimeMs
  return Math.floor(lifetimeMs * (1 - Math.min(jitterShare, 1) * toShare(key)))
}

/** FNV-1a with a final mix, as a share of [0, 1): the same for one key in every process. */
function toShare(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
