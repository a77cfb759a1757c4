import type { Clock } from '../../kernel/index.ts'
import {
  currentAgeMs,
  decideReuse,
  decideStore,
  isOriginError,
  matchesVariant,
  mayServeStaleOnError,
  mergeNotModified,
  onlyIfCached,
  type PolicyOptions,
  parseVary,
  type StoredResponse,
  selectNotModified,
  toInvalidatedUris,
  toStored,
  toVariantKey,
} from '../cache/policy/index.ts'
import type { CacheReport, FieldLine, ForwardReason, RequestHead, ResponseHead } from '../http/index.ts'
import type { Fetched, FetchFailure, Joined, Origins, SharedFetches } from '../origin/index.ts'
import { type EdgeProblem, RETRY_SOON, toProblemResponse } from '../problem.ts'
import type { Target } from '../target.ts'
import { declaredLength, isLooping, toForwardLines, toRequestHead, toResponseHead } from './messages.ts'
import { isPlainHit, respondHit, respondPassing, respondStored } from './respond.ts'
import type { Cached, ResponseCache } from './response-cache.ts'

export type CachingProxy = {
  handle(request: Request, target: Target, clientAddress: () => string): Response | Promise<Response>
}

/** What a fetch brought, for everyone who waits for it. */
export type FetchedHead = {
  readonly response: ResponseHead
  /** As it is being stored; null when it is not. */
  readonly stored: StoredResponse | null
  /** A 304 that freshened what was stored: look there. */
  readonly freshened: boolean
  /** What its `Vary` told apart, and how it came out for the request that fetched it. */
  readonly variant: { readonly varyFields: readonly string[]; readonly key: string } | null
}

type Ask = {
  readonly request: Request
  readonly head: RequestHead
  readonly target: Target
  readonly clientAddress: () => string
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** A shared HTTP cache in front of origins: RFC 9111 decides, this performs. */
export function createCachingProxy(options: {
  readonly origins: Pick<Origins, 'fetch'>
  readonly cache: ResponseCache
  readonly fetches: SharedFetches<FetchedHead>
  readonly policy: PolicyOptions
  readonly clock: Clock
}): CachingProxy {
  const { origins, cache, fetches, policy, clock } = options

  /** Sent on as it is, answered as it comes; what it changed is forgotten (RFC 9111, 4.4). */
  const pass = async ({ request, head, target, clientAddress }: Ask, fwd: ForwardReason): Promise<Response> => {
    const answer = await origins.fetch({
      method: request.method,
      path: target.path + target.query,
      lines: toForwardLines(request, { clientAddress, whole: false }),
      body: request.body,
      signal: request.signal,
    })
    if (!answer.ok) return toProblemResponse(toFetchProblem(answer))
    const response = toResponseHead(answer)
    cache.purge(toInvalidatedUris(head, response))
    return respondPassing(head, response, answer.body, { fwd })
  }

  /** One fetch of the whole, shared by all who ask for the same; with `validating`, a conditional one. */
  const start =
    ({ request, head, target, clientAddress }: Ask, validating: Cached | null, add: readonly FieldLine[]) =>
    async (signal: AbortSignal): Promise<Fetched<FetchedHead>> => {
      const ticket = cache.ticket(head)
      const requestMs = clock.nowMs()
      const lines = toForwardLines(request, { clientAddress, whole: true, add })
      const answer = await origins.fetch({ method: 'GET', path: target.path + target.query, lines, body: null, signal })
      if (!answer.ok) return answer
      const response = toResponseHead(answer)
      const times = { requestMs, responseMs: clock.nowMs() }
      const none = { body: answer.body, reread: null, store: null }
      if (response.status === 304 && validating) {
        const freshened = freshen(head, validating, response, times)
        return { ok: true, head: { response, stored: null, freshened, variant: null }, share: freshened, ...none }
      }
      const decision = decideStore({ request: head, response, options: policy })
      if (!decision.store)
        return { ok: true, head: { response, stored: null, freshened: false, variant: null }, share: false, ...none }
      const stored = toStored({
        request: { method: 'GET' },
        response,
        times,
        without: decision.without,
        options: { ...policy, key: head.uri },
      })
      const varyFields = parseVary(stored.fields.get('vary')) ?? []
      const variant = { varyFields, key: toVariantKey(varyFields, head) }
      const store = cache.keep(ticket, head, stored)
      const fetched = { response, stored, freshened: false, variant }
      return { ok: true, head: fetched, body: answer.body, reread: null, store, share: true }
    }

  const freshen = (
    request: RequestHead,
    cached: Cached,
    response: ResponseHead,
    times: { readonly requestMs: number; readonly responseMs: number },
  ): boolean => {
    const [stored] = selectNotModified([cached.stored], response)
    if (!stored) return false
    const merged = mergeNotModified({ stored, request, response, times, options: { ...policy, key: request.uri } })
    if (!merged.keep.store) cache.drop(cached)
    return merged.keep.store && cache.refresh(cached, merged.stored)
  }

  const fromCache = (ask: Ask, cached: Cached, report: CacheReport): Response | null => {
    const body = cache.bytesOf(cached)
    if (!body) return null
    const { stored, sizeBytes } = cached
    if (isPlainHit(ask.head, stored)) return respondHit(stored, body, currentAgeMs(stored, clock.nowMs()), report)
    return respondStored({ request: ask.head, stored, body, sizeBytes, nowMs: clock.nowMs(), report })
  }

  const join = (
    ask: Ask,
    cached: Cached | null,
    add: readonly FieldLine[],
    signal: AbortSignal,
  ): Promise<Joined<FetchedHead>> =>
    fetches.join(
      cache.fetchKey(ask.head) + (cached ? '\nvalidate' : ''),
      start(ask, cached, add),
      signal,
      // What varies by fields of the request answers only those who sent the same (RFC 9111, 4.1).
      ({ variant }) => variant === null || matchesVariant(variant, ask.head),
    )

  /** Brings it, whole or validated, and answers; an origin that fails leaves what may be served stale (RFC 5861, RFC 9111, 4.2.4). */
  const bring = async (
    ask: Ask,
    cached: Cached | null,
    add: readonly FieldLine[],
    fwd: ForwardReason,
  ): Promise<Response> => {
    const joined = await join(ask, cached, add, ask.request.signal)
    if (!joined.ok) return serveStale(ask, cached, 'disconnected') ?? toProblemResponse(toFetchProblem(joined))
    const { response, stored, freshened } = joined.head
    const report: CacheReport = {
      fwd,
      ...(fwd === 'stale' ? { fwdStatus: response.status } : {}),
      ...(stored || freshened ? { stored: true } : {}),
      ...(joined.role === 'collapsed' ? { collapsed: true } : {}),
    }
    if (freshened) {
      const fresh = cache.find(ask.head)
      const answer = fresh && fromCache(ask, fresh, report)
      // It left between the two: rare, and then it is fetched whole.
      return answer ?? (await bring(ask, null, [], 'uri-miss'))
    }
    if (cached && isOriginError(response.status)) {
      const stale = serveStale(ask, cached, 'status')
      if (stale) {
        joined.body?.cancel().catch(() => {})
        return stale
      }
    }
    // A 304 that fits nothing stored answers a question that the client did not ask (RFC 9111, 4.3.4).
    if (response.status === 304) return await bring(ask, null, [], 'uri-miss')
    if (!stored) return respondPassing(ask.head, response, joined.body, report)
    const sizeBytes = declaredLength(stored.fields)
    return respondStored({ request: ask.head, stored, body: joined.body, sizeBytes, nowMs: clock.nowMs(), report })
  }

  const serveStale = (ask: Ask, cached: Cached | null, cause: 'status' | 'disconnected'): Response | null => {
    if (!cached) return null
    const question = { stored: cached.stored, request: ask.head, nowMs: clock.nowMs(), cause, options: policy }
    return mayServeStaleOnError(question) ? fromCache(ask, cached, { hit: true, detail: 'stale-on-error' }) : null
  }

  /** Nobody waits for it; whoever asks meanwhile joins it. */
  const revalidateBehind = (ask: Ask, cached: Cached): void => {
    const reuse = decideReuse({
      stored: cached.stored,
      request: VALIDATING(ask.head),
      nowMs: clock.nowMs(),
      options: policy,
    })
    const add = reuse.kind === 'validate' ? reuse.add : []
    join(ask, cached, add, new AbortController().signal).then(
      (joined) => {
        if (joined.ok) joined.body?.cancel().catch(() => {})
      },
      () => {},
    )
  }

  const answerStored = (ask: Ask, cached: Cached): Response | Promise<Response> => {
    const nowMs = clock.nowMs()
    const reuse = decideReuse({ stored: cached.stored, request: ask.head, nowMs, options: policy })
    const ttlS = 'ageMs' in reuse ? Math.round((cached.stored.freshness.lifetimeMs - reuse.ageMs) / 1_000) : 0
    if (reuse.kind === 'validate') {
      if (onlyIfCached(ask.head)) return toProblemResponse(notCached)
      return bring(ask, cached, reuse.add, 'stale')
    }
    if (reuse.kind === 'unusable') return miss(ask)
    const answer = fromCache(ask, cached, { hit: true, ttlS })
    if (reuse.kind === 'stale-while-revalidate') revalidateBehind(ask, cached)
    return answer ?? miss(ask)
  }

  const miss = (ask: Ask): Response | Promise<Response> => {
    if (onlyIfCached(ask.head)) return toProblemResponse(notCached)
    // A part of what is not here is the origin's to cut out: nobody waits for a whole film to see a minute of it.
    if (ask.head.method === 'HEAD' || ask.head.fields.get('range') !== null) return pass(ask, 'uri-miss')
    return bring(ask, null, [], 'uri-miss')
  }

  return {
    handle(request, target, clientAddress) {
      const head = toRequestHead(request, target)
      const ask = { request, head, target, clientAddress }
      if (isLooping(request.headers)) return toProblemResponse(looping)
      if (!READS.has(request.method)) return pass(ask, 'method')
      const cached = cache.find(head)
      return cached ? answerStored(ask, cached) : miss(ask)
    },
  }
}

/** As if the client had asked for nothing but validation. */
const VALIDATING = (head: RequestHead): RequestHead => ({
  ...head,
  fields: { get: (name) => (name === 'cache-control' ? 'no-cache' : head.fields.get(name)) },
})

function toFetchProblem({ code, why }: Pick<FetchFailure, 'code' | 'why'>): EdgeProblem {
  if (code === 'overloaded') return { status: 503, code: 'edge-overloaded', detail: why, headers: RETRY_SOON }
  if (code === 'cancelled')
    return { status: 503, code, detail: 'the request was cancelled; retry', headers: RETRY_SOON }
  const status = code === 'origin-timeout' ? 504 : 502
  return { status, code, detail: `the origin did not answer as it should (${code}); retry later`, headers: RETRY_SOON }
}

const notCached: EdgeProblem = {
  status: 504,
  code: 'only-if-cached',
  detail: 'only-if-cached: expected a stored answer, there is none that may be used; ask without it',
}
const looping: EdgeProblem = {
  status: 508,
  code: 'loop-detected',
  detail: 'this request has come by here before; an origin must not be this edge itself',
}
