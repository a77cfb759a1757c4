import type { AnyEvent } from '../../contracts/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../../engines/log/index.ts'
import type { Matcher } from '../patterns/index.ts'
import type { Decoded, Decoder } from './decode.ts'
import type { Place } from './place.ts'

/** The one reader of a topic: what it reads is decoded and matched once for all subscriptions that keep up with it. */
export type LiveReader = {
  /** The next offset it will hand over. */
  reached(partition: number): number
  lag(): number
  close(): Promise<void>
}

export function createLiveReader(options: {
  log: LogPort
  topic: string
  /** Where it begins, for each partition. */
  offsets: Readonly<Record<number, number>>
  decoder: Decoder
  matcher: Pick<Matcher, 'matchParsed'>
  /** By name; a subscription that the matcher knows. */
  place: (name: string) => Place | undefined
  onEvent: (event: AnyEvent) => void
}): LiveReader {
  const { log, topic, decoder, matcher, place, onEvent } = options
  const next = new Map(Object.entries(options.offsets).map(([partition, offset]) => [Number(partition), offset]))
  const touched = new Set<Place>()
  let isClosed = false

  const hand = (record: LogRecord, decoded: Decoded): void => {
    onEvent(decoded.event)
    for (const name of matcher.matchParsed(decoded.seen)) {
      const at = place(name)
      if (at?.take(record, decoded)) touched.add(at)
    }
  }
  const onRecords = async (records: readonly LogRecord[]): Promise<void> => {
    for (const record of records) {
      // A batch that was interrupted comes again from its beginning.
      if (record.offset < (next.get(record.partition) ?? 0)) continue
      const decoding = decoder.decode(record)
      const decoded = decoding instanceof Promise ? await decoding : decoding
      if (isClosed) return
      // Before it is handed over: a subscription that has no room for it is behind the reader from then on.
      next.set(record.partition, record.offset + 1)
      if (decoded) hand(record, decoded)
    }
    let isBusy = false
    for (const { pump, isBusy: hasMore } of touched) {
      pump()
      isBusy ||= hasMore()
    }
    touched.clear()
    // Whoever needs no more than this turn of the loop is not made to fall behind by the next batch.
    if (isBusy) await nextTurn()
  }

  const subscription: LogSubscription = log.subscribe({ topic, start: { offsets: options.offsets }, onRecords })
  return {
    reached: (partition) => next.get(partition) ?? 0,
    lag: subscription.lag,
    close() {
      isClosed = true
      return subscription.close()
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
