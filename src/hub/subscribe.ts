import type { CloudEvent, EventType } from '../contracts/index.ts'
import type { LogPort, LogRecord } from '../engines/log/index.ts'
import { describeError, Fault, faultCode, type Logger, pause } from '../kernel/index.ts'
import { decodeEvent } from './event.ts'

const PARALLEL_KEYS = 16
const RETRY_MIN_MS = 50
const RETRY_MAX_MS = 5_000

export type EventContext = {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Aborted when the subscription closes: a long handler should give up. */
  readonly signal: AbortSignal
}

export type EventHandlers = {
  readonly [T in EventType]?: (event: CloudEvent<T>, context: EventContext) => Promise<void>
}

export type EventSubscription = {
  lag(): number
  silentForMs(): number
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /** Handlers under way are awaited; what they did not finish comes again to the group's next subscriber. */
  close(): Promise<void>
}

type Delivery = { readonly event: CloudEvent; readonly context: EventContext }

/**
 * Brings a topic's events to a group: at least once, in order per key, different keys side by side. Committed once the
 * whole batch is handled. A handler that rejects is called again with backoff, without end, and holds up its key and
 * the batch: failures it can expect must be dealt with inside it. Types without a handler are skipped; a record that is
 * no valid event is logged as an error and skipped.
 */
export function subscribe(options: {
  log: LogPort
  topic: string
  group: string
  logger: Logger
  handlers: EventHandlers
  parallelKeysMax?: number
}): EventSubscription {
  const { log, topic, group, handlers, parallelKeysMax = PARALLEL_KEYS } = options
  const logger = options.logger.with({ topic, group })
  const closing = new AbortController()

  const persist = async (what: string, act: () => Promise<void>): Promise<void> => {
    for (let delayMs = RETRY_MIN_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      if (closing.signal.aborted) throw new Fault('closed', 'the subscription was closed')
      try {
        return await act()
      } catch (error) {
        if (closing.signal.aborted) throw error
        logger.error(`${what} failed; it is tried again`, { error: describeError(error), inMs: delayMs })
        await pause(delayMs, closing.signal)
      }
    }
  }

  const handle = (delivery: Delivery): Promise<void> => {
    // The table is keyed by the event's own type, which TypeScript cannot follow through an index.
    const handler = handlers[delivery.event.type] as (event: CloudEvent, context: EventContext) => Promise<void>
    return persist(`handling ${delivery.event.type} of ${delivery.event.subject}`, () =>
      handler(delivery.event, delivery.context),
    )
  }

  const onRecords = async (records: readonly LogRecord[]): Promise<void> => {
    const lanes = [...toLanes(records)]
    const work = async (): Promise<void> => {
      for (let lane = lanes.shift(); lane; lane = lanes.shift()) for (const delivery of lane) await handle(delivery)
    }
    await Promise.all(Array.from({ length: Math.min(parallelKeysMax, lanes.length) }, work))
    for (const [partition, offset] of lastOffsets(records))
      await persist('committing the offset', () => log.commit({ group, topic, partition, offset: offset + 1 }))
  }

  /** One list of deliveries per key, in order. */
  const toLanes = (records: readonly LogRecord[]): Iterable<Delivery[]> => {
    const lanes = new Map<string, Delivery[]>()
    for (const record of records) {
      const event = decodeOrSkip(record, logger)
      if (!event || !handlers[event.type]) continue
      const context = { group, topic, partition: record.partition, offset: record.offset, signal: closing.signal }
      const lane = lanes.get(record.key)
      if (lane) lane.push({ event, context })
      else lanes.set(record.key, [{ event, context }])
    }
    return lanes.values()
  }

  const subscription = log.subscribe({ topic, group, onRecords })
  return {
    lag: () => subscription.lag(),
    silentForMs: () => subscription.silentForMs(),
    caughtUp: (wait) => subscription.caughtUp(wait),
    close() {
      closing.abort()
      return subscription.close()
    },
  }
}

/** The event, or null when the record is none: said loudly, except for types of a newer release. */
export function decodeOrSkip(record: LogRecord, logger: Logger): CloudEvent | null {
  try {
    return decodeEvent(record)
  } catch (error) {
    if (faultCode(error) !== 'event-unknown')
      logger.error('a record on the log is no valid event and is left out', {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        error: describeError(error),
      })
    return null
  }
}

function lastOffsets(records: readonly LogRecord[]): Map<number, number> {
  const offsets = new Map<number, number>()
  for (const record of records) offsets.set(record.partition, record.offset)
  return offsets
}
