import type { FieldLine, RequestHead } from '../../http/message.ts'
import { currentAgeMs } from './age.ts'
import type { PolicyOptions } from './options.ts'
import { type RequestWishes, toRequestWishes } from './request-directives.ts'
import type { StoredResponse } from './stored.ts'
import { toPreconditions } from './validators.ts'

export { onlyIfCached } from './request-directives.ts'

export type Reuse =
  | { readonly kind: 'fresh'; readonly ageMs: number }
  /** Stale, and the client's max-stale allows it. */
  | { readonly kind: 'stale'; readonly ageMs: number }
  /** To be served, and validated behind it (RFC 5861, 3). */
  | { readonly kind: 'stale-while-revalidate'; readonly ageMs: number }
  /** To be validated first, by a request with these fields in the place of the client's own conditions. */
  | { readonly kind: 'validate'; readonly add: readonly FieldLine[] }
  /** To be fetched as if nothing were stored: it cannot answer this method, or has nothing to be validated by. */
  | { readonly kind: 'unusable' }

/** Whether the response stored for a request's URI and variant may answer it now (RFC 9111, 4). */
export function decideReuse(question: {
  readonly stored: StoredResponse
  readonly request: RequestHead
  readonly nowMs: number
  readonly options: Pick<PolicyOptions, 'ignoreRequestNoCache'>
}): Reuse {
  const { stored, request, nowMs, options } = question
  if (!answersMethod(stored, request)) return UNUSABLE
  const wishes = toRequestWishes(request, options)
  if (stored.freshness.noCache || wishes.noCache) return toValidation(stored)
  const ageMs = currentAgeMs(stored, nowMs)
  const kind =
    ageMs < stored.freshness.lifetimeMs ? decideFresh(stored, wishes, ageMs) : decideStale(stored, wishes, ageMs)
  return kind === null ? toValidation(stored) : { kind, ageMs }
}

const UNUSABLE: Reuse = { kind: 'unusable' }

/**
 * A reload (`max-age=0`) of something fresh and immutable is answered as it is; a client that says no-cache means it
 * (RFC 8246, 2), and never comes here.
 */
function decideFresh({ freshness }: StoredResponse, wishes: RequestWishes, ageMs: number): 'fresh' | null {
  if (freshness.lifetimeMs - ageMs < wishes.minFreshMs) return null
  if (wishes.maxAgeMs !== null && ageMs > wishes.maxAgeMs && !freshness.immutable) return null
  return 'fresh'
}

/** RFC 9111, 4.2.4: only where nothing forbids it, and the origin (RFC 5861, 3) or the client (5.2.1.2) allows it. */
function decideStale(
  { freshness }: StoredResponse,
  wishes: RequestWishes,
  ageMs: number,
): 'stale' | 'stale-while-revalidate' | null {
  if (freshness.mustRevalidate || !toleratesStale(wishes, ageMs)) return null
  const staleMs = ageMs - freshness.lifetimeMs
  if (wishes.maxStaleMs !== null && staleMs > wishes.maxStaleMs) return null
  if (staleMs < freshness.staleWhileRevalidateMs) return 'stale-while-revalidate'
  return wishes.maxStaleMs === null ? null : 'stale'
}

/** A client that names max-age or min-fresh does not want stale answers, unless max-stale says so (5.2.1.1, 5.2.1.3). */
function toleratesStale(wishes: RequestWishes, ageMs: number): boolean {
  if (wishes.minFreshMs > 0) return false
  return wishes.maxAgeMs === null || (wishes.maxStaleMs !== null && ageMs <= wishes.maxAgeMs)
}

/**
 * Whether it may answer although the origin did not: `status` for a 500, 502, 503 or 504 (RFC 5861, 4), `disconnected`
 * when no origin could be reached (RFC 9111, 4.2.4). What the response says of errors bounds both; silence allows
 * `disconnectedStaleMs` of the latter only. What must be revalidated never does (5.2.2.2: a 504 instead).
 */
export function mayServeStaleOnError(question: {
  readonly stored: StoredResponse
  readonly request: RequestHead
  readonly nowMs: number
  readonly cause: 'status' | 'disconnected'
  readonly options: Pick<PolicyOptions, 'ignoreRequestNoCache' | 'disconnectedStaleMs'>
}): boolean {
  const { stored, request, nowMs, cause, options } = question
  const { freshness } = stored
  const wishes = toRequestWishes(request, options)
  if (!answersMethod(stored, request) || freshness.noCache || wishes.noCache) return false
  const ageMs = currentAgeMs(stored, nowMs)
  if (ageMs < freshness.lifetimeMs) return decideFresh(stored, wishes, ageMs) !== null
  if (freshness.mustRevalidate || !toleratesStale(wishes, ageMs)) return false
  const silentMs = cause === 'disconnected' ? options.disconnectedStaleMs : null
  const allowedMs = Math.max(freshness.staleIfErrorMs ?? silentMs ?? -1, wishes.staleIfErrorMs ?? -1)
  // A client that says how stale it likes things has the last word, either way.
  return ageMs - freshness.lifetimeMs <= (wishes.maxStaleMs ?? allowedMs)
}

/** The statuses that RFC 5861, 4 takes for an error of the origin. */
export function isOriginError(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504
}

/** RFC 9111, 4: a GET serves a GET and, without its content, a HEAD (RFC 9110, 9.3.2); a HEAD only a HEAD. */
function answersMethod(stored: StoredResponse, request: RequestHead): boolean {
  return request.method === stored.method || (request.method === 'HEAD' && stored.method === 'GET')
}

function toValidation(stored: StoredResponse): Reuse {
  const add = toPreconditions([stored])
  return add.length === 0 ? UNUSABLE : { kind: 'validate', add }
}
