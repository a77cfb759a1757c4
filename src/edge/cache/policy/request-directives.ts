import { parseCacheControl } from '../../http/cache-control.ts'
import type { RequestHead } from '../../http/message.ts'

/** What a client asks of a cache (RFC 9111, 5.2.1 and 5.4). */
export type RequestWishes = {
  readonly noCache: boolean
  /** Null: not said. Unreadable counts as 0, the strictest. */
  readonly maxAgeMs: number | null
  readonly minFreshMs: number
  /** How stale an answer may be; Infinity for max-stale without a value, null when not said. */
  readonly maxStaleMs: number | null
  /** RFC 5861, 4: allowed in requests too; null when not said. */
  readonly staleIfErrorMs: number | null
}

const NO_WISHES: RequestWishes = {
  noCache: false,
  maxAgeMs: null,
  minFreshMs: 0,
  maxStaleMs: null,
  staleIfErrorMs: null,
}

export function toRequestWishes(
  request: Pick<RequestHead, 'fields'>,
  options: { readonly ignoreRequestNoCache: boolean },
): RequestWishes {
  const cacheControl = request.fields.get('cache-control')
  if (cacheControl === null) {
    // Pragma counts only where Cache-Control is absent (5.4).
    const pragma = request.fields.get('pragma')
    const noCache = pragma !== null && !options.ignoreRequestNoCache && parseCacheControl(pragma).has('no-cache')
    return noCache ? { ...NO_WISHES, noCache } : NO_WISHES
  }
  const directives = parseCacheControl(cacheControl)
  const secondsOf = (name: string, ifInvalid: number): number | null => {
    const seconds = directives.seconds(name)
    return seconds === null ? null : (seconds === 'invalid' ? ifInvalid : seconds) * 1_000
  }
  const bareMaxStale = directives.has('max-stale') && directives.seconds('max-stale') === null
  const lenient: RequestWishes = {
    ...NO_WISHES,
    maxStaleMs: bareMaxStale ? Number.POSITIVE_INFINITY : secondsOf('max-stale', 0),
    staleIfErrorMs: secondsOf('stale-if-error', 0),
  }
  if (options.ignoreRequestNoCache) return lenient
  return {
    ...lenient,
    noCache: directives.has('no-cache'),
    maxAgeMs: secondsOf('max-age', 0),
    minFreshMs: secondsOf('min-fresh', Number.POSITIVE_INFINITY) ?? 0,
  }
}

/** only-if-cached (RFC 9111, 5.2.1.7): what the cache cannot answer by itself gets 504 and never goes to an origin. */
export function onlyIfCached(request: Pick<RequestHead, 'fields'>): boolean {
  const cacheControl = request.fields.get('cache-control')
  return cacheControl !== null && parseCacheControl(cacheControl).has('only-if-cached')
}
