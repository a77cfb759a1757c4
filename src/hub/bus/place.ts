import type { AnyEvent, EventPosition } from '../../contracts/index.ts'
import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import { describeError, faultCode, type Limits, type Logger, pause } from '../../kernel/index.ts'
import type { Matcher } from '../patterns/index.ts'
import { type Cursor, createCursor } from './cursor.ts'
import type { Decoded, Decoder } from './decode.ts'
import { createReading, type Past } from './reading.ts'
import type { Subscriber } from './subscriber.ts'

/**
 * Where one subscription is on the log: in each partition it either takes what the live reader hands over, or, when it could not keep up,
 * reads by itself until it has come to where the live reader is. Both happen between two turns of the loop, so nothing is
 * lost or taken twice at the seam.
 */
export type Place = {
  readonly subscriber: Subscriber
  /** From the live reader; false when it was not taken. */
  take(record: LogRecord, decoded: Decoded): boolean
  /** Whether the live reader hands it this. */
  isAt(position: EventPosition): boolean
  /** From here on it reads by itself. */
  leave(position: EventPosition): void
  pump(): void
  isBusy(): boolean
  /** The lowest offset that is not settled, for each partition. */
  positions(): readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
  isLive(): boolean
  close(timeoutMs: number): Promise<void>
}

/** How long it waits for room before it looks by itself. */
const ROOM_WAIT_MS = 1_000

export function createPlace(options: {
  subscriber: Subscriber
  offsets: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
  log: Pick<LogPort, 'read'>
  past: Past | null
  decoder: Decoder
  /** With the pattern of this subscription alone. */
  matcher: Pick<Matcher, 'matchParsed'>
  /** With what it asks beside data. */
  envelopes: Pick<Matcher, 'matchParsed'>
  /** The next offset that the live reader hands over. */
  reached: (topic: string, partition: number) => number
  limits: Pick<Limits, 'hubCatchUpRecordsMax' | 'hubRestMs'>
  logger: Logger
}): Place {
  const { subscriber, log, past, decoder, matcher, envelopes, reached, limits, logger } = options
  const cursors = new Map<string, Cursor[]>()
  for (const { topic, partition, offset } of options.offsets) {
    const list = cursors.get(topic) ?? []
    list[partition] = createCursor({ topic, partition, next: offset })
    cursors.set(topic, list)
  }
  const all = [...cursors.values()].flatMap((list) => list.filter(() => true))
  const closing = new AbortController()
  const reading = createReading({ log, past, recordsMax: limits.hubCatchUpRecordsMax, logger })
  const on = {
    signal: closing.signal,
    isWanted: (envelope: AnyEvent): boolean => envelopes.matchParsed(envelope).length > 0,
  }
  let catchingUp: Promise<void> | null = null

  const join = (cursor: Cursor): boolean => {
    if (cursor.next < reached(cursor.topic, cursor.partition)) return false
    cursor.isLive = true
    return true
  }
  /** As many as there is room for; all that were passed over or taken are behind the cursor then. */
  const takeSome = async (cursor: Cursor, records: readonly LogRecord[]): Promise<void> => {
    for (const record of records) {
      const decoding = decoder.decode(record, on)
      const decoded = decoding instanceof Promise ? await decoding : decoding
      if (closing.signal.aborted) return
      const isMatch = decoded !== null && matcher.matchParsed(decoded.seen).length > 0
      if (isMatch && !subscriber.offer(cursor, toPlace(record), decoded)) break
      cursor.next = record.offset + 1
    }
    subscriber.pump()
  }
  const step = async (cursor: Cursor): Promise<void> => {
    if (join(cursor)) return
    const records = await reading.read(cursor)
    if (closing.signal.aborted) return
    await takeSome(cursor, records)
    // The end of what can be read, and yet behind the live reader: what lay between is lost, or the engine is late.
    if (records.length === 0 && !join(cursor)) await pause(limits.hubRestMs, closing.signal)
  }
  const catchUp = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const behind = all.filter((cursor) => !cursor.isLive && !join(cursor))
      if (behind.length === 0) return
      for (const cursor of behind) {
        if (!subscriber.hasRoom()) await subscriber.whenRoom(ROOM_WAIT_MS)
        else await step(cursor)
      }
    }
  }
  const persist = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        return await catchUp()
      } catch (error) {
        if (closing.signal.aborted && faultCode(error) === 'closed') return
        logger.warn('a subscription cannot read the log; it tries on', { error: describeError(error) })
        await pause(ROOM_WAIT_MS, closing.signal)
      }
    }
  }
  const start = (): void => {
    catchingUp ??= persist().finally(() => {
      catchingUp = null
      if (!closing.signal.aborted && all.some(({ isLive }) => !isLive)) start()
    })
  }
  /** Its cursor there, if the live reader hands it this. */
  const liveAt = ({ topic, partition, offset }: EventPosition): Cursor | null => {
    const cursor = cursors.get(topic)?.[partition]
    return cursor?.isLive && offset >= cursor.next ? cursor : null
  }
  const leave = (cursor: Cursor, offset: number): void => {
    cursor.isLive = false
    cursor.next = offset
    start()
  }
  start()

  return {
    subscriber,
    take(record, decoded) {
      const cursor = liveAt(record)
      if (cursor === null) return false
      if (subscriber.offer(cursor, toPlace(record), decoded)) return true
      leave(cursor, record.offset)
      return false
    },
    isAt: (position) => liveAt(position) !== null,
    leave(position) {
      const cursor = liveAt(position)
      if (cursor) leave(cursor, position.offset)
    },
    pump: subscriber.pump,
    isBusy: subscriber.isBusy,
    positions: () =>
      all.map((cursor) => {
        const { topic, partition } = cursor
        return { topic, partition, offset: cursor.position(reached(topic, partition)) }
      }),
    isLive: () => all.every(({ isLive }) => isLive),
    async close(timeoutMs) {
      closing.abort()
      // From here on the live reader goes on without it.
      for (const cursor of all.filter(({ isLive }) => isLive)) {
        cursor.next = Math.max(cursor.next, reached(cursor.topic, cursor.partition))
        cursor.isLive = false
      }
      await subscriber.close(timeoutMs)
      await catchingUp
      await reading.close()
    },
  }
}

function toPlace({
  topic,
  partition,
  offset,
  key,
  value,
  appendedAtMs,
}: LogRecord): Parameters<Subscriber['offer']>[1] {
  return { topic, partition, offset, key, bytes: value.byteLength, appendedAtMs }
}
