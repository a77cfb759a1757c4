import { LRUCache } from 'lru-cache'
import type { Publisher } from '../../hub/index.ts'
import { type Clock, describeError, type Limits, type Logger, systemClock } from '../../kernel/index.ts'

/** Says on the log that viewers wait for a segment, so that it is made next; once per segment and a few seconds, however many wait. */
export type WantedSegments = {
  want(titleId: string, track: string, index: number): void
}

export function createWantedSegments(options: {
  publisher: Publisher
  limits: Pick<Limits, 'segmentWantedRepeatMs' | 'segmentHoldsMax'>
  logger: Logger
  clock?: Clock
}): WantedSegments {
  const { publisher, limits, logger, clock = systemClock } = options
  const announcedAtMs = new LRUCache<string, number>({ max: limits.segmentHoldsMax })
  return {
    want(titleId, track, index) {
      const key = `${titleId}/${track}/${index}`
      const now = clock.elapsedMs()
      if (now - (announcedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < limits.segmentWantedRepeatMs) return
      announcedAtMs.set(key, now)
      publisher.publish('tentpole.segment.wanted.v1', titleId, { titleId, track, index }).catch((error: unknown) => {
        // Only a hint: the segment is made in its turn anyway.
        announcedAtMs.delete(key)
        logger.warn('could not say that a segment is wanted', { titleId, track, index, error: describeError(error) })
      })
    },
  }
}
