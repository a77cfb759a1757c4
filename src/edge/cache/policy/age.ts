import type { FieldReader } from '../../http/message.ts'

/** When the request left and when the response's head came, by this host's clock. */
export type MessageTimes = { readonly requestMs: number; readonly responseMs: number }

/** The largest delta-seconds anybody must represent (RFC 9111, 1.2.2). */
const DELTA_SECONDS_MAX = 2_147_483_648

/** RFC 9111, 5.1: the first member of a list counts; what is not a non-negative integer is ignored. */
export function parseAgeSeconds(value: string | null): number {
  if (value === null) return 0
  const first = (value.split(',', 1)[0] ?? '').trim()
  if (!/^\d+$/.test(first)) return 0
  return Math.min(Number(first), DELTA_SECONDS_MAX)
}

/**
 * RFC 9111, 4.2.3: the larger of the apparent age and the Age received plus the whole delay. `dateMs` null (absent or
 * unreadable) stands for the time of receipt (RFC 9110, 6.6.1). A clock that was set back never makes an age negative.
 */
export function correctedInitialAgeMs(received: {
  readonly dateMs: number | null
  readonly ageValue: string | null
  readonly requestMs: number
  readonly responseMs: number
}): number {
  const { dateMs, ageValue, requestMs, responseMs } = received
  const apparentAgeMs = dateMs === null ? 0 : Math.max(0, responseMs - dateMs)
  const responseDelayMs = Math.max(0, responseMs - requestMs)
  const correctedAgeMs = parseAgeSeconds(ageValue) * 1_000 + responseDelayMs
  return Math.min(Math.max(apparentAgeMs, correctedAgeMs), DELTA_SECONDS_MAX * 1_000)
}

/** current_age (RFC 9111, 4.2.3): never less than the initial age, so a clock set back cannot make anything younger than that. */
export function currentAgeMs(
  stored: { readonly initialAgeMs: number; readonly times: MessageTimes },
  nowMs: number,
): number {
  return stored.initialAgeMs + Math.max(0, nowMs - stored.times.responseMs)
}

/** The Age field of an answer from the cache: whole seconds, at most 2^31 (RFC 9111, 1.2.2 and 5.1). */
export function toAgeSeconds(ageMs: number): number {
  return Math.min(Math.floor(ageMs / 1_000), DELTA_SECONDS_MAX)
}

export function initialAgeOf(fields: FieldReader, dateMs: number | null, times: MessageTimes): number {
  return correctedInitialAgeMs({ dateMs, ageValue: fields.get('age'), ...times })
}
