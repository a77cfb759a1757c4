/** Conditional requests (RFC 9110, 13), decided as a cache does, in the order of 13.2.2. */
import { parseHttpDate } from './dates.ts'
import { matchesWeak, parseEntityTags } from './etags.ts'
import type { FieldReader } from './message.ts'

export type PreconditionOutcome = 'proceed' | 'not-modified' | 'precondition-failed'

/** The validators of what would be sent; null stands for one that it does not have. */
export type Validators = { readonly etag: string | null; readonly lastModifiedMs: number | null }

export type PreconditionQuestion = {
  readonly method: string
  readonly fields: FieldReader
  /** The current representation; null when there is none, as for a resource that is not there yet. */
  readonly representation: Validators | null
  /** For dates with two-digit years. */
  readonly nowMs: number
}

/** Methods that select no representation, so that conditions mean nothing (RFC 9110, 13.2.1). */
const UNCONDITIONAL: ReadonlySet<string> = new Set(['CONNECT', 'OPTIONS', 'TRACE'])

/**
 * What a cache answers from a stored response of 2xx (RFC 9110, 13.2.1): `If-Match` and `If-Unmodified-Since` are the origin's business (RFC 9111,
 * 4.3.2), `If-None-Match` and `If-Modified-Since` answer from what is stored. Where no `Last-Modified` is stored the caller
 * may give the response's `Date` in its place (4.3.2).
 */
export function decideCachePreconditions(question: PreconditionQuestion): PreconditionOutcome {
  const { method, fields, representation } = question
  if (UNCONDITIONAL.has(method)) return 'proceed'
  const reads = method === 'GET' || method === 'HEAD'
  const ifNoneMatch = fields.get('if-none-match')
  if (ifNoneMatch !== null) {
    if (!anyMatches(ifNoneMatch, representation)) return 'proceed'
    return reads ? 'not-modified' : 'precondition-failed'
  }
  // Only where If-None-Match is absent, and for GET and HEAD alone (RFC 9110, 13.1.3).
  if (!reads) return 'proceed'
  const ifModifiedSince = fields.get('if-modified-since')
  return ifModifiedSince !== null && isModifiedSince(ifModifiedSince, question) === false ? 'not-modified' : 'proceed'
}

/** Compared weakly; `*` matches whatever there is (RFC 9110, 13.1.2). */
function anyMatches(value: string, representation: Validators | null): boolean {
  if (representation === null) return false
  const tags = parseEntityTags(value)
  if (tags === '*') return true
  const { etag } = representation
  return etag !== null && tags.some((tag) => matchesWeak(tag, etag))
}

/** Null: the condition is to be ignored, for want of a valid date or of a modification time (RFC 9110, 13.1.3). */
function isModifiedSince(value: string, { representation, nowMs }: PreconditionQuestion): boolean | null {
  const lastModifiedMs = representation?.lastModifiedMs ?? null
  const sinceMs = parseHttpDate(value, nowMs)
  return lastModifiedMs === null || sinceMs === null ? null : toWholeSeconds(lastModifiedMs) > sinceMs
}

/** Dates in fields have no fractions; a time with one would forever count as later than itself. */
function toWholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
