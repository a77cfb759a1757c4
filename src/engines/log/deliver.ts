import { describeError, faultCode, type Logger, pause } from '../../kernel/index.ts'
import type { LogRecord, LogSubscribe } from './port.ts'

const BACKOFF_MIN_MS = 20
const BACKOFF_MAX_MS = 2_000

/** Hands one batch over until it is taken: a rejection is retried with backoff. False when `closed` ended it before. */
export async function deliver(
  records: readonly LogRecord[],
  options: { onRecords: LogSubscribe['onRecords']; topic: string; logger: Logger; closed: AbortSignal },
): Promise<boolean> {
  const { onRecords, topic, logger, closed } = options
  for (let backoffMs = BACKOFF_MIN_MS; !closed.aborted; backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)) {
    try {
      await onRecords(records)
      return true
    } catch (error) {
      if (closed.aborted) return false
      logger.warn('a subscriber rejected its records; they are delivered again', {
        topic,
        from: records[0]?.offset,
        records: records.length,
        code: faultCode(error),
        error: describeError(error),
      })
      await pause(backoffMs, closed)
    }
  }
  return false
}
