/** Either seconds or a date (RFC 9110, section 10.2.3), `nowMs` of the wall clock; null for anything else. Never negative. */
export function parseRetryAfterMs(value: string, nowMs: number): number | null {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  // Date.parse takes much that is no HTTP date, such as a bare year.
  if (!/^[A-Z][a-z]{2,8}, /.test(value)) return null
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}
