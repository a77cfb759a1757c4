/** A token bucket: `tokens` of at most `burst`, as of `atMs` of a monotonic clock. */
export type Bucket = { readonly tokens: number; readonly atMs: number }

/** How many may go at once after a pause: a tenth of a second's worth. */
export const burstOf = (perSecond: number): number => Math.max(1, perSecond / 10)

/** Takes one token, or says how long to wait for it; the bucket is the new one in both cases. */
export function decideTake(
  bucket: Bucket,
  nowMs: number,
  perSecond: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const gained = (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1_000
  const tokens = Math.min(burstOf(perSecond), bucket.tokens + gained)
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 }
  return { bucket: { tokens, atMs: nowMs }, waitMs: Math.ceil(((1 - tokens) * 1_000) / perSecond) }
}
