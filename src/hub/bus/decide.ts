import type { DeliveryPolicy } from '../../contracts/index.ts'
import type { Outcome } from './target.ts'

/** What is known of an event when an attempt at it has ended. */
export type DeliveryState = {
  /** Attempts that failed before this one. */
  readonly attempts: number
  /** From when its age counts: its append, its replay or its redrive. */
  readonly agedFromMs: number
}

export type Decision =
  | { readonly kind: 'done' }
  | { readonly kind: 'withheld' }
  | { readonly kind: 'park'; readonly attempts: number; readonly nextAtMs: number; readonly reason: string }
  | { readonly kind: 'dead'; readonly attempts: number; readonly code: DeathCode; readonly reason: string }
  | { readonly kind: 'again' }
  | { readonly kind: 'disable'; readonly reason: string }

export type DeathCode = 'refused' | 'attempts-exhausted' | 'too-old' | 'event-invalid'

/** Reasons are kept in rows and shown to people: so many characters of them. */
const REASON_CHARACTERS_MAX = 2_000

/**
 * What follows from an attempt. Every event is tried once, however old it is, so that a subscription may begin with old events;
 * its age counts when it fails. The last attempt is made no later than its age allows, whatever the target asked for.
 */
export function decideOutcome(
  state: DeliveryState,
  outcome: Outcome,
  options: { readonly policy: DeliveryPolicy; readonly nowMs: number; readonly random: () => number },
): Decision {
  switch (outcome.kind) {
    case 'done':
    case 'withheld':
      return { kind: outcome.kind }
    case 'interrupted':
      return { kind: 'again' }
    case 'gone':
      return { kind: 'disable', reason: cut(outcome.reason) }
    case 'refused':
      return { kind: 'dead', attempts: state.attempts + 1, code: 'refused', reason: cut(outcome.reason) }
    case 'failed':
      return decideFailure(state, outcome, options)
  }
}

function decideFailure(
  { attempts: before, agedFromMs }: DeliveryState,
  outcome: { readonly reason: string; readonly retryAfterMs?: number },
  { policy, nowMs, random }: { policy: DeliveryPolicy; nowMs: number; random: () => number },
): Decision {
  const attempts = before + 1
  const reason = cut(outcome.reason)
  const lastMs = agedFromMs + policy.ageMaxMs
  if (attempts >= policy.attemptsMax) return { kind: 'dead', attempts, code: 'attempts-exhausted', reason }
  if (nowMs >= lastMs) return { kind: 'dead', attempts, code: 'too-old', reason }
  const waitMs = Math.max(backoffMs(policy, attempts, random), outcome.retryAfterMs ?? 0)
  return { kind: 'park', attempts, reason, nextAtMs: Math.min(nowMs + waitMs, lastMs) }
}

/** Full jitter: anything from 0 to the cap, so that what failed together does not come back together. */
function backoffMs({ backoffMinMs, backoffMaxMs }: DeliveryPolicy, attempts: number, random: () => number): number {
  const capMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** (attempts - 1))
  return Math.round(random() * capMs)
}

function cut(reason: string): string {
  return reason.length > REASON_CHARACTERS_MAX ? `${reason.slice(0, REASON_CHARACTERS_MAX)}…` : reason
}
