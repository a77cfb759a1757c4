import type { AnyEvent, EventPosition } from '../../contracts/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../../engines/log/index.ts'
import { faultCode, type Limits } from '../../kernel/index.ts'
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
  /** Of the same names: what they ask beside data. */
  envelopes: Pick<Matcher, 'matchParsed'>
  /** By name; a subscription that the matchers know. */
  place: (name: string) => Place | undefined
  limits: Pick<Limits, 'hubClaimLoadMs'>
  onEvent: (event: AnyEvent) => void
}): LiveReader {
  const { log, topic, decoder, matcher, envelopes, place, limits, onEvent } = options
  const next = new Map(Object.entries(options.offsets).map(([partition, offset]) => [Number(partition), offset]))
  const touched = new Set<Place>()
  const closing = new AbortController()
  /** The last event whose data is behind a claim. */
  let claimed: AnyEvent | null = null

  const wanting = (envelope: AnyEvent, position: EventPosition): readonly Place[] =>
    envelopes
      .matchParsed(envelope)
      .map(place)
      .filter((at): at is Place => at?.isAt(position) === true)
  const on = {
    signal: closing.signal,
    timeoutMs: limits.hubClaimLoadMs,
    isWanted(envelope: AnyEvent, position: EventPosition): boolean {
      claimed = envelope
      return wanting(envelope, position).length > 0
    },
  }
  const waitFor = async (decoding: Promise<Decoded | null>): Promise<Decoded | null | 'late'> => {
    try {
      return await decoding
    } catch (error) {
      if (closing.signal.aborted) return null
      if (faultCode(error) === 'claim-late') return 'late'
      throw error
    }
  }
  /** Not decoded: those who may want it wait for its data by themselves, the others go on. */
  const pass = (record: LogRecord, envelope: AnyEvent): void => {
    onEvent(envelope)
    for (const at of wanting(envelope, record)) at.leave(record)
  }
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
      claimed = null
      const decoding = decoder.decode(record, on)
      const decoded = decoding instanceof Promise ? await waitFor(decoding) : decoding
      if (closing.signal.aborted) return
      // Before it is handed over: a subscription that has no room for it is behind the reader from then on.
      next.set(record.partition, record.offset + 1)
      if (decoded === 'late' || decoding === null) {
        if (claimed !== null) pass(record, claimed)
      } else if (decoded) hand(record, decoded)
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
      closing.abort()
      return subscription.close()
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
