import { createRevokedSessions, type PurgeOrder, sessionRevocationKeptMs } from '../../contracts/index.ts'
import { type LogPort, type LogRecord, type LogSubscribe, withRecordAges } from '../../engines/log/index.ts'
import { decodeEvent } from '../../hub/index.ts'
import { type Clock, describeError, faultCode, type Limits, type Logger } from '../../kernel/index.ts'
import { createEar } from './ear.ts'
import { decideHeard, type HeardEffect } from './effect.ts'

/** What an edge has heard from the log, and whether that is all there is. */
export type Heard = {
  isWithdrawn(titleId: string): boolean
  /**
   * True of every session that staff revoked as long as a token of it may be about, and of those that viewers ended, up to
   * `sessionsEndedMax`; of another only far beyond `sessionsRevokedMax`.
   */
  isRevoked(sessionId: string): boolean
  /** False from the start until caught up, and again when the log was silent, or this behind it, beyond the grace, until heard and caught up. */
  trusted(): boolean
  silentForMs(): number
  close(): Promise<void>
}

export type HeardLimits = Pick<
  Limits,
  'edgeGraceMs' | 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'sessionsRevokedMax' | 'sessionsEndedMax'
>

export type HeardOptions = {
  readonly log: LogPort
  readonly limits: HeardLimits
  readonly logger: Logger
  readonly clock: Clock
  readonly onWithdrawn: (titleId: string) => void
  readonly onSessionRevoked?: (sessionId: string) => void
  readonly onPurge?: (order: PurgeOrder) => void
}

const WITHDRAWN = 'tentpole.title.withdrawn.v1'

/** Follows `titles` and `edge` from their beginnings, without a group: every edge hears everything, and asks nobody else. */
export function createHeard(options: HeardOptions): Heard {
  const { log, limits, logger, clock, onWithdrawn, onSessionRevoked = ignore, onPurge = ignore } = options
  const withdrawn = new Set<string>()
  const revoked = createRevokedSessions({ limits, nowMs: clock.elapsedMs })
  const keptMs = sessionRevocationKeptMs(limits)

  const perform = (effect: HeardEffect, ageMs: number): void => {
    if (effect.kind === 'purge') onPurge(effect.order)
    else if (effect.kind === 'revoke') {
      const { sessionId, endedBy } = effect
      if (revoked.add(sessionId, clock.elapsedMs() - ageMs, endedBy)) onSessionRevoked(sessionId)
    } else if (!withdrawn.has(effect.titleId)) {
      withdrawn.add(effect.titleId)
      onWithdrawn(effect.titleId)
    }
  }
  const apply = (record: LogRecord, ageMs: number): void => {
    try {
      const effect = decideHeard(decodeEvent(record))
      if (effect) perform(effect, ageMs)
    } catch (error) {
      // A newer release may say more than this one knows.
      if (faultCode(error) === 'event-unknown') return
      const { topic, offset } = record
      logger.error('a record of the log could not be acted on and was skipped', {
        topic,
        offset,
        error: describeError(error),
      })
    }
  }
  const follow = (topic: string, onRecords: LogSubscribe['onRecords']) =>
    log.subscribe({ topic, start: 'beginning', onRecords })
  const ear = createEar({
    subscriptions: [
      follow('titles', (records) => {
        for (const record of records) if (tellsOfWithdrawal(record)) apply(record, 0)
      }),
      follow(
        'edge',
        withRecordAges({ log, topic: 'edge' }, (record, ageMs) => {
          // Of a session revoked earlier no token is left, and what was purged then was never in this cache.
          if (ageMs <= keptMs) apply(record, ageMs)
        }),
      ),
    ],
    limits,
    logger,
    clock,
  })

  return { ...ear, isWithdrawn: (titleId) => withdrawn.has(titleId), isRevoked: revoked.has }
}

/** Most records of `titles` are large and say nothing to edges; those are not worth a parse. */
function tellsOfWithdrawal({ value }: LogRecord): boolean {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(WITHDRAWN)
}

const ignore = (): void => {}
