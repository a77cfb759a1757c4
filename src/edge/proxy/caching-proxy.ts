import type { Clock, Limits } from '../../kernel/index.ts'
import {
  currentAgeMs,
  decideReuse,
  isOriginError,
  matchesVariant,
  mayServeStaleOnError,
  mergeHead,
  onlyIfCached,
  type PolicyOptions,
  type StoredResponse,
  toInvalidatedUris,
} from '../cache/policy/index.ts'
import {
  type ByteRange,
  type CacheReport,
  type FieldLine,
  type ForwardReason,
  parseRanges,
  type RequestHead,
  type ResponseHead,
} from '../http/index.ts'
import type { Joined, SharedFetches } from '../origin/index.ts'
import { toProblemAnswer } from '../problem.ts'
import type { Answer, AnswerReport } from '../server/message.ts'
import { createAnswerPool } from './answer-pool.ts'
import { type Ask, forAnybody, toReport, type Upstream } from './ask.ts'
import { respondBrought, respondHit } from './hits.ts'
import { createJoinFetch } from './join-fetch.ts'
import { createFetcher, type Errand, type FetchedHead, type Fetcher } from './land.ts'
import { forwardsLeft, respondFinally } from './max-forwards.ts'
import { declaredLength, isLooping, toForwardLines, toResponseHead } from './messages.ts'
import { toPlainness } from './plain.ts'
import { looping, notCached, notModifiedUnasked, toFetchProblem } from './problems.ts'
import {
  type Body,
  cancel,
  isUnchanged,
  isUnchangedPassing,
  respondPassing,
  respondStored,
  respondUnchanged,
  selectRange,
} from './respond.ts'
import type { Cached, ResponseCache } from './response-cache.ts'
import { createSpans, firstByteOf, guarded, type Spans } from './spans.ts'
import { toStream } from './to-stream.ts'
import { createUnsliceable, type UnsliceableLimits } from './unsliceable.ts'

export type CachingProxy<C> = { handle(ask: Ask<C>): Answer | Promise<Answer> }

export type ProxyLimits = UnsliceableLimits &
  Pick<Limits, 'edgeVisitsMax' | 'edgeRangesMax' | 'edgeAnswerBytesMax' | 'edgeAnswerPoolBytes'>

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** A shared HTTP cache in front of an upstream: RFC 9111 decides, this performs. */
export function createCachingProxy<C>(options: {
  readonly upstream: Upstream<C>
  readonly cache: ResponseCache
  readonly fetches: SharedFetches<FetchedHead>
  readonly policy: PolicyOptions
  readonly clock: Clock
  readonly limits: ProxyLimits
}): CachingProxy<C> {
  const { upstream, cache, fetches, policy, clock, limits } = options
  const rangesMax = limits.edgeRangesMax
  const unsliceable = createUnsliceable(limits, clock)
  const fetcher: Fetcher<C> = createFetcher<C>({
    ...options,
    isSliceable: (uri) => unsliceable.get(uri) === null,
    goOn: (ask, source, fromByte) => spans.goOn(ask, source, fromByte),
  })
  // What varies by fields of the request answers only those who sent the same (RFC 9111, 4.1).
  const accepts = ({ head }: Ask<C>, { variant }: FetchedHead): boolean =>
    variant === null || matchesVariant(variant, head)
  const joining = createJoinFetch({ cache, fetches, fetcher, accepts })
  const pool = createAnswerPool(limits.edgeAnswerPoolBytes)
  const answerBytesMax = limits.edgeAnswerBytesMax
  const spans: Spans<C> = createSpans({ cache, fetches, joining, unsliceable, pool, answerBytesMax, rangesMax })

  /** Sent on as it is, answered as it comes; what it changed is forgotten (RFC 9111, 4.4). */
  const pass = async (ask: Ask<C>, fwd: ForwardReason, cached: Cached | null = null): Promise<Answer> => {
    const { request, head, path, context } = ask
    const requestMs = clock.nowMs()
    const answer = await upstream({
      method: request.method,
      path,
      lines: toForwardLines(request, { whole: false }),
      body: request.body,
      signal: request.signal,
      context,
    })
    if (!answer.ok) return serveStale(ask, cached, 'disconnected') ?? toProblemAnswer(toFetchProblem(answer))
    const response = toResponseHead(answer)
    invalidate(toInvalidatedUris(head, response))
    if (head.method === 'HEAD') freshenByHead(head, response, { requestMs, responseMs: clock.nowMs() })
    const report = toReport(ask, fwd === 'method' ? 'bypass' : 'miss')
    return respondPassing({ request: head, response, body: answer.body, cacheStatus: { fwd }, report })
  }

  /** What is under way was made before the change: those who ask from now on do not join it. */
  const invalidate = (uris: readonly string[]): void => {
    if (uris.length === 0) return
    cache.purge(uris)
    fetches.detach((key) => uris.some((uri) => key.startsWith(`${uri}\n`)))
  }

  /** RFC 9111, 4.3.5. */
  const freshenByHead = (
    request: RequestHead,
    response: ResponseHead,
    times: { readonly requestMs: number; readonly responseMs: number },
  ): void => {
    const cached = cache.find({ ...request, method: 'GET' })
    const update = cached && {
      stored: cached.stored,
      request,
      response,
      times,
      options: { ...policy, key: request.uri },
    }
    const merged = update && mergeHead(update)
    if (!cached || !merged) return
    if (merged.keep.store) cache.refresh(cached, merged.stored)
    else cache.drop(cached)
  }

  /** From what is stored; null when it is not all here and cannot be completed, or must not be. */
  const fromCache = (
    ask: Ask<C>,
    cached: Cached,
    how: { readonly status: CacheReport; readonly cache: AnswerReport['cache']; readonly onlyWhole?: boolean },
  ): Answer | null => {
    const { stored, sizeBytes } = cached
    const nowMs = clock.nowMs()
    const isWhole = hasAllAskedFor(ask.head, cached, nowMs)
    const range = wantedRange(ask.head, rangesMax)
    const fromByte = range === null ? 0 : firstByteOf(range, rangesMax)
    if (!isWhole && (how.onlyWhole || !spans.canComplete(cached, fromByte))) return null
    const isCollapsed = !isWhole && spans.isComing(cached)
    const cacheStatus: CacheReport = isWhole
      ? how.status
      : { fwd: 'partial', ...(isCollapsed ? { collapsed: true } : {}) }
    const outcome = isWhole ? how.cache : isCollapsed ? 'collapsed' : 'miss'
    const report = toReport(ask, outcome, { tags: cached.entry.tags })
    const read = (span: { readonly start: number; readonly end: number }): Body => spans.read(ask, cached, span)
    return respondStored({ request: ask.head, stored, read, sizeBytes, nowMs, rangesMax, cacheStatus, report })
  }

  const hasAllAskedFor = (head: RequestHead, cached: Cached, nowMs: number): boolean => {
    const { stored, sizeBytes } = cached
    if (head.method === 'HEAD' || isUnchanged(head, stored, nowMs)) return true
    const range = selectRange({ request: head, stored, sizeBytes, nowMs, rangesMax })
    if (range?.kind === 'unsatisfiable') return true
    return range ? range.ranges.every((one) => cache.has(cached, one)) : cache.has(cached, { start: 0, end: sizeBytes })
  }

  const join = (ask: Ask<C>, errand: Errand): Promise<Joined<FetchedHead>> =>
    joining.join(ask, errand.validating ? '\nvalidate' : '', errand)

  /** Brings it, whole or validated, and answers; an origin that fails leaves what may be served stale (RFC 5861, RFC 9111, 4.2.4). */
  const bring = async (
    ask: Ask<C>,
    cached: Cached | null,
    add: readonly FieldLine[],
    fwd: ForwardReason,
  ): Promise<Answer> => {
    const range = cached && validationRange(ask.head, cached)
    const errand = toErrand(cached, add)
    const joined = range ? await spans.begin(ask, range, errand) : await join(ask, { ...errand, span: null })
    return await answerJoined(ask, cached, joined, fwd)
  }

  /** By which part something is validated: if it has changed, no film comes whole for who wants less of it. */
  const validationRange = (head: RequestHead, { sizeBytes }: Cached): string | null => {
    if (sizeBytes <= cache.sliceBytes) return null
    return head.method === 'HEAD' ? 'bytes=0-0' : wantedRange(head, rangesMax)
  }

  /** The usual miss: all of it came at once, and nothing else is asked for. Null when it is not that simple. */
  const answerBrought = (
    ask: Ask<C>,
    { head, body, role }: Extract<Joined<FetchedHead>, { ok: true }>,
    fwd: ForwardReason,
  ): Answer | null => {
    const { stored, entry, part } = head
    if (!stored || part || !(body instanceof Uint8Array) || ask.head.method !== 'GET') return null
    if (stored.status === 204 || toPlainness(ask.head.fields) !== 'plain') return null
    const isCollapsed = role === 'collapsed'
    const cacheStatus: CacheReport = {
      fwd,
      stored: entry ? true : undefined,
      collapsed: isCollapsed ? true : undefined,
    }
    const report = toReport(ask, isCollapsed ? 'collapsed' : 'miss', head)
    return respondBrought({ entry, stored, body, ageMs: currentAgeMs(stored, clock.nowMs()), cacheStatus, report })
  }

  const answerJoined = async (
    ask: Ask<C>,
    cached: Cached | null,
    joined: Joined<FetchedHead>,
    fwd: ForwardReason,
  ): Promise<Answer> => {
    if (!joined.ok) return serveStale(ask, cached, 'disconnected') ?? toProblemAnswer(toFetchProblem(joined))
    const plain = cached ? null : answerBrought(ask, joined, fwd)
    if (plain) return plain
    const { response, stored, entry, part, freshened } = joined.head
    const isCollapsed = joined.role === 'collapsed'
    const status: CacheReport = {
      fwd,
      ...(cached ? { fwdStatus: response.status } : {}),
      ...(entry || part || freshened ? { stored: true } : {}),
      ...(isCollapsed ? { collapsed: true } : {}),
    }
    if (freshened) {
      cancel(joined.body)
      const fresh = cache.find(ask.head)
      const answer = fresh && fromCache(ask, fresh, { status, cache: 'revalidated' })
      // It left between the two: rare, and then it is fetched whole.
      return answer ?? (await bring(ask, null, [], 'uri-miss'))
    }
    if (cached && isOriginError(response.status)) {
      const stale = serveStale(ask, cached, 'status')
      if (stale) {
        cancel(joined.body)
        return stale
      }
    }
    if (response.status === 304) {
      cancel(joined.body)
      // It fits nothing stored: asked again without conditions (RFC 9111, 4.3.4). One without conditions answers nothing.
      return cached ? await bring(ask, null, [], 'uri-miss') : toProblemAnswer(toFetchProblem(notModifiedUnasked))
    }
    const how = isCollapsed ? 'collapsed' : 'miss'
    const nowMs = clock.nowMs()
    if (part) {
      // Whoever reads it joins the fetch of the slice again, which goes on being stored.
      cancel(joined.body)
      const read = (span: { readonly start: number; readonly end: number }): Body => spans.read(ask, part, span)
      const report = toReport(ask, how, { tags: part.entry.tags })
      const head = { request: ask.head, stored: part.stored, sizeBytes: part.sizeBytes, nowMs, rangesMax }
      return respondStored({ ...head, read, cacheStatus: status, report })
    }
    if (!stored) return respondUnshared(ask, joined, status)
    const sizeBytes = declaredLength(stored.fields)
    const report = toReport(ask, how, joined.head)
    const about = { stored, nowMs, rangesMax, cacheStatus: status, report }
    const isLong = joined.body instanceof ReadableStream
    if (
      isLong &&
      entry &&
      sizeBytes !== null &&
      selectRange({ request: ask.head, stored, sizeBytes, nowMs, rangesMax })
    ) {
      // Its part of what comes, read where it is being stored.
      cancel(joined.body)
      const cached = { entry, stored, sizeBytes }
      const read = (span: { readonly start: number; readonly end: number }): Body => spans.read(ask, cached, span)
      return respondStored({ ...about, request: ask.head, sizeBytes, read })
    }
    const body = sizeBytes !== null && sizeBytes <= cache.sliceBytes ? joined.body : withLeave(ask, joined.body)
    const answer = respondStored({ ...about, request: WITHOUT_RANGE(ask.head), sizeBytes, read: () => body })
    if (answer.body === null) cancel(body)
    return answer
  }

  /** Not for sharing: this client's alone, as the origin said it. */
  const respondUnshared = async (
    ask: Ask<C>,
    joined: Extract<Joined<FetchedHead>, { ok: true }>,
    cacheStatus: CacheReport,
  ): Promise<Answer> => {
    const { response } = joined.head
    const isPart = response.status === 206 || response.status === 416
    if (joined.head.unsliceable) unsliceable.set(ask.head.uri, 'as-asked')
    if (isPart && (ask.head.method === 'HEAD' || wantedRange(ask.head, rangesMax) !== null)) {
      // The part was of our cut, and what came may not be kept beside others: asked for as the client asked.
      cancel(joined.body)
      return await pass(ask, 'uri-miss')
    }
    const passing = { request: ask.head, response, body: joined.body, cacheStatus, report: toReport(ask, 'miss') }
    // The client's conditions did not go to the origin: a whole could be wanted for others.
    return isUnchangedPassing(ask.head, response, clock.nowMs()) ? respondUnchanged(passing) : respondPassing(passing)
  }

  const serveStale = (ask: Ask<C>, cached: Cached | null, cause: 'status' | 'disconnected'): Answer | null => {
    if (!cached) return null
    const question = { stored: cached.stored, request: ask.head, nowMs: clock.nowMs(), cause, options: policy }
    if (!mayServeStaleOnError(question)) return null
    return fromCache(ask, cached, { status: { hit: true, detail: 'stale-on-error' }, cache: 'stale', onlyWhole: true })
  }

  /** Nobody waits for it; whoever asks meanwhile joins it. */
  const revalidateBehind = (ask: Ask<C>, cached: Cached): void => {
    const request = VALIDATING(ask.head)
    const reuse = decideReuse({ stored: cached.stored, request, nowMs: clock.nowMs(), options: policy })
    const add = reuse.kind === 'validate' ? reuse.add : []
    const errand = toErrand(cached, add)
    const own = forAnybody(ask)
    const bringing =
      cached.sizeBytes > cache.sliceBytes ? spans.begin(own, 'bytes=0-0', errand) : join(own, { ...errand, span: null })
    bringing.then(
      (joined) => {
        if (joined.ok) cancel(joined.body)
      },
      () => {},
    )
  }

  /** The usual hit: fresh, for who asks for nothing but it or one range of it. Null when it is not that simple. */
  const answerPlain = (ask: Ask<C>, cached: Cached, isRange: boolean): Answer | null => {
    const { stored, sizeBytes } = cached
    const ageMs = currentAgeMs(stored, clock.nowMs())
    const { freshness, method, status } = stored
    if (ask.head.method !== 'GET' || method !== 'GET' || status === 204) return null
    if (freshness.noCache || ageMs >= freshness.lifetimeMs) return null
    const range = isRange ? onlyRange(ask.head, status, sizeBytes) : null
    if (isRange && range === null) return null
    const span = range ?? { start: 0, end: sizeBytes }
    if (span.end - span.start > answerBytesMax) return null
    const body = cache.read(cached, span)
    return body && respondHit({ cached, body, ageMs, ask, range })
  }

  const onlyRange = ({ fields }: RequestHead, status: number, sizeBytes: number): ByteRange | null => {
    const read = status === 200 ? parseRanges(fields.get('range'), sizeBytes, limits.edgeRangesMax) : null
    return read?.kind === 'ranges' && read.ranges.length === 1 ? (read.ranges[0] ?? null) : null
  }

  const answerStored = (ask: Ask<C>, cached: Cached): Answer | Promise<Answer> => {
    const nowMs = clock.nowMs()
    const { stored } = cached
    const reuse = decideReuse({ stored, request: ask.head, nowMs, options: policy })
    if (reuse.kind === 'validate') {
      if (onlyIfCached(ask.head)) return toProblemAnswer(notCached)
      return bring(ask, cached, reuse.add, whyForwarded(stored, nowMs))
    }
    if (reuse.kind === 'unusable') {
      const isHead = ask.head.method === 'HEAD'
      if (onlyIfCached(ask.head)) return toProblemAnswer(notCached)
      if (isHead) return pass(ask, whyForwarded(stored, nowMs), cached)
      // Nothing to be validated by, and still good enough when the origin fails.
      return bring(ask, cached, [], whyForwarded(stored, nowMs))
    }
    const ttlS = Math.round((stored.freshness.lifetimeMs - reuse.ageMs) / 1_000)
    const outcome = reuse.kind === 'fresh' ? 'hit' : 'stale'
    const onlyWhole = onlyIfCached(ask.head)
    const answer = fromCache(ask, cached, { status: { hit: true, ttlS }, cache: outcome, onlyWhole })
    if (reuse.kind === 'stale-while-revalidate') revalidateBehind(ask, cached)
    return answer ?? miss(ask, 'partial')
  }

  const miss = (ask: Ask<C>, fwd: ForwardReason): Answer | Promise<Answer> => {
    const { head } = ask
    if (onlyIfCached(head)) return toProblemAnswer(notCached)
    if (head.method === 'HEAD') return pass(ask, fwd)
    const range = wantedRange(head, rangesMax)
    if (range === null) return bring(ask, null, [], fwd)
    const how = unsliceable.get(head.uri)
    if (how === 'as-asked') return pass(ask, fwd)
    // The whole is on its way, or the origin sends nothing else: its part of that.
    if (how === 'whole' || joining.isUnderWay(ask, '')) return bring(ask, null, [], fwd)
    // Nobody waits for a whole film to see a minute of it: it is brought by slices.
    const errand = { validating: null, add: [] }
    return spans.begin(ask, range, errand).then((joined) => answerJoined(ask, null, joined, fwd))
  }

  return {
    handle(ask) {
      const { method, fields } = ask.head
      const plainness = toPlainness(fields)
      if (plainness === 'telling' && isLooping(fields, limits.edgeVisitsMax)) return toProblemAnswer(looping)
      if (!READS.has(method)) return forwardsLeft(ask.head) === 0 ? respondFinally(ask.head) : pass(ask, 'method')
      const cached = cache.find(ask.head)
      if (cached) {
        const plain = plainness === 'telling' ? null : answerPlain(ask, cached, plainness === 'range')
        return plain ?? answerStored(ask, cached)
      }
      return miss(ask, cache.varies(ask.head) ? 'vary-miss' : 'uri-miss')
    },
  }
}

/** As long as it may be given to this client. */
function withLeave<C>(ask: Ask<C>, body: Body): Body {
  return ask.mayGoOn && body instanceof ReadableStream ? toStream(guarded(ask, body)) : body
}

/** A 304 says something of what is stored only where there were conditions. */
function toErrand(cached: Cached | null, add: readonly FieldLine[]): Pick<Errand, 'validating' | 'add'> {
  return { validating: add.length === 0 ? null : cached, add }
}

/** RFC 9211, 2.2: what is fresh is not used only because the request would not have it. */
function whyForwarded(stored: StoredResponse, nowMs: number): ForwardReason {
  const { noCache, lifetimeMs } = stored.freshness
  return !noCache && currentAgeMs(stored, nowMs) < lifetimeMs ? 'request' : 'stale'
}

/** The `Range` of a GET, if it is one of bytes that can be read. */
function wantedRange({ method, fields }: RequestHead, rangesMax: number): string | null {
  const range = fields.get('range')
  if (range === null || method !== 'GET') return null
  return parseRanges(range, Number.MAX_SAFE_INTEGER, rangesMax).kind === 'ranges' ? range : null
}

/** A whole that arrives now is sent as a whole: a server may ignore `Range` (RFC 9110, 14.2). */
const WITHOUT_RANGE = (head: RequestHead): RequestHead => ({
  ...head,
  fields: { get: (name) => (name === 'range' ? null : head.fields.get(name)) },
})

/** As if the client had asked for nothing but validation. */
const VALIDATING = (head: RequestHead): RequestHead => ({
  ...head,
  fields: { get: (name) => (name === 'cache-control' ? 'no-cache' : head.fields.get(name)) },
})
