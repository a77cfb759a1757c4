import { describeError, faultCode, type Logger, pause, systemClock } from '../../kernel/index.ts'
import type { WireClient } from '../../wire/index.ts'
import { deliver } from '../log/deliver.ts'
import type { LogStart, LogSubscribe, LogSubscription } from '../log/port.ts'
import { createProgress } from '../log/progress.ts'
import { createReader, readRecords } from './codec.ts'
import { type Beat, encodeSubscribe } from './messages.ts'
import { isLoss } from './retry.ts'

const RESUBSCRIBE_MIN_MS = 10
const RESUBSCRIBE_MAX_MS = 1_000

export type RemoteSubscription = LogSubscription & { beat(beat: Beat): void }

/** A subscription at the store. It outlives the store: when the connection breaks it goes on from where it was. */
export function createRemoteSubscription(
  options: LogSubscribe,
  parts: {
    wire: WireClient
    client: string
    id: number
    logger: Logger
    endOf: () => Promise<number>
    onClose: () => void
  },
): RemoteSubscription {
  const { topic, group, start = 'beginning', onRecords } = options
  const { wire, client, id, logger } = parts
  const closing = new AbortController()
  const closed = closing.signal
  const progress = createProgress({ topic, clock: systemClock, next: 0, end: 0 })
  /** Known once the store has said where it starts; before that, `start` is asked for again. */
  let started = false
  /** The batch being handled; nothing else is begun before it is done, whichever connection it came over. */
  let handling: Promise<unknown> = Promise.resolve()

  const place = (): LogStart => (started ? { offsets: { 0: progress.next() } } : start)

  const onPush = async (payload: Uint8Array, current: AbortSignal): Promise<void> => {
    const reader = createReader(payload)
    const next = reader.f64()
    const end = reader.f64()
    const records = readRecords(reader, topic)
    if (current.aborted) return
    progress.heard(end)
    started = true
    if (records.length === 0) {
      progress.handled(next)
      return
    }
    const done = deliver(records, { onRecords, topic, logger, closed })
    handling = done
    if (await done) progress.handled((records.at(-1)?.offset ?? next) + 1)
  }

  /** One connection's worth of subscription. */
  const session = async (): Promise<void> => {
    const over = new AbortController()
    const call = encodeSubscribe({ client, id, topic, group: group ?? null, start: place() })
    try {
      await wire.call(call, {
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: closed,
        onPush: (payload) => onPush(payload, over.signal),
      })
    } finally {
      over.abort()
      await handling
    }
  }

  const run = async (): Promise<void> => {
    let backoffMs = RESUBSCRIBE_MIN_MS
    while (!closed.aborted) {
      const hadStarted = progress.silentForMs()
      try {
        await session()
      } catch (error) {
        if (closed.aborted) return
        if (progress.silentForMs() < hadStarted) backoffMs = RESUBSCRIBE_MIN_MS
        if (!isLoss(error))
          logger.warn('a subscription was refused by the store; subscribing again', {
            topic,
            group,
            code: faultCode(error),
            error: describeError(error),
          })
      }
      await pause(backoffMs, closed)
      backoffMs = Math.min(backoffMs * 2, RESUBSCRIBE_MAX_MS)
    }
  }
  const running = run()

  return {
    position: progress.position,
    lag: progress.lag,
    silentForMs: progress.silentForMs,
    async caughtUp({ timeoutMs } = {}) {
      await progress.reached(await parts.endOf(), timeoutMs)
    },
    beat({ next, end }) {
      if (!started) return
      progress.heard(end)
      // Ahead of us where records were lost, or where we stand by while another of the group handles them.
      progress.handled(next)
    },
    async close() {
      closing.abort()
      await running
      await handling
      progress.close()
      parts.onClose()
    },
  }
}
