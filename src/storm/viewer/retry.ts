import { RETRY_AFTER_MS_MAX, RETRY_MS_MIN } from './limits.ts'
import type { Failure } from './protocol.ts'

/** Statuses below 500 that say "not now" rather than "no". */
const PASSING_STATUSES: readonly number[] = [408, 425, 429]

/** `again`: asking later can help. `renew`: with a new media token. `gone`: there is no such title (any more). `refused`: never. */
export function judgeFailure(failure: Failure): 'again' | 'renew' | 'gone' | 'refused' {
  if (failure.kind !== 'status') return 'again'
  const { status, code } = failure
  if (status === 403 && code === 'token-expired') return 'renew'
  if (status === 404 || status === 410) return 'gone'
  return status >= 400 && status < 500 && !PASSING_STATUSES.includes(status) ? 'refused' : 'again'
}

/** The wait after attempt number `attempts` (from 0) has failed. */
export function retryDelayMs(retryMs: readonly number[], attempts: number, failure: Failure): number {
  const own = retryMs[Math.min(attempts, retryMs.length - 1)] ?? RETRY_AFTER_MS_MAX
  const asked = failure.kind === 'status' ? (failure.retryAfterMs ?? 0) : 0
  return Math.max(RETRY_MS_MIN, own, Math.min(asked, RETRY_AFTER_MS_MAX))
}
