import type { Clock } from '../../kernel/index.ts'
import {
  currentAgeMs,
  decideCombine,
  decideStore,
  entityTagOf,
  isStrongTag,
  type MessageTimes,
  mergeNotModified,
  mergePartial,
  type PolicyOptions,
  parseVary,
  type StoredResponse,
  selectNotModified,
  toStored,
  toVariantKey,
  toWholeHead,
} from '../cache/policy/index.ts'
import type { ByteRange, FieldLine, RequestHead, ResponseHead } from '../http/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Content, Fetched, Reread } from '../origin/index.ts'
import type { CancelSignal } from '../server/cancel.ts'
import type { ServerRequest } from '../server/message.ts'
import { type Ask, forAnybody, type Upstream, type UpstreamAnswer } from './ask.ts'
import type { Fill } from './fills.ts'
import { declaredLength, toForwardLines, toResponseHead, toWholeLines } from './messages.ts'
import type { Cached, CacheMeta, ResponseCache } from './response-cache.ts'

/** What a fetch brought, for everyone who waits for it. */
export type FetchedHead = {
  readonly response: ResponseHead
  /** As others may be given it, too; null when they may not. */
  readonly stored: StoredResponse | null
  /** Into which all of it is being stored. */
  readonly entry: Entry<CacheMeta> | null
  /** By which what comes gets into the cache. */
  readonly fill: Fill | null
  /** Where a part of it is going, when that is what was fetched. */
  readonly part: Cached | null
  /** Surrogate keys of what is being stored. */
  readonly tags: readonly string[]
  /** A 304 that freshened what was stored: look there. */
  readonly freshened: boolean
  /** A part that may not be kept beside others. */
  readonly unsliceable: boolean
  /** What its `Vary` told apart, and how it came out for the request that fetched it. */
  readonly variant: { readonly varyFields: readonly string[]; readonly key: string } | null
}

export type Errand = {
  /** A conditional request about this. */
  readonly validating: Cached | null
  /** Conditions, in the place of the client's own. */
  readonly add: readonly FieldLine[]
  /** Only this part, which begins where a slice does. */
  readonly span: ByteRange | null
}

/** An answer that is being sent, of which bytes are read where they are: `entry` may hold some, and others be on their way. */
export type Source = {
  readonly entry: Entry<CacheMeta> | null
  readonly stored: StoredResponse
  /** Of the whole; null while it is not known. */
  readonly sizeBytes: number | null
}

/** Whether bytes of it can be fetched again and put beside others (RFC 9111, 3.4). */
export function isRefetchable({ stored, sizeBytes }: Source): boolean {
  return sizeBytes !== null && stored.status === 200 && isStrongTag(entityTagOf(stored.fields))
}

type Landing<C> = {
  readonly key: string
  readonly ask: Ask<C>
  readonly errand: Errand
  readonly response: ResponseHead
  readonly body: Content
  /** See `UpstreamAnswer`. */
  readonly isForAll: boolean
  readonly times: MessageTimes
  readonly ticket: ReturnType<ResponseCache['ticket']>
}

/** `key` is what the fetch can be joined under. */
export type Fetcher<C> = (
  ask: Ask<C>,
  errand: Errand,
  key: string,
) => (signal: CancelSignal) => Promise<Fetched<FetchedHead>>

/** One fetch of a whole or of a part, for all who ask for the same; what comes is stored as the policy has it. */
export function createFetcher<C>(options: {
  readonly upstream: Upstream<C>
  readonly cache: ResponseCache
  readonly policy: PolicyOptions
  readonly clock: Clock
  readonly isSliceable: (uri: string) => boolean
  /** All that is left of an answer, from a byte on, for who can no longer be given it as it comes. */
  readonly goOn: (ask: Ask<C>, source: Source, fromByte: number) => ReadableStream<Uint8Array>
}): Fetcher<C> {
  const { upstream, cache, policy, clock, isSliceable, goOn } = options

  const landUnshared = (
    { response, body, isForAll }: Landing<C>,
    share: false | 'not-this-time' = false,
  ): Fetched<FetchedHead> => {
    const head = { ...NOT_STORED, response }
    // A range beyond the end says nothing about those within.
    const isOfOne = response.status === 416
    const how = isOfOne ? 'not-this-time' : isForAll || share
    return { ok: true, head, body, share: how, store: null, reread: null }
  }

  const rereadOf = ({ ask }: Landing<C>, source: Source): Reread | null => {
    const { entry } = source
    const refetchable = isRefetchable(source)
    if (!refetchable && !entry) return null
    const hasCome = (start: number, end: number): boolean => entry !== null && cache.hasCome(entry, { start, end })
    return {
      canServe: (start, end) => refetchable || hasCome(start, end),
      canBegin: (end) => hasCome(0, end) || (refetchable && isSliceable(ask.head.uri)),
      open: (fromByte) => goOn(forAnybody(ask), source, fromByte),
    }
  }

  /** What is on its way in and good goes on; a second fetch of the same is for who made it. */
  const mayReplace = ({ ask, errand }: Landing<C>): boolean => {
    const under = errand.validating ? null : cache.filling(ask.head)
    if (!under) return true
    const { freshness } = under.stored
    return freshness.noCache || currentAgeMs(under.stored, clock.nowMs()) >= freshness.lifetimeMs
  }

  const landWhole = (landing: Landing<C>): Fetched<FetchedHead> => {
    const { ask, response, body, times, ticket } = landing
    const { head } = ask
    const decision = decideStore({ request: head, response, options: policy })
    if (!decision.store || response.status === 206) {
      const { validating } = landing.errand
      // Not to come back when the origin fails: it is not what the origin has any more (RFC 9111, 4.3.3).
      if (validating && isReplacement(response.status)) cache.drop(validating)
      return landUnshared(landing)
    }
    const stored = toStored({ request: GET, response, times, without: decision.without, options: optionsFor(head) })
    const sizeBytes = declaredLength(stored.fields)
    const fits = sizeBytes === null || sizeBytes <= cache.objectBytesMax
    const entry = fits && mayReplace(landing) ? cache.keep(ticket, head, stored) : null
    const isHere = body instanceof Uint8Array && sizeBytes === body.byteLength && isOneSlice(sizeBytes)
    const fill =
      entry && !isHere ? cache.fill(entry, { fromByte: 0, endByte: entry.sizeBytes, key: landing.key }) : null
    const store = entry && isHere ? cache.takeWhole(entry) : (fill?.intake ?? null)
    // Nothing will come that would end it.
    if (body === null) store?.end()
    const tags = entry?.tags ?? []
    const variant = variantOf(head, stored)

    const fetched: FetchedHead = {
      response,
      stored,
      entry,
      fill,
      tags,
      variant,
      part: null,
      freshened: false,
      unsliceable: false,
    }
    const reread = body instanceof ReadableStream ? rereadOf(landing, { entry, stored, sizeBytes }) : null
    return { ok: true, head: fetched, body, reread, store, share: true }
  }

  const isOneSlice = (sizeBytes: number): boolean => sizeBytes > 0 && sizeBytes <= cache.sliceBytes

  const landPart = (landing: Landing<C>, span: ByteRange): Fetched<FetchedHead> => {
    const { ask, response, body } = landing
    const whole = toWholeHead(response)
    const isWanted = whole?.part.start === span.start && whole.part.end === Math.min(span.end, whole.part.sizeBytes)
    const request = withRange(ask.head, span)
    const decision = decideStore({ request, response, options: policy })
    if (!whole || !isWanted || !decision.store) {
      const unshared = landUnshared(landing)
      return unshared.ok ? { ...unshared, head: { ...unshared.head, unsliceable: true } } : unshared
    }
    const part = combine(landing, request) ?? keepHead(landing, whole.head, decision.without)
    // Purged meanwhile, or no room for it.
    if (!part) return landUnshared(landing, 'not-this-time')
    const { entry, stored } = part
    const { start, end } = whole.part
    const fill = cache.fill(entry, { fromByte: start, endByte: end, key: landing.key })
    const variant = variantOf(ask.head, stored)
    return {
      ok: true,
      head: { ...NOT_STORED, response, stored, part, fill, tags: entry.tags, variant },
      body,
      // A slice is never more than a window: nobody falls behind in one.
      reread: null,
      store: fill.intake,
      share: true,
    }
  }

  /** To the parts that are here already, if it belongs to them (RFC 9111, 3.4). */
  const combine = ({ ask, response, times, ticket }: Landing<C>, request: RequestHead): Cached | null => {
    const known = cache.find(ask.head)
    if (!known || !decideCombine(known.stored, response).combine) return null
    const merged = mergePartial({ stored: known.stored, request, response, times, options: optionsFor(ask.head) })
    if (!merged.keep.store || !cache.refresh(known, merged.stored, ticket)) return null
    return { ...known, stored: merged.stored }
  }

  const keepHead = (
    { ask, times, ticket }: Landing<C>,
    response: ResponseHead,
    without: readonly string[],
  ): Cached | null => {
    const stored = toStored({ request: GET, response, times, without, options: optionsFor(ask.head) })
    const entry = cache.keep(ticket, ask.head, stored)
    return entry?.sizeBytes == null ? null : { entry, stored, sizeBytes: entry.sizeBytes }
  }

  const landNotModified = (landing: Landing<C>, validating: Cached): Fetched<FetchedHead> => {
    const { ask, response, times } = landing
    const freshened = freshen({ request: ask.head, cached: validating, response, times })
    const head = { ...NOT_STORED, response, freshened }
    return { ok: true, head, body: landing.body, share: freshened, store: null, reread: null }
  }

  const freshen = (update: {
    readonly request: RequestHead
    readonly cached: Cached
    readonly response: ResponseHead
    readonly times: MessageTimes
  }): boolean => {
    const { request, cached, response, times } = update
    const [stored] = selectNotModified([cached.stored], response)
    if (!stored) return false
    const merged = mergeNotModified({ stored, request, response, times, options: optionsFor(request) })
    // What is of this client alone, its no-store or its Authorization, takes nothing away from others.
    const mayStay = decideStore({ request: ANYBODY, response: merged.stored, options: policy }).store
    if (!mayStay) cache.drop(cached)
    return merged.keep.store && cache.refresh(cached, merged.stored)
  }

  const optionsFor = ({ uri }: RequestHead) => ({ ...policy, key: uri })

  return (ask, errand, key) => async (signal) => {
    const { validating, span } = errand
    const ticket = cache.ticket(ask.head)
    const requestMs = clock.nowMs()
    const answer: UpstreamAnswer = await upstream({
      method: 'GET',
      path: ask.path,
      lines: toErrandLines(ask.request, errand),
      body: null,
      signal,
      context: ask.context,
    })
    if (!answer.ok) return answer
    const response = toResponseHead(answer)
    const times = { requestMs, responseMs: clock.nowMs() }
    const { body, isForAll = false } = answer
    const landing: Landing<C> = { key, ask, errand, response, body, isForAll, times, ticket }
    if (response.status === 304 && validating) return landNotModified(landing, validating)
    return response.status === 206 && span ? landPart(landing, span) : landWhole(landing)
  }
}

function toErrandLines(request: ServerRequest, { add, span }: Errand): readonly FieldLine[] {
  if (!span && add.length === 0) return toWholeLines(request)
  const range: readonly FieldLine[] = span ? [['range', `bytes=${span.start}-${span.end - 1}`]] : []
  return toForwardLines(request, { whole: true, add: [...range, ...add] })
}

const NOT_STORED = {
  stored: null,
  entry: null,
  fill: null,
  part: null,
  tags: [],
  freshened: false,
  unsliceable: false,
  variant: null,
} as const

const GET = { method: 'GET' } as const
const ANYBODY: RequestHead = { method: 'GET', uri: '', fields: { get: () => null } }

/** Says what has become of the resource, and not merely of this request or of the origin. */
function isReplacement(status: number): boolean {
  return (status >= 200 && status < 400 && status !== 206 && status !== 304) || [404, 410, 451].includes(status)
}

function variantOf(head: RequestHead, stored: StoredResponse): FetchedHead['variant'] {
  const varyFields = parseVary(stored.fields.get('vary')) ?? []
  return { varyFields, key: toVariantKey(varyFields, head) }
}

/** As if the client had asked for this part: a HEAD may, too, have one fetched. */
function withRange(head: RequestHead, span: ByteRange): RequestHead {
  const { fields } = head
  const range = `bytes=${span.start}-${span.end - 1}`
  return { ...head, method: 'GET', fields: { get: (name) => (name === 'range' ? range : fields.get(name)) } }
}
