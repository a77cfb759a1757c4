import { createRevokedSessions, sessionDeafMs, sessionRevocationKeptMs } from '../../contracts/index.ts'
import { type LogPort, type LogRecord, withRecordAges } from '../../engines/log/index.ts'
import { decodeEvent, type Publisher } from '../../hub/index.ts'
import { type Clock, describeError, faultCode, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import { createEndingBound } from './ending-bound.ts'
import type { SessionIds } from './session-id.ts'

/** Which sessions may not go on, as this cell has heard from the log. */
export type EndedSessions = {
  /** `unsure`: the log was not heard to its end for so long that the session may have been ended without this cell knowing. */
  stateOf(sessionId: string): 'open' | 'ended' | 'unsure'
  /** Ends a viewer's own session; durable on the log when it resolves. A repeat says nothing to the log. Faults: those of `LogPort.append`. */
  end(viewerId: string, sessionId: string): Promise<Ending>
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  close(): Promise<void>
}

export type Ending =
  | { readonly ok: true; readonly endedAtMs: number }
  /** None of this viewer's, or none at all. */
  | { readonly ok: false; readonly code: 'session-not-found' }
  | { readonly ok: false; readonly code: 'too-many-endings'; readonly waitS: number }

export type EndedSessionsLimits = Pick<
  Limits,
  | 'pathTokenTtlMs'
  | 'pathTokenGraceMs'
  | 'sessionsRevokedMax'
  | 'sessionsEndedMax'
  | 'sessionEndsPerSecondMax'
  | 'viewerSessionEndsMax'
>

/** Follows `edge` from its beginning, as edges do. */
export function createEndedSessions(options: {
  log: LogPort
  publisher: Publisher
  sessionIds: SessionIds
  limits: EndedSessionsLimits
  logger: Logger
  clock?: Clock
}): EndedSessions {
  const { log, publisher, sessionIds, limits, logger, clock = systemClock } = options
  const revoked = createRevokedSessions({ limits, nowMs: clock.elapsedMs })
  const keptMs = sessionRevocationKeptMs(limits)
  const bound = createEndingBound({ limits, keptMs, clock })
  const deafMs = sessionDeafMs(limits)
  let heardAllAtMs = Number.NEGATIVE_INFINITY

  const apply = (record: LogRecord, ageMs: number): void => {
    try {
      const event = decodeEvent(record)
      if (event.type !== 'tentpole.session.revoked.v1') return
      revoked.add(event.data.sessionId, clock.elapsedMs() - ageMs, event.data.endedBy)
    } catch (error) {
      if (faultCode(error) === 'event-unknown') return
      const { topic, offset } = record
      logger.error('a record on the log is no valid event and is left out', {
        topic,
        offset,
        error: describeError(error),
      })
    }
  }
  const subscription = log.subscribe({
    topic: 'edge',
    start: 'beginning',
    onRecords: withRecordAges({ log, topic: 'edge' }, (record, ageMs) => {
      if (ageMs <= keptMs) apply(record, ageMs)
    }),
  })
  /** What has just been announced and is about to come is no reason to doubt. */
  const isUnsure = (): boolean => {
    const nowMs = clock.elapsedMs()
    if (subscription.lag() === 0) heardAllAtMs = Math.max(heardAllAtMs, nowMs - subscription.silentForMs())
    return nowMs - heardAllAtMs > deafMs
  }

  return {
    stateOf(sessionId) {
      if (revoked.has(sessionId)) return 'ended'
      return isUnsure() ? 'unsure' : 'open'
    },
    async end(viewerId, sessionId) {
      if (!sessionIds.isOf(viewerId, sessionId)) return { ok: false, code: 'session-not-found' }
      const endedAtMs = clock.nowMs()
      if (revoked.isRemembered(sessionId)) return { ok: true, endedAtMs }
      const waitS = bound.take(viewerId)
      if (waitS > 0) return { ok: false, code: 'too-many-endings', waitS }
      const data = { sessionId, reason: 'ended by its viewer', revokedAtMs: endedAtMs, endedBy: 'viewer' } as const
      await publisher.publish('tentpole.session.revoked.v1', sessionId, data)
      revoked.add(sessionId, clock.elapsedMs(), 'viewer')
      return { ok: true, endedAtMs }
    },
    caughtUp: subscription.caughtUp,
    close: subscription.close,
  }
}
