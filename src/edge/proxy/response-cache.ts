import {
  decideVariant,
  NO_VARIANTS,
  type PolicyOptions,
  parseVary,
  type StoredResponse,
  toLookupKey,
  type VariantIndex,
} from '../cache/policy/index.ts'
import type { RequestHead } from '../http/message.ts'
import type { Entry, MemoryTier, Ticket } from '../memory/index.ts'
import type { ChunkStore } from '../origin/index.ts'
import { declaredLength } from './messages.ts'

/** Under a URI's own key lies which fields its answers vary by; under the URI and a variant, an answer. */
export type CacheMeta =
  | { readonly kind: 'index'; readonly index: VariantIndex }
  | { readonly kind: 'response'; readonly stored: StoredResponse }

export type Cached = { readonly entry: Entry<CacheMeta>; readonly stored: StoredResponse; readonly sizeBytes: number }

/** Responses in the memory tier, by URI and variant. */
export type ResponseCache = {
  /** The answer stored for this request's variant, if all of it is here. */
  find(request: RequestHead): Cached | null
  /** What requests for the same answer have in common, as far as is known. */
  fetchKey(request: RequestHead): string
  ticket(request: RequestHead): Ticket
  /** Takes an answer in as it arrives; null when there is no room for it, or it was purged since the ticket. */
  keep(ticket: Ticket, request: RequestHead, stored: StoredResponse): ChunkStore | null
  /** New fields for the same bytes. False when they are gone. */
  refresh(cached: Cached, stored: StoredResponse): boolean
  /** All bytes of it, or null when some have left meanwhile. */
  bytesOf(cached: Cached): Uint8Array | null
  drop(cached: Cached): void
  /** Every variant of these URIs. */
  purge(uris: readonly string[]): number
}

export function createResponseCache(options: {
  readonly tier: MemoryTier<CacheMeta>
  readonly policy: PolicyOptions
  readonly sliceBytes: number
}): ResponseCache {
  const { tier, policy, sliceBytes } = options

  const indexOf = (uri: string): VariantIndex => {
    const meta = tier.peek(uri)?.meta
    return meta?.kind === 'index' ? meta.index : NO_VARIANTS
  }
  const keyFor = (request: RequestHead): string => `${request.uri}\n${toLookupKey(indexOf(request.uri), request)}`

  /** Where an answer belongs; what can no longer be found there is dropped. */
  const placeFor = (ticket: Ticket, request: RequestHead, stored: StoredResponse): string => {
    const before = indexOf(request.uri)
    const varyFields = parseVary(stored.fields.get('vary')) ?? []
    if (varyFields.length === 0 && before.fields.length === 0) return `${request.uri}\n`
    const { index, key, drop } = decideVariant(before, { varyFields, request }, policy)
    for (const old of drop) tier.purge(`${request.uri}\n${old}`)
    const metaBytes = [...index.fields, ...index.keys].reduce((sum, text) => sum + text.length, 0)
    tier.setIfValid(ticket, request.uri, { meta: { kind: 'index', index }, metaBytes, tags: [], sizeBytes: 0 })
    return `${request.uri}\n${key}`
  }

  return {
    find(request) {
      const entry = tier.get(keyFor(request))
      if (entry?.meta.kind !== 'response' || entry.sizeBytes === null) return null
      const { sizeBytes } = entry
      return tier.has(entry, { start: 0, end: sizeBytes }) ? { entry, stored: entry.meta.stored, sizeBytes } : null
    },
    fetchKey: (request) => `${request.method} ${keyFor(request)}`,
    ticket: (request) => tier.ticket(request.uri),
    keep(ticket, request, stored) {
      const key = placeFor(ticket, request, stored)
      const input = {
        meta: { kind: 'response' as const, stored },
        metaBytes: metaBytesOf(stored),
        tags: tagsOf(stored),
      }
      const entry = tier.setIfValid(ticket, key, { ...input, sizeBytes: lengthOf(stored) })
      return entry ? fill({ tier, entry, sliceBytes }) : null
    },
    refresh(cached, stored) {
      const meta: CacheMeta = { kind: 'response', stored }
      return tier.refresh(cached.entry, { meta, metaBytes: metaBytesOf(stored), tags: tagsOf(stored) })
    },
    bytesOf({ entry, sizeBytes }) {
      if (entry.body) return entry.body
      const slices: Uint8Array[] = []
      for (let at = 0; at * sliceBytes < sizeBytes; at++) {
        const slice = tier.slice(entry, at)
        if (!slice) return null
        slices.push(slice)
      }
      return Buffer.concat(slices, sizeBytes)
    },
    drop({ entry }) {
      tier.purge(entry.key)
    },
    purge: (uris) => uris.reduce((sum, uri) => sum + tier.purge(uri), 0),
  }
}

/** Takes a body in, slice by slice. What does not come to its end is not kept. */
function fill(options: {
  readonly tier: MemoryTier<CacheMeta>
  readonly entry: Entry<CacheMeta>
  readonly sliceBytes: number
}): ChunkStore {
  const { tier, entry, sliceBytes } = options
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let index = 0
  let total = 0

  const flush = (): boolean => {
    const slice = Buffer.concat(pending, pendingBytes)
    pending = []
    pendingBytes = 0
    return tier.setSlice(entry, index++, slice)
  }
  const giveUp = (): false => {
    if (tier.peek(entry.key) === entry) tier.purge(entry.key)
    return false
  }
  return {
    append(chunk) {
      total += chunk.byteLength
      for (let from = 0; from < chunk.byteLength; ) {
        const part = chunk.slice(from, from + sliceBytes - pendingBytes)
        pending.push(part)
        pendingBytes += part.byteLength
        from += part.byteLength
        if (pendingBytes === sliceBytes && !flush()) return giveUp()
      }
      return true
    },
    end() {
      if (pendingBytes > 0 && !flush()) giveUp()
      else if (entry.sizeBytes === null && !tier.setSize(entry, total)) giveUp()
      else if (entry.sizeBytes !== null && entry.sizeBytes !== total) giveUp()
    },
    fail: () => void giveUp(),
  }
}

function lengthOf({ fields, method, status }: StoredResponse): number | null {
  if (method === 'HEAD' || status === 204 || status === 304) return 0
  return declaredLength(fields)
}

function metaBytesOf({ lines }: StoredResponse): number {
  return lines.reduce((sum, [name, value]) => sum + 2 * (name.length + value.length), 0)
}

/** `Surrogate-Key`, separated by spaces: what purges name. */
function tagsOf({ fields }: StoredResponse): string[] {
  return (fields.get('surrogate-key') ?? '').split(/\s+/).filter(Boolean).slice(0, TAGS_MAX)
}

const TAGS_MAX = 64
