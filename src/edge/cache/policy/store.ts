import { type CacheDirectives, parseCacheControl } from '../../http/cache-control.ts'
import type { RequestHead, ResponseHead } from '../../http/message.ts'
import { toResponseDirectives, toWithheld, type Withheld } from './directives.ts'
import { toNegativeLifetimeMs } from './negative.ts'
import type { PolicyOptions } from './options.ts'
import { parsePlacedRange } from './placed-range.ts'
import { isHeuristicallyCacheable, isNeverStored, isUnderstood } from './statuses.ts'
import { entityTagOf, isStrongTag, lastModifiedOf } from './validators.ts'
import { parseVary } from './vary.ts'

export type StoreOptions = Pick<PolicyOptions, 'negativeMs' | 'varyFieldsMax'>

export type StoreDecision =
  | { readonly store: false; readonly why: string }
  /** `without`: lower-case names of fields that no-cache="..." or private="..." keeps out of what is stored. */
  | { readonly store: true; readonly without: readonly string[] }

type Exchange = {
  readonly request: RequestHead
  readonly response: ResponseHead
  readonly options: StoreOptions
  readonly directives: CacheDirectives
  readonly withheld: Withheld
  /** max-age, s-maxage, Expires or public: the origin has said that this may be kept. */
  readonly explicit: boolean
}

/** Says why a response is not to be stored; null when it has nothing against it. */
type Objection = (exchange: Exchange) => string | null

/** Whether a shared cache may, and this one wants to, store a response (RFC 9111, 3). */
export function decideStore(exchange: {
  readonly request: RequestHead
  readonly response: ResponseHead
  readonly options: StoreOptions
}): StoreDecision {
  const { directives, targeted } = toResponseDirectives(exchange.response.fields)
  const withheld = toWithheld(directives)
  const explicit =
    ['public', 'max-age', 's-maxage'].some((name) => directives.has(name)) ||
    (!targeted && exchange.response.fields.get('expires') !== null)
  const whole: Exchange = { ...exchange, directives, withheld, explicit }
  for (const objection of OBJECTIONS) {
    const why = objection(whole)
    if (why !== null) return { store: false, why }
  }
  return { store: true, without: withheld.fields }
}

/** In the order of RFC 9111, 3; the choices of ours that only ever store less come last. */
const OBJECTIONS: readonly Objection[] = [
  objectToMethod,
  objectToStatus,
  objectToNoStore,
  objectToPrivate,
  objectToAuthorization,
  objectToSilence,
  objectToVary,
  objectToPartial,
  objectToCookies,
  objectToContent,
  objectToUselessness,
]

/** POST could be stored with explicit freshness and Content-Location (RFC 9110, 9.3.3); nobody asks for that, and it is not. */
function objectToMethod({ request }: Exchange): string | null {
  return request.method === 'GET' || request.method === 'HEAD' ? null : `method ${request.method} is not stored`
}

function objectToStatus({ response: { status }, directives }: Exchange): string | null {
  if (!Number.isInteger(status) || status < 200 || status > 599) return `status ${status} is not final`
  if (isNeverStored(status)) return `status ${status} is never stored`
  if (directives.has('must-understand') && !isUnderstood(status)) return `must-understand: status ${status} is not`
  return null
}

/** must-understand overrules the response's no-store where the status is understood (5.2.2.3); a request's no-store nothing does (5.2.1.5). */
function objectToNoStore({ request, directives }: Exchange): string | null {
  if (parseCacheControl(request.fields.get('cache-control')).has('no-store')) return 'no-store in the request'
  return directives.has('no-store') && !directives.has('must-understand') ? 'no-store' : null
}

function objectToPrivate({ withheld }: Exchange): string | null {
  return withheld.isPrivate ? 'private' : null
}

/** RFC 9111, 3.5. */
function objectToAuthorization({ request, directives }: Exchange): string | null {
  if (request.fields.get('authorization') === null) return null
  const allowed = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
  return allowed ? null : 'Authorization without public, s-maxage or must-revalidate'
}

function objectToSilence({ response, explicit }: Exchange): string | null {
  if (explicit || isHeuristicallyCacheable(response.status)) return null
  return `status ${response.status} without explicit freshness`
}

/** A Vary with * matches no request ever (4.1); one with a great many fields would make as many copies. */
function objectToVary({ response, options }: Exchange): string | null {
  const vary = parseVary(response.fields.get('vary'))
  if (vary === null) return 'Vary: * or unreadable'
  return vary.length > options.varyFieldsMax ? `Vary names ${vary.length} fields` : null
}

/** Parts are stored only as they can be completed: one range of a known size, by a strong entity tag (3.3, 3.4). */
function objectToPartial({ request, response }: Exchange): string | null {
  if (response.status !== 206) return null
  if (request.method !== 'GET' || request.fields.get('range') === null) return '206 to a request without a range'
  if (parsePlacedRange(response.fields.get('content-range')) === null) return '206 without one range of a known size'
  return isStrongTag(entityTagOf(response.fields)) ? null : '206 without a strong entity tag'
}

/**
 * A deviation that protects: RFC 9111 (7.3) allows storing Set-Cookie, and origins that forgot about it hand one user's
 * session to all. So a Set-Cookie needs `public` or `s-maxage`, and an answer to a request with Cookie any explicit word.
 */
function objectToCookies({ request, response, directives, withheld, explicit }: Exchange): string | null {
  const sets = response.fields.get('set-cookie') !== null && !withheld.fields.includes('set-cookie')
  if (sets && !directives.has('public') && !directives.has('s-maxage')) return 'Set-Cookie without public or s-maxage'
  return request.fields.get('cookie') !== null && !explicit ? 'Cookie without explicit freshness' : null
}

/** Content of a GET has no meaning (RFC 9110, 9.3.1) and is in no key; an origin that heeds it would poison the URI. */
function objectToContent({ request }: Exchange): string | null {
  const length = request.fields.get('content-length')
  const hasContent = request.fields.get('transfer-encoding') !== null || (length !== null && length.trim() !== '0')
  return hasContent ? 'request with content' : null
}

/** What is never fresh and cannot be validated only takes room. */
function objectToUselessness({ response, options, explicit, withheld }: Exchange): string | null {
  if (entityTagOf(response.fields) !== null || lastModifiedOf(response.fields) !== null) return null
  if (withheld.noCache) return 'no-cache without a validator'
  if (explicit || (toNegativeLifetimeMs(response, options.negativeMs) ?? 0) > 0) return null
  return 'neither freshness nor a validator'
}
