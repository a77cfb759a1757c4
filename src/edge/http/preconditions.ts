/** Conditional requests (RFC 9110, 13), decided in the order of 13.2.2. */
import { parseHttpDate } from './dates.ts'
import { matchesStrong, matchesWeak, parseEntityTags } from './etags.ts'
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
 * As an origin decides, all fields counted. The caller asks only when it would otherwise answer 2xx (RFC 9110, 13.2.1), and
 * treats `If-Range` after it (13.2.2, step 5). Conditions that cannot be read are ignored where 13.1 says so.
 */
export function decidePreconditions(question: PreconditionQuestion): PreconditionOutcome {
  if (UNCONDITIONAL.has(question.method)) return 'proceed'
  return mayProceed(question) ? decideCachePreconditions(question) : 'precondition-failed'
}

/**
 * As a cache decides about a stored response: `If-Match` and `If-Unmodified-Since` are the origin's business (RFC 9111,
 * 4.3.2), `If-None-Match` and `If-Modified-Since` answer from what is stored. Where no `Last-Modified` is stored the caller
 * may give the response's `Date` in its place (4.3.2).
 */
export function decideCachePreconditions(question: PreconditionQuestion): PreconditionOutcome {
  const { method, fields, representation } = question
  if (UNCONDITIONAL.has(method)) return 'proceed'
  const reads = method === 'GET' || method === 'HEAD'
  const ifNoneMatch = fields.get('if-none-match')
  if (ifNoneMatch !== null) {
    if (!anyMatches(ifNoneMatch, representation, matchesWeak)) return 'proceed'
    return reads ? 'not-modified' : 'precondition-failed'
  }
  // Only where If-None-Match is absent, and for GET and HEAD alone (RFC 9110, 13.1.3).
  if (!reads) return 'proceed'
  const ifModifiedSince = fields.get('if-modified-since')
  return ifModifiedSince !== null && isModifiedSince(ifModifiedSince, question) === false ? 'not-modified' : 'proceed'
}

/** Steps 1 and 2 of RFC 9110, 13.2.2: the date counts only where there is no `If-Match` (13.1.4). */
function mayProceed(question: PreconditionQuestion): boolean {
  const ifMatch = question.fields.get('if-match')
  if (ifMatch !== null) return anyMatches(ifMatch, question.representation, matchesStrong)
  const ifUnmodifiedSince = question.fields.get('if-unmodified-since')
  return ifUnmodifiedSince === null || isModifiedSince(ifUnmodifiedSince, question) !== true
}

/** `*` matches whatever there is (RFC 9110, 13.1.1 and 13.1.2). */
function anyMatches(
  value: string,
  representation: Validators | null,
  matches: (a: string, b: string) => boolean,
): boolean {
  if (representation === null) return false
  const tags = parseEntityTags(value)
  if (tags === '*') return true
  const { etag } = representation
  return etag !== null && tags.some((tag) => matches(tag, etag))
}

/** Null: the condition is to be ignored, for want of a valid date or of a modification time (RFC 9110, 13.1.3 and 13.1.4). */
function isModifiedSince(value: string, { representation, nowMs }: PreconditionQuestion): boolean | null {
  const lastModifiedMs = representation?.lastModifiedMs ?? null
  const sinceMs = parseHttpDate(value, nowMs)
  return lastModifiedMs === null || sinceMs === null ? null : toWholeSeconds(lastModifiedMs) > sinceMs
}

/** Dates in fields have no fractions; a time with one would forever count as later than itself. */
function toWholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
