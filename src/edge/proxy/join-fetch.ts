import { parseCacheControl } from '../http/cache-control.ts'
import type { FieldReader } from '../http/index.ts'
import type { Joined, SharedFetches } from '../origin/index.ts'
import type { Ask } from './ask.ts'
import type { Errand, FetchedHead, Fetcher } from './land.ts'
import type { ResponseCache } from './response-cache.ts'

/** Joins the fetch that an errand is done by, or begins it. */
export type JoinFetch<C> = {
  /** `what` tells errands about one answer apart: its whole, a slice of it, whether it has changed. */
  join(ask: Ask<C>, what: string, errand: Errand): Promise<Joined<FetchedHead>>
  /** Whether somebody else has begun it, and it can be joined. */
  isUnderWay(ask: Ask<C>, what: string): boolean
}

export function createJoinFetch<C>(options: {
  readonly cache: Pick<ResponseCache, 'fetchKey'>
  readonly fetches: SharedFetches<FetchedHead>
  readonly fetcher: Fetcher<C>
  readonly accepts: (ask: Ask<C>, head: FetchedHead) => boolean
}): JoinFetch<C> {
  const { cache, fetches, fetcher, accepts } = options
  return {
    join(ask, what, errand) {
      const everyones = `${cache.fetchKey(ask.head)}${what}`
      const company = toCompany(ask.head.fields)
      const { signal } = ask.request
      if (company === 'everyone' || fetches.canJoin(everyones))
        return fetches.join(everyones, fetcher(ask, errand, everyones), signal, (head) => accepts(ask, head))
      const own = `${everyones}\n${company}`
      if (company === 'nobody') return fetches.fetchAlone(own, fetcher(ask, errand, own), signal)
      return fetches.join(own, fetcher(ask, errand, own), signal, (head) => accepts(ask, head))
    },
    isUnderWay: (ask, what) => fetches.canJoin(`${cache.fetchKey(ask.head)}${what}`),
  }
}

/**
 * With whom a request waits for what it would be the first to ask for. Who says who he is may get an answer of his own (RFC
 * 9111, 3.5): only his like wait for that, so that nobody keeps all others from sharing theirs. What no answer to can ever be
 * stored (RFC 9111, 5.2.1.5; content of a GET), nobody waits for.
 */
function toCompany(fields: FieldReader): 'everyone' | 'credentials' | 'nobody' {
  const caching = fields.get('cache-control')
  if (caching !== null && parseCacheControl(caching).has('no-store')) return 'nobody'
  const length = fields.get('content-length')
  if (fields.get('transfer-encoding') !== null || (length !== null && length.trim() !== '0')) return 'nobody'
  return fields.get('authorization') !== null || fields.get('cookie') !== null ? 'credentials' : 'everyone'
}
