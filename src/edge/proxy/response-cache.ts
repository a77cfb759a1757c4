import {
  decideVariant,
  NO_VARIANTS,
  type PolicyOptions,
  parseVary,
  type StoredResponse,
  toLookupKey,
  type VariantIndex,
} from '../cache/policy/index.ts'
import type { ByteRange } from '../http/index.ts'
import type { RequestHead } from '../http/message.ts'
import type { Entry, MemoryTier, Ticket } from '../memory/index.ts'
import type { ChunkStore } from '../origin/index.ts'
import { fillSlices } from './fill-slices.ts'
import { createFills, type Fill } from './fills.ts'
import { declaredLength } from './messages.ts'
import type { PreparedSlot } from './prepared.ts'

/**
 * A URI's own key holds its answer, or, where its answers vary, by which fields they do; then each answer lies under the URI
 * and its variant.
 */
export type CacheMeta =
  | { readonly kind: 'index'; readonly index: VariantIndex }
  | ({ readonly kind: 'response' } & PreparedSlot)

export type Cached = {
  readonly entry: Entry<CacheMeta>
  readonly stored: StoredResponse
  /** Of the whole. */
  readonly sizeBytes: number
}

/** Responses in the memory tier, by URI and variant, whole or in part. */
export type ResponseCache = {
  /** The answer stored for this request's variant, of known size; its bytes may be here in part. */
  find(request: RequestHead): Cached | null
  /** Whether answers of other variants of this URI have been here. */
  varies(request: RequestHead): boolean
  /** What requests for the same answer have in common, as far as is known: the URI, a line feed, the variant. */
  fetchKey(request: RequestHead): string
  ticket(request: RequestHead): Ticket
  /** Takes a head in, of which bytes will follow; null when there is no room for it, or it was purged since the ticket. */
  keep(ticket: Ticket, request: RequestHead, stored: StoredResponse): Entry<CacheMeta> | null
  /**
   * Takes the bytes in as they arrive, from the one at `fromByte`, where a slice begins. What does not come whole is dropped.
   * `key` is that of the fetch that brings them.
   */
  fill(
    entry: Entry<CacheMeta>,
    span: { readonly fromByte: number; readonly endByte: number | null; readonly key: string },
  ): Fill
  /** Takes in all of a small body at once, which nobody can follow while it comes. */
  takeWhole(entry: Entry<CacheMeta>): ChunkStore
  /** What is on its way into this entry and brings this byte. */
  fillAt(entry: Entry<CacheMeta>, byte: number): Fill | null
  /** The answer to this request, if all of it is on its way in. */
  filling(request: RequestHead): { readonly stored: StoredResponse; readonly fill: Fill } | null
  /** New fields for the same bytes. False when they are gone, or were purged since the ticket. */
  refresh(cached: Cached, stored: StoredResponse, ticket?: Ticket): boolean
  has(cached: Cached, span: ByteRange): boolean
  /** The bytes from `start` to `end` in one piece or several, or null when some of them are not here. Counts as a use. */
  read(cached: Cached, span: ByteRange): Uint8Array | readonly Uint8Array[] | null
  /** The bytes from `start` as far as they lie together, at most to `end`; null when the first of them is not here. Counts as a use. */
  pieceAt(entry: Entry<CacheMeta>, span: ByteRange): Uint8Array | null
  /** Whether all of these have come into this entry, those of a slice in the making, too. */
  hasCome(entry: Entry<CacheMeta>, span: ByteRange): boolean
  drop(cached: Cached): void
  /** Every variant of these URIs. */
  purge(uris: readonly string[]): number
  readonly sliceBytes: number
  /** A body above this is never kept as a whole. */
  readonly objectBytesMax: number
}

export function createResponseCache(options: {
  readonly tier: MemoryTier<CacheMeta>
  readonly policy: PolicyOptions
  readonly sliceBytes: number
  /** Surrogate keys of one answer that are heeded. */
  readonly tagsMax: number
  readonly objectBytesMax: number
}): ResponseCache {
  const { tier, policy, sliceBytes, tagsMax, objectBytesMax } = options
  const fills = createFills<CacheMeta>()

  const indexOf = (uri: string): VariantIndex | null => {
    const meta = tier.peek(uri)?.meta
    return meta?.kind === 'index' ? meta.index : null
  }
  const variantKey = (index: VariantIndex, request: RequestHead): string =>
    `${request.uri}\n${toLookupKey(index, request)}`

  /** Where an answer belongs; what can no longer be found there is dropped. */
  const placeFor = (ticket: Ticket, request: RequestHead, stored: StoredResponse): string => {
    const before = indexOf(request.uri)
    const varyFields = parseVary(stored.fields.get('vary')) ?? []
    if (varyFields.length === 0 && before === null) return request.uri
    const { index, key, drop } = decideVariant(before ?? NO_VARIANTS, { varyFields, request }, policy)
    for (const old of drop) tier.purge(`${request.uri}\n${old}`)
    const metaBytes = [...index.fields, ...index.keys].reduce((sum, text) => sum + text.length, 0)
    tier.setIfValid(ticket, request.uri, { meta: { kind: 'index', index }, metaBytes, tags: [], sizeBytes: 0 })
    return `${request.uri}\n${key}`
  }

  const slicesOf = (entry: Entry<CacheMeta>, { start, end }: ByteRange): readonly Uint8Array[] | null => {
    const slices: Uint8Array[] = []
    for (let at = Math.floor(start / sliceBytes); at * sliceBytes < end; at++) {
      const slice = tier.slice(entry, at)
      const from = Math.max(0, start - at * sliceBytes)
      const to = Math.min(sliceBytes, end - at * sliceBytes)
      if (!slice || slice.byteLength < to) return null
      slices.push(from === 0 && to === slice.byteLength ? slice : slice.subarray(from, to))
    }
    return slices
  }

  const fill: ResponseCache['fill'] = (entry, { key, ...span }) => {
    const store = fillSlices({ tier, entry, sliceBytes, ...span })
    const isWhole = span.fromByte === 0 && span.endByte === entry.sizeBytes
    const over = (): void => fills.end(entry, own)
    const intake: ChunkStore = {
      append(chunk) {
        const isWanted = store.append(chunk)
        if (!isWanted) over()
        return isWanted
      },
      end() {
        store.end()
        over()
      },
      fail(why) {
        store.fail(why)
        over()
      },
    }
    const own: Fill = { ...span, key, isWhole, store, intake }
    fills.begin(entry, own)
    return own
  }

  const sliceAt = (entry: Entry<CacheMeta>, { start, end }: ByteRange): Uint8Array | null => {
    const index = Math.floor(start / sliceBytes)
    const slice = tier.slice(entry, index)
    const from = start - index * sliceBytes
    return slice && from < slice.byteLength
      ? slice.subarray(from, Math.min(end - index * sliceBytes, slice.byteLength))
      : null
  }

  const drop = (entry: Entry<CacheMeta>): void => {
    if (tier.peek(entry.key) === entry) tier.purge(entry.key)
  }

  return {
    sliceBytes,
    objectBytesMax,
    find(request) {
      let entry = tier.get(request.uri)
      if (entry?.meta.kind === 'index') entry = tier.get(variantKey(entry.meta.index, request))
      if (entry?.meta.kind !== 'response' || entry.sizeBytes === null) return null
      return { entry, stored: entry.meta.stored, sizeBytes: entry.sizeBytes }
    },
    varies: (request) => indexOf(request.uri) !== null,
    fetchKey: (request) => {
      const index = indexOf(request.uri)
      return index ? variantKey(index, request) : `${request.uri}\n`
    },
    ticket: (request) => tier.ticket(request.uri),
    keep(ticket, request, stored) {
      const key = placeFor(ticket, request, stored)
      const meta: CacheMeta = { kind: 'response', stored, prepared: null }
      const input = { meta, metaBytes: metaBytesOf(stored), tags: tagsOf(stored, tagsMax), sizeBytes: lengthOf(stored) }
      return tier.setIfValid(ticket, key, input) ?? null
    },
    fill,
    takeWhole: (entry) => ({
      append(chunk) {
        const isKept = tier.setSlice(entry, 0, chunk)
        if (!isKept) drop(entry)
        return isKept
      },
      end: nothing,
      fail: () => drop(entry),
    }),
    fillAt: fills.at,
    filling(request) {
      const index = indexOf(request.uri)
      const entry = tier.peek(index ? variantKey(index, request) : request.uri)
      const found = entry && fills.whole(entry)
      return found && entry.meta.kind === 'response' ? { stored: entry.meta.stored, fill: found } : null
    },
    refresh({ entry }, stored, ticket) {
      const tags = tagsOf(stored, tagsMax)
      if (ticket && !tier.isValid(ticket, [...entry.tags, ...tags])) return false
      return tier.refresh(entry, {
        meta: { kind: 'response', stored, prepared: null },
        metaBytes: metaBytesOf(stored),
        tags,
      })
    },
    has: ({ entry }, span) => tier.has(entry, span),
    read({ entry, sizeBytes }, span) {
      const { body } = entry
      if (body) return span.start === 0 && span.end === sizeBytes ? body : body.subarray(span.start, span.end)
      if (span.start === span.end) return EMPTY
      return tier.has(entry, span) ? slicesOf(entry, span) : null
    },
    pieceAt(entry, span) {
      const slice = sliceAt(entry, span)
      if (slice) return slice
      const tail = fills.at(entry, span.start)?.store.tail(span.start)
      return tail ? tail.subarray(0, span.end - span.start) : null
    },
    hasCome(entry, { start, end }) {
      const coming = fills.at(entry, end - 1)?.store
      const tailEnd = coming?.atByte() ?? 0
      if (end > tailEnd || !coming?.tail(end - 1)) return tier.has(entry, { start, end })
      return tier.has(entry, { start, end: Math.floor((end - 1) / sliceBytes) * sliceBytes })
    },
    drop: ({ entry }) => drop(entry),
    purge: (uris) => uris.reduce((sum, uri) => sum + tier.purge(uri), 0),
  }
}

const nothing = (): void => {}

const EMPTY = new Uint8Array(0)

function lengthOf({ fields, method, status }: StoredResponse): number | null {
  if (method === 'HEAD' || status === 204 || status === 304) return 0
  return declaredLength(fields)
}

function metaBytesOf({ lines }: StoredResponse): number {
  return lines.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0)
}

/** `Surrogate-Key`, separated by spaces: what purges name. */
function tagsOf({ fields }: StoredResponse, tagsMax: number): string[] {
  return (fields.get('surrogate-key') ?? '').split(/\s+/).filter(Boolean).slice(0, tagsMax)
}
