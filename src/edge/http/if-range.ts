/** `If-Range` (RFC 9110, 13.1.5). */
import { parseHttpDate } from './dates.ts'
import { matchesStrong, parseEntityTag } from './etags.ts'
import type { Validators } from './preconditions.ts'

export type RangeValidators = Validators & {
  /** When the representation was sent, by its `Date`; null when that is not known, and then its modification time is weak. */
  readonly dateMs: number | null
}

const SECOND_MS = 1000

/** Whether `Range` counts; when it does not, the whole is sent (RFC 9110, 13.2.2, step 5). Without `If-Range` it does. */
export function decideIfRange(value: string | null, representation: RangeValidators): boolean {
  if (value === null) return true
  if (parseEntityTag(value) !== null) return representation.etag !== null && matchesStrong(value, representation.etag)
  const { lastModifiedMs, dateMs } = representation
  if (lastModifiedMs === null || dateMs === null) return false
  // A file can change twice within a second: its time is strong only when the answer is at least a second younger (8.8.2.2).
  const modifiedMs = Math.floor(lastModifiedMs / SECOND_MS) * SECOND_MS
  if (dateMs - modifiedMs < SECOND_MS) return false
  // An exact match, not "unchanged since". The century of a two-digit year is the validator's own.
  return parseHttpDate(value, dateMs) === modifiedMs
}
