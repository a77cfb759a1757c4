import type { ResponseHead } from '../../http/message.ts'

/** The errors of RFC 9110, 15.1, that may be kept for a moment though nothing says so; a moment is enough to stop a stampede. */
const NEGATIVE: ReadonlySet<number> = new Set([404, 405, 410, 414, 501])

/**
 * Heuristic freshness of an error about which nothing is said (RFC 9111, 4.2.2); null where this does not apply.
 * One with a validator is left to validation and to the common heuristic. The caller has found no explicit freshness.
 */
export function toNegativeLifetimeMs(response: ResponseHead, negativeMs: number): number | null {
  if (!NEGATIVE.has(response.status) || hasValidator(response)) return null
  return Math.max(0, negativeMs)
}

function hasValidator(response: ResponseHead): boolean {
  return response.fields.get('etag') !== null || response.fields.get('last-modified') !== null
}
