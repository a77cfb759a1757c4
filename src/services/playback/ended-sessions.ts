import { createRevokedSessions, sessionDeafMs, sessionRevocationKeptMs } from '../../contracts/index.ts'
import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import { decodeEvent, type Publisher } from '../../hub/index.ts'
import { type Clock, describeError, faultCode, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import { isSessionOf } from './session-id.ts'

/** Which sessions may not go on, as this cell has heard from the log. */
export type EndedSessions = {
  /** `unsure`: the log was not heard to its end for so long that the session may have been ended without this cell knowing. */
  stateOf(sessionId: string): 'open' | 'ended' | 'unsure'
  /** Ends a viewer's own session; durable on the log when it resolves, to when. Null when it is none of this viewer's. Faults: those of `LogPort.append`. */
  end(viewerId: string, sessionId: string): Promise<number> | null
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  close(): Promise<void>
}

export type EndedSessionsLimits = Pick<Limits, 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'sessionsRevokedMax'>

/** Follows `edge` from its beginning, as edges do. */
export function createEndedSessions(options: {
  log: LogPort
  publisher: Publisher
  limits: EndedSessionsLimits
  logger: Logger
  clock?: Clock
}): EndedSessions {
  const { log, publisher, limits, logger, clock = systemClock } = options
  const revoked = createRevokedSessions({ limits, nowMs: clock.nowMs })
  const pastBeforeMs = clock.nowMs() - sessionRevocationKeptMs(limits)
  const deafMs = sessionDeafMs(limits)
  let heardAllAtMs = Number.NEGATIVE_INFINITY

  const apply = (record: LogRecord): void => {
    try {
      const event = decodeEvent(record)
      if (event.type !== 'tentpole.session.revoked.v1') return
      revoked.add(event.data.sessionId, Math.max(event.data.revokedAtMs, record.appendedAtMs))
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
    onRecords(records) {
      for (const record of records) if (record.appendedAtMs >= pastBeforeMs) apply(record)
    },
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
    end(viewerId, sessionId) {
      if (!isSessionOf(viewerId, sessionId)) return null
      const revokedAtMs = clock.nowMs()
      const data = { sessionId, reason: 'ended by its viewer', revokedAtMs }
      return publisher.publish('tentpole.session.revoked.v1', sessionId, data).then(() => {
        revoked.add(sessionId, revokedAtMs)
        return revokedAtMs
      })
    },
    caughtUp: subscription.caughtUp,
    close: subscription.close,
  }
}
