import type { Limits } from '../../kernel/index.ts'

/** What is known of one origin. Pure: time and chance are given. */
export type Health = {
  readonly state: 'up' | 'down' | 'trial'
  /** Failures in a row. */
  readonly failures: number
  /** Times it went down without an answer in between: the exponent of the backoff. */
  readonly downs: number
  readonly retryAtMs: number
  /** Whether it could be reached at all: one that answers, but with 503, is asked rather than nobody. */
  readonly reachable: boolean
}

export type HealthEvent =
  | { readonly kind: 'answered' }
  /** `reachable` false: no connection, or closed without an answer. True: too slow, or a gateway status. */
  | { readonly kind: 'failed'; readonly reachable: boolean }
  /** It is being asked while down: the half-open trial. */
  | { readonly kind: 'asked' }
  /** The client left before anything was known. */
  | { readonly kind: 'cancelled' }

export type HealthLimits = Pick<Limits, 'edgeOriginFailuresMax' | 'edgeOriginRetryMinMs' | 'edgeOriginRetryMaxMs'>

export const HEALTHY: Health = { state: 'up', failures: 0, downs: 0, retryAtMs: 0, reachable: true }

/** `chance` in [0, 1) spreads the retries of many edges, so that a recovering origin is not met by all at once. */
export function decideHealth(
  health: Health,
  event: HealthEvent,
  at: { readonly nowMs: number; readonly chance: number; readonly limits: HealthLimits },
): Health {
  switch (event.kind) {
    case 'answered':
      return HEALTHY
    case 'asked':
      return health.state === 'down' ? { ...health, state: 'trial' } : health
    case 'cancelled':
      return health.state === 'trial' ? { ...health, state: 'down' } : health
    case 'failed':
      return decideFailed(health, event.reachable, at)
  }
}

function decideFailed(
  health: Health,
  reachable: boolean,
  at: { readonly nowMs: number; readonly chance: number; readonly limits: HealthLimits },
): Health {
  const failures = health.failures + 1
  if (health.state === 'up' && failures < at.limits.edgeOriginFailuresMax) return { ...health, failures, reachable }
  // A request sent before it went down says nothing new: only a trial moves the backoff on.
  if (health.state === 'down') return { ...health, failures, reachable }
  const backoffMs = Math.min(
    at.limits.edgeOriginRetryMaxMs,
    at.limits.edgeOriginRetryMinMs * 2 ** Math.min(health.downs, 30),
  )
  const retryAtMs = at.nowMs + backoffMs * (1 - at.chance / 2)
  return { state: 'down', failures, downs: health.downs + 1, retryAtMs, reachable }
}

/**
 * Whom to ask, in this order. An origin due for its trial comes first if the request can be repeated (the next one is
 * asked soon after, so the trial costs little), else after those that are up. Those that are down and not due are
 * asked only when none is up, and only if they answered at all: a dead origin is reported at once, so that stale
 * content can be served without a wait (RFC 5861, 4).
 */
export function orderOrigins(
  origins: readonly { readonly health: Health; readonly weight: number }[],
  at: { readonly nowMs: number; readonly repeatable: boolean; readonly random: () => number },
): number[] {
  const indices = origins.map((_, index) => index)
  const healthOf = (index: number): Health => origins[index]?.health ?? HEALTHY
  const up = shuffleByWeight(
    indices.filter((index) => healthOf(index).state === 'up'),
    (index) => origins[index]?.weight ?? 1,
    at.random,
  )
  const down = indices.filter((index) => healthOf(index).state === 'down')
  const due = down.filter((index) => healthOf(index).retryAtMs <= at.nowMs).slice(0, 1)
  const order = at.repeatable ? [...due, ...up] : [...up, ...due]
  if (up.length > 0) return order
  return [...order, ...indices.filter((index) => healthOf(index).reachable && !order.includes(index))]
}

/** Weighted order without repetition: the largest of chance^(1/weight) first (Efraimidis and Spirakis, 2006). */
function shuffleByWeight(indices: number[], weightOf: (index: number) => number, random: () => number): number[] {
  return indices
    .map((index) => ({ index, rank: random() ** (1 / weightOf(index)) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ index }) => index)
}
