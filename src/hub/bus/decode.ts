import type { AnyEvent, EventPosition, Registry } from '../../contracts/index.ts'
import { describeError, Fault, faultCode, type LogFields, type Logger, pause } from '../../kernel/index.ts'
import { checkClaimed, decodeRecord } from '../registry/index.ts'

/** An event as the bus handles it. */
export type Decoded = {
  /** What subscribers are given: checked, in the newest version. */
  readonly event: AnyEvent
  /** What is kept of it when it is parked: data behind a claim stays there. */
  readonly kept: AnyEvent
  /** What patterns see: with the data of a claim, if that is JSON. */
  readonly seen: AnyEvent
}

/** The JSON data of an event that went by claim check. Faults `claim-missing`, `claim-damaged` for good; others pass. */
export type LoadClaim = (event: AnyEvent) => Promise<Uint8Array>

/** For whom, and how long, data behind a claim is loaded. */
export type DecodeFor = {
  readonly signal: AbortSignal
  /** For ever, if absent. */
  readonly timeoutMs?: number
  /** Whether anybody may want it, by all that is known without its data; if not, the answer is null. Everybody, if absent. */
  readonly isWanted?: (envelope: AnyEvent, position: EventPosition) => boolean
}

export type Decoder = {
  /**
   * Null for what nobody may be given: said in the log. A promise only where data must be loaded. Faults: `closed` after the signal was
   * aborted, `claim-late` after `timeoutMs`: nothing is known of the event then, and nobody may pass it over.
   */
  decode(record: RawEvent, on: DecodeFor): Decoded | null | Promise<Decoded | null>
}

type RawEvent = EventPosition & { readonly value: Uint8Array }

/** What no second try makes right. */
const FINAL_CODES: readonly string[] = [
  'event-invalid',
  'claim-missing',
  'claim-damaged',
  'claim-invalid',
  'payload-too-large',
]

export function createDecoder(options: {
  registry: Registry
  loadClaim: LoadClaim
  logger: Logger
  /** Between two tries to load a claim. */
  retryMs: number
}): Decoder {
  const { registry, loadClaim, logger, retryMs } = options
  const tellUnknown = createUnknownTeller(logger)

  const refuse = ({ topic, partition, offset }: RawEvent, error: unknown): null => {
    const detail = { topic, partition, offset, error: describeError(error) }
    if (faultCode(error) === 'event-unknown') tellUnknown(detail)
    else logger.error('a record on the log is no valid event and reaches nobody', detail)
    return null
  }
  /** Objects that are away are waited for: the event is as good as any. */
  const load = async (event: AnyEvent, over: AbortSignal): Promise<Uint8Array> => {
    for (let waitMs = retryMs; ; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        return await beforeAbort(loadClaim(event), over)
      } catch (error) {
        if (over.aborted || FINAL_CODES.includes(faultCode(error))) throw error
        logger.warn('the data of an event cannot be loaded; it is tried again', {
          event: event.id,
          error: describeError(error),
        })
        await pause(waitMs, over)
        if (over.aborted) throw error
      }
    }
  }
  const decodeClaimed = async (record: RawEvent, event: AnyEvent, on: DecodeFor): Promise<Decoded | null> => {
    const over = withDeadline(on)
    try {
      const data = await load(event, over.signal)
      const seen = checkClaimed(registry, event, data)
      // Its claim holds the data of the version it was written in: a newer one is given by value.
      return { event: seen.type === event.type ? event : seen, kept: event, seen }
    } catch (error) {
      if (FINAL_CODES.includes(faultCode(error))) return refuse(record, error)
      if (on.signal.aborted) throw new Fault('closed', 'whoever wanted the event wants it no more', { cause: error })
      if (!over.signal.aborted) return refuse(record, error)
      const text = `the data of event ${event.id} was not to be had within ${on.timeoutMs} ms; try again shortly`
      throw new Fault('claim-late', text, { cause: error })
    } finally {
      over.end()
    }
  }
  const decodeReferring = (record: RawEvent, event: AnyEvent, on: DecodeFor): null | Promise<Decoded | null> => {
    // Patterns speak of the newest version.
    const isWanted = on.isWanted?.({ ...event, type: registry.newest(event.type) }, record) ?? true
    return isWanted ? decodeClaimed(record, event, on) : null
  }

  return {
    decode(record, on) {
      try {
        const event = decodeRecord(registry, record)
        const isJsonClaim = event.dataref !== undefined && registry.get(event.type)?.data !== null
        return isJsonClaim ? decodeReferring(record, event, on) : { event, kept: event, seen: event }
      } catch (error) {
        return refuse(record, error)
      }
    },
  }
}

const RETRY_MAX_MS = 5_000
/** A topic of nothing but noise must not fill memory: types beyond are not told. */
const UNKNOWN_TOLD_MAX = 256

/** Once per type: a topic may hold many, and all are passed over. */
function createUnknownTeller(logger: Logger): (detail: LogFields & { readonly error: string }) => void {
  const told = new Set<string>()
  return (detail) => {
    const { error: type } = detail
    if (told.has(type) || told.size >= UNKNOWN_TOLD_MAX) return
    told.add(type)
    logger.error('events of a type that this release does not know are passed over, for good', detail)
  }
}

function withDeadline({ signal, timeoutMs }: DecodeFor): { readonly signal: AbortSignal; end(): void } {
  if (timeoutMs === undefined) return { signal, end: () => {} }
  const over = new AbortController()
  const abort = (): void => over.abort()
  const timer = setTimeout(abort, timeoutMs)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  return {
    signal: over.signal,
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    },
  }
}

/** What goes on in spite of the signal is left alone: its outcome is of no use. */
function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {})
    return Promise.reject(new Fault('closed', 'nobody waits for it any more'))
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Fault('closed', 'nobody waits for it any more'))
    signal.addEventListener('abort', abort, { once: true })
    const leave = (): void => signal.removeEventListener('abort', abort)
    work.then(resolve, reject).finally(leave)
  })
}
