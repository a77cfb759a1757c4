import type { LogPort, LogRecord } from '../engines/log/index.ts'
import { decodeEvent } from '../hub/index.ts'
import { type Clock, describeError, type Limits, type Logger } from '../kernel/index.ts'
import { DISTRUST, decideCaughtUp, decideLook, type Trust } from './trust.ts'

const TOPIC = 'titles'
const WITHDRAWN = 'tentpole.title.withdrawn.v1'
const LOOKS_PER_GRACE = 20

/** What the edge has heard from the log about titles that must not be served any more. */
export type Revocations = {
  isWithdrawn(titleId: string): boolean
  /** False from the start until caught up, and again when the log was silent beyond the grace until heard and caught up. */
  trusted(): boolean
  silentForMs(): number
  close(): Promise<void>
}

/** Follows `titles` from its beginning, without a group: every edge hears everything, and asks nobody else. */
export function createRevocations(options: {
  log: LogPort
  limits: Pick<Limits, 'edgeGraceMs'>
  logger: Logger
  clock: Clock
  onWithdrawn: (titleId: string) => void
}): Revocations {
  const { log, limits, logger, clock, onWithdrawn } = options
  const withdrawn = new Set<string>()
  let trust: Trust = { ...DISTRUST, lookedAtMs: clock.elapsedMs() }
  let catchingUp = false
  let closed = false

  const apply = (record: LogRecord): void => {
    // Most records of the topic are large and not for us; those are not worth a parse.
    if (!Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength).includes(WITHDRAWN)) return
    try {
      const event = decodeEvent(record)
      if (event.type !== WITHDRAWN || withdrawn.has(event.data.titleId)) return
      withdrawn.add(event.data.titleId)
      onWithdrawn(event.data.titleId)
    } catch (error) {
      logger.error('a record of the log could not be read and was skipped', {
        topic: record.topic,
        offset: record.offset,
        error: describeError(error),
      })
    }
  }

  const subscription = log.subscribe({
    topic: TOPIC,
    start: 'beginning',
    onRecords: (records) => {
      for (const record of records) apply(record)
    },
  })

  const look = (): boolean => {
    const before = trust.trusted
    const nowMs = clock.elapsedMs()
    trust = decideLook(trust, { nowMs, silentForMs: subscription.silentForMs(), graceMs: limits.edgeGraceMs })
    if (before && !trust.trusted)
      logger.warn('the log has gone silent: protected titles are refused until it is heard again', {
        graceMs: limits.edgeGraceMs,
      })
    if (!trust.trusted) catchUp()
    return trust.trusted
  }

  const catchUp = (): void => {
    if (catchingUp || closed || subscription.silentForMs() > limits.edgeGraceMs) return
    catchingUp = true
    const { epoch } = trust
    subscription
      .caughtUp({ timeoutMs: limits.edgeGraceMs })
      .then(
        () => {
          trust = decideCaughtUp(trust, epoch)
          if (trust.trusted) logger.info('caught up with the log', { withdrawn: withdrawn.size })
        },
        () => {},
      )
      .finally(() => {
        catchingUp = false
      })
  }

  const timer = setInterval(look, Math.max(10, limits.edgeGraceMs / LOOKS_PER_GRACE))

  return {
    isWithdrawn: (titleId) => withdrawn.has(titleId),
    trusted: look,
    silentForMs: () => subscription.silentForMs(),
    async close() {
      closed = true
      clearInterval(timer)
      await subscription.close()
    },
  }
}
