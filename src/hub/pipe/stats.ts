import type { PipeView } from '../../contracts/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { createRate } from '../bus/rate.ts'
import type { Processed } from './process-record.ts'
import type { Refusal } from './refusal.ts'

/** Counted since this process started. */
export type PipeStats = {
  settled(kind: Processed['kind'], refusal: Refusal | null): void
  /** Something is tried again. */
  failed(reason: string): void
  view(): Omit<PipeView, 'name' | 'from' | 'lagRecords'>
}

export function createPipeStats(clock: Clock): PipeStats {
  const acceptedRate = createRate(clock)
  const quarantinedRate = createRate(clock)
  let accepted = 0
  let quarantined = 0
  let filtered = 0
  let lastError: string | null = null
  return {
    settled(kind, refusal) {
      if (refusal) {
        quarantined += 1
        quarantinedRate.count()
        lastError = `${refusal.code}: ${refusal.reason}`
      } else if (kind === 'filtered') filtered += 1
      else {
        accepted += 1
        acceptedRate.count()
      }
    },
    failed(reason) {
      lastError = reason
    },
    view: () => ({
      accepted,
      filtered,
      quarantined,
      acceptedPerSecond: acceptedRate.perSecond(),
      quarantinedPerSecond: quarantinedRate.perSecond(),
      lastError,
    }),
  }
}
