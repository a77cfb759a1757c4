import { matchesStrong, matchesWeak } from '../../http/etags.ts'
import { endToEndLines } from '../../http/hop-by-hop.ts'
import type { FieldLine, RequestHead, ResponseHead } from '../../http/message.ts'
import type { MessageTimes } from './age.ts'
import type { FreshnessOptions } from './freshness.ts'
import { parsePlacedRange } from './placed-range.ts'
import { decideStore, type StoreDecision, type StoreOptions } from './store.ts'
import { createFieldReader, dateOf, type StoredResponse, toInvalidated, toStored } from './stored.ts'
import { entityTagOf, hasStrongDate, isStrongTag, lastModifiedOf } from './validators.ts'

/**
 * Never taken from a 304, a HEAD or a further part: they describe the stored bytes, which have not changed (RFC 9111, 3.2).
 * Set-Cookie was meant for one client; what is stored is for all.
 */
const NEVER_UPDATED: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'set-cookie',
  'transfer-encoding',
])

export type Update = {
  readonly stored: StoredResponse
  readonly request: RequestHead
  readonly response: ResponseHead
  readonly times: MessageTimes
  readonly options: FreshnessOptions & StoreOptions
}

export type Updated = {
  readonly stored: StoredResponse
  /** Whether the updated response may stay: the update may have brought no-store or private. */
  readonly keep: StoreDecision
}

/**
 * Which of the stored responses that this request could have been answered with a 304 speaks of (RFC 9111, 4.3.4). None:
 * the 304 must not update anything, and the request is to be repeated without conditions.
 */
export function selectNotModified(
  candidates: readonly StoredResponse[],
  notModified: ResponseHead,
): readonly StoredResponse[] {
  const tag = entityTagOf(notModified.fields)
  if (tag !== null) {
    const equal = candidates.filter(({ fields }) =>
      (isStrongTag(tag) ? matchesStrong : matchesWeak)(entityTagOf(fields) ?? '', tag),
    )
    return isStrongTag(tag) ? equal : newest(equal)
  }
  const lastModified = lastModifiedOf(notModified.fields)
  if (lastModified !== null) {
    const equal = candidates.filter(({ fields }) => lastModifiedOf(fields) === lastModified)
    const strong = equal.filter(({ fields }) => hasStrongDate(fields))
    return strong.length > 0 ? strong : newest(equal)
  }
  // Without any validator it can only mean the one that was asked about. 4.3.4 wants that one to have no validator either;
  // 4.3.3 takes every 304 for leave to reuse, and one candidate leaves no doubt which.
  return candidates.length === 1 ? candidates : []
}

function newest(candidates: readonly StoredResponse[]): readonly StoredResponse[] {
  const [first, ...rest] = candidates
  if (first === undefined) return []
  return [rest.reduce((best, one) => ((dateOf(one.fields) ?? 0) > (dateOf(best.fields) ?? 0) ? one : best), first)]
}

/** Freshens what `selectNotModified` chose with the fields of the 304 (RFC 9111, 3.2 and 4.3.4). */
export function mergeNotModified(update: Update): Updated {
  return merge(update)
}

/**
 * A 200 to a HEAD freshens the stored GET of the same variant when nothing in it speaks of other bytes, else what is
 * stored must be validated before it is used again (RFC 9111, 4.3.5). Null: the answer says nothing about what is stored.
 */
export function mergeHead(update: Update): ({ readonly kind: 'updated' | 'invalidated' } & Updated) | null {
  const { stored, request, response } = update
  if (request.method !== 'HEAD' || response.status !== 200 || stored.method !== 'GET' || stored.status >= 300)
    return null
  if (describesSameBytes(stored, response)) return { kind: 'updated', ...merge(update) }
  return { kind: 'invalidated', stored: toInvalidated(stored), keep: { store: true, without: [] } }
}

/** Fields of a further 206 on those that are stored (RFC 9111, 3.4); `decideCombine` has said that they belong together. */
export function mergePartial(update: Update): Updated {
  return merge(update)
}

function merge({ stored, request, response, times, options }: Update): Updated {
  const head = toMerged(stored, response)
  const keep = decideStore({ request: { ...request, method: stored.method }, response: head, options })
  const without = keep.store ? keep.without : []
  return { stored: toStored({ request: stored, response: head, times, without, options }), keep }
}

/**
 * Every field of the update takes the place of all stored lines of its name. The stored Date goes with it even when the
 * update has none: it would make the response as old as it was before it was validated.
 */
function toMerged(stored: StoredResponse, response: ResponseHead): ResponseHead {
  const updates = endToEndLines(response.lines, response.fields.get('connection')).filter(
    ([name]) => !NEVER_UPDATED.has(name),
  )
  const replaced = new Set(updates.map(([name]) => name)).add('date')
  const lines: readonly FieldLine[] = [...stored.lines.filter(([name]) => !replaced.has(name)), ...updates]
  return { status: stored.status, lines, fields: createFieldReader(lines) }
}

function describesSameBytes(stored: StoredResponse, head: ResponseHead): boolean {
  for (const name of ['etag', 'last-modified']) {
    const received = head.fields.get(name)
    if (received !== null && received !== stored.fields.get(name)) return false
  }
  const length = head.fields.get('content-length')
  const storedLength = lengthOf(stored)
  return length === null || storedLength === null || length.trim() === storedLength
}

/** Of the whole representation, whichever part is stored. */
function lengthOf(stored: StoredResponse): string | null {
  if (stored.status !== 206) return stored.fields.get('content-length')
  return parsePlacedRange(stored.fields.get('content-range'))?.sizeBytes.toString() ?? null
}
