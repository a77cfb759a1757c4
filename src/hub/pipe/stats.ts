import type { PipeView } from '../../contracts/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Processed } from './process-record.ts'
import { createRate } from './rate.ts'
import type { Refusal } from './refusal.ts'

/** Counted since this process started. */
export type PipeStats = {
  settled(kind: Processed['kind'], refusal: Refusal | null): void
  /** Something is tried again. */
  failed(reason: string): void
  view(): Omit<PipeView, 'name' | 'from' | 'lagRecords'>
}

export function createPipeStats(clock: Clock): PipeStats {
  const accepted = createRate(clock)
  const quarantined = createRate(clock)
  let filtered = 0
  let lastError: string | null = null
  return {
    settled(kind, refusal) {
      if (refusal) {
        quarantined.add(1)
        lastError = `${refusal.code}: ${refusal.reason}`
      } else if (kind === 'filtered') filtered += 1
      else accepted.add(1)
    },
    failed(reason) {
      lastError = reason
    },
    view: () => ({
      accepted: accepted.total(),
      filtered,
      quarantined: quarantined.total(),
      acceptedPerSecond: accepted.perSecond(),
      quarantinedPerSecond: quarantined.perSecond(),
      lastError,
    }),
  }
}
