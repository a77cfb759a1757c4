import type { Clock } from '../../kernel/index.ts'
import {
  decideCombine,
  decideStore,
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
import type { Content, Fetched } from '../origin/index.ts'
import type { Ask, Upstream, UpstreamAnswer } from './ask.ts'
import { toForwardLines, toResponseHead } from './messages.ts'
import type { Cached, ResponseCache } from './response-cache.ts'

/** What a fetch brought, for everyone who waits for it. */
export type FetchedHead = {
  readonly response: ResponseHead
  /** As it is being stored; null when it is not. */
  readonly stored: StoredResponse | null
  /** Where a part of it is going, when that is what was fetched. */
  readonly part: Cached | null
  /** Surrogate keys of what is being stored. */
  readonly tags: readonly string[]
  /** A 304 that freshened what was stored: look there. */
  readonly freshened: boolean
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

type Landing<C> = {
  readonly ask: Ask<C>
  readonly errand: Errand
  readonly response: ResponseHead
  readonly body: Content
  readonly times: MessageTimes
  readonly ticket: ReturnType<ResponseCache['ticket']>
}

/** One fetch of a whole or of a part, for all who ask for the same; what comes is stored as the policy has it. */
export function createFetcher<C>(options: {
  readonly upstream: Upstream<C>
  readonly cache: ResponseCache
  readonly policy: PolicyOptions
  readonly clock: Clock
}): (ask: Ask<C>, errand: Errand) => (signal: AbortSignal) => Promise<Fetched<FetchedHead>> {
  const { upstream, cache, policy, clock } = options

  const landUnshared = ({ response, body }: Landing<C>): Fetched<FetchedHead> => ({
    ok: true,
    head: { response, stored: null, part: null, tags: [], freshened: false, variant: null },
    body,
    share: false,
    store: null,
    reread: null,
  })

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
    const entry = cache.keep(ticket, head, stored)
    const store = entry && cache.fill(entry, { fromByte: 0, endByte: entry.sizeBytes })
    // Nothing will come that would end it.
    if (body === null) store?.end()
    const tags = entry?.tags ?? []
    const fetched = { response, stored, part: null, tags, freshened: false, variant: variantOf(head, stored) }
    return { ok: true, head: fetched, body, reread: null, store, share: true }
  }

  const landPart = (landing: Landing<C>, span: ByteRange): Fetched<FetchedHead> => {
    const { ask, response, body } = landing
    const whole = toWholeHead(response)
    const isWanted = whole?.part.start === span.start && whole.part.end === Math.min(span.end, whole.part.sizeBytes)
    const request = withRange(ask.head, span)
    const decision = decideStore({ request, response, options: policy })
    if (!whole || !isWanted || !decision.store) return landUnshared(landing)
    const part = combine(landing, request) ?? keepHead(landing, whole.head, decision.without)
    if (!part) return landUnshared(landing)
    const store = cache.fill(part.entry, { fromByte: whole.part.start, endByte: whole.part.end })
    const variant = variantOf(ask.head, part.stored)
    const { stored } = part
    const head = { response, stored, part, tags: part.entry.tags, freshened: false, variant }
    return { ok: true, head, body, reread: null, store, share: true }
  }

  /** To the parts that are here already, if it belongs to them (RFC 9111, 3.4). */
  const combine = ({ ask, response, times }: Landing<C>, request: RequestHead): Cached | null => {
    const known = cache.find(ask.head)
    if (!known || !decideCombine(known.stored, response).combine) return null
    const merged = mergePartial({ stored: known.stored, request, response, times, options: optionsFor(ask.head) })
    if (!merged.keep.store || !cache.refresh(known, merged.stored)) return null
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
    const head = { response, stored: null, part: null, tags: [], freshened, variant: null }
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

  return (ask, errand) => async (signal) => {
    const { validating, add, span } = errand
    const ticket = cache.ticket(ask.head)
    const requestMs = clock.nowMs()
    const range: readonly FieldLine[] = span ? [['range', `bytes=${span.start}-${span.end - 1}`]] : []
    const answer: UpstreamAnswer = await upstream({
      method: 'GET',
      path: ask.path,
      lines: toForwardLines(ask.request, { whole: true, add: [...range, ...add] }),
      body: null,
      signal,
      context: ask.context,
    })
    if (!answer.ok) return answer
    const response = toResponseHead(answer)
    const times = { requestMs, responseMs: clock.nowMs() }
    const landing: Landing<C> = { ask, errand, response, body: answer.body, times, ticket }
    if (response.status === 304 && validating) return landNotModified(landing, validating)
    return response.status === 206 && span ? landPart(landing, span) : landWhole(landing)
  }
}

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
