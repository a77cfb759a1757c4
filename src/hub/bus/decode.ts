import type { AnyEvent, Registry } from '../../contracts/index.ts'
import { describeError, faultCode, type Logger, pause } from '../../kernel/index.ts'
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

export type Decoder = {
  /** Null for what nobody may be given: said in the log, save for types that a newer release writes. A promise only where data must be loaded. */
  decode(record: RawEvent): Decoded | null | Promise<Decoded | null>
}

type RawEvent = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Uint8Array
}

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
  closed: AbortSignal
}): Decoder {
  const { registry, loadClaim, logger, retryMs, closed } = options

  const refuse = (record: RawEvent, error: unknown): null => {
    if (faultCode(error) !== 'event-unknown')
      logger.error('a record on the log is no valid event and reaches nobody', {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        error: describeError(error),
      })
    return null
  }
  /** Objects that are away are waited for: the event is as good as any. */
  const load = async (event: AnyEvent): Promise<Uint8Array | null> => {
    for (let waitMs = retryMs; !closed.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      try {
        return await loadClaim(event)
      } catch (error) {
        if (FINAL_CODES.includes(faultCode(error))) throw error
        logger.warn('the data of an event cannot be loaded; it is tried again', {
          event: event.id,
          error: describeError(error),
        })
        await pause(waitMs, closed)
      }
    }
    return null
  }
  const decodeClaimed = async (record: RawEvent, event: AnyEvent): Promise<Decoded | null> => {
    try {
      const data = await load(event)
      if (data === null) return null
      const seen = checkClaimed(registry, event, data)
      // Its claim holds the data of the version it was written in: a newer one is given by value.
      return { event: seen.type === event.type ? event : seen, kept: event, seen }
    } catch (error) {
      return refuse(record, error)
    }
  }

  return {
    decode(record) {
      try {
        const event = decodeRecord(registry, record)
        const isJsonClaim = event.dataref !== undefined && registry.get(event.type)?.data !== null
        return isJsonClaim ? decodeClaimed(record, event) : { event, kept: event, seen: event }
      } catch (error) {
        return refuse(record, error)
      }
    },
  }
}

const RETRY_MAX_MS = 5_000
