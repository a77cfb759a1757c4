import type { Clock, Limits } from '../../kernel/index.ts'
import { createRate } from './rate.ts'

/** What became of one subscription's recent attempts. Bounded: the oldest are overwritten. */
export type Deliveries = {
  /** By its delivery id outside of replays. */
  delivered(deliveryId: string, appendedAtMs: number): void
  failed(reason: string): void
  figures(): {
    readonly delivered: number
    readonly failed: number
    readonly deliveredPerSecond: number
    readonly failedPerSecond: number
    readonly latencyP50Ms: number | null
    readonly latencyP99Ms: number | null
    readonly lastError: string | null
  }
  /** When an event was delivered last, if that is remembered. */
  deliveredAtMs(deliveryId: string): number | null
}

/** Latencies are of this time. */
const RECENT_MS = 60_000

export function createDeliveries(options: {
  limits: Pick<Limits, 'hubRecentDeliveriesMax'>
  clock: Clock
}): Deliveries {
  const { limits, clock } = options
  const max = limits.hubRecentDeliveriesMax
  const ids: string[] = []
  const atMs = new Float64Array(max)
  const latencyMs = new Float64Array(max)
  const deliveredRate = createRate(clock)
  const failedRate = createRate(clock)
  let delivered = 0
  let failed = 0
  let lastError: string | null = null

  const recentLatencies = (): Float64Array => {
    const since = clock.nowMs() - RECENT_MS
    return latencyMs
      .subarray(0, Math.min(delivered, max))
      .filter((_, at) => (atMs[at] ?? 0) >= since)
      .sort()
  }

  return {
    delivered(deliveryId, appendedAtMs) {
      const nowMs = clock.nowMs()
      const at = delivered % max
      ids[at] = deliveryId
      atMs[at] = nowMs
      latencyMs[at] = Math.max(0, nowMs - appendedAtMs)
      delivered += 1
      deliveredRate.count()
    },
    failed(reason) {
      failed += 1
      lastError = reason
      failedRate.count()
    },
    figures() {
      const latencies = recentLatencies()
      return {
        delivered,
        failed,
        deliveredPerSecond: deliveredRate.perSecond(),
        failedPerSecond: failedRate.perSecond(),
        latencyP50Ms: quantile(latencies, 0.5),
        latencyP99Ms: quantile(latencies, 0.99),
        lastError,
      }
    },
    deliveredAtMs(deliveryId) {
      const at = ids.lastIndexOf(deliveryId)
      return at < 0 ? null : (atMs[at] ?? null)
    },
  }
}

function quantile(sorted: Float64Array, share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null
}
