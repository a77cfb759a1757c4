import { createExchange, type Exchange, type ExchangeAnswer } from './exchange.ts'
import { decideHealth, HEALTHY, type Health, type HealthEvent } from './health.ts'
import type { OriginLimits } from './limits.ts'

export type OriginAnswer =
  | (Omit<ExchangeAnswer, 'discard'> & { readonly originUrl: string })
  | {
      readonly ok: false
      readonly code: 'origin-unreachable' | 'origin-timeout' | 'origin-invalid' | 'cancelled'
      readonly why: string
    }

/** One origin: where it is, how it does, how to talk to it. */
export type OriginMember = {
  readonly url: string
  readonly weight: number
  readonly exchange: Exchange
  readonly note: (event: HealthEvent) => void
  readonly health: () => Health
}

export function createMember(
  origin: { readonly url: string; readonly weight?: number },
  context: {
    readonly limits: OriginLimits
    readonly random: () => number
    readonly nowMs: () => number
    readonly onHealth?: (originUrl: string, health: Health) => void
  },
): OriginMember {
  const { limits, random, nowMs, onHealth } = context
  const url = new URL(origin.url)
  let health = HEALTHY
  return {
    url: url.origin,
    weight: origin.weight ?? 1,
    exchange: createExchange({ url, limits }),
    health: () => health,
    note(event) {
      const before = health.state
      health = decideHealth(health, event, { nowMs: nowMs(), chance: random(), limits })
      if (health.state !== before) onHealth?.(url.origin, health)
    },
  }
}
