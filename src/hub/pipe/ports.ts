import type { LogRecord } from '../../engines/log/index.ts'
import type { Claim } from '../claims/claim.ts'

/** What a pipe asks the producer to publish. */
export type PipeEvent = {
  /** Derived from the pipe and the record, so that a record that comes again makes the same. */
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  /** RFC 3339: when the record was appended. */
  readonly time: string
  /** The record's position. */
  readonly causedby: string
  /** Either this, as yet unchecked, */
  readonly data?: unknown
  /** or a payload: bytes to be put into `objects`, or what stands for bytes that are there already. */
  readonly payload?: { readonly body: Uint8Array | Claim; readonly contentType: string }
}

/** All of them durable when resolved, in the order given within a topic. Any of them may be published again. */
export type PublishEvents = (events: readonly PipeEvent[]) => Promise<unknown>

/** A raw record's payload, which may lie in `objects`. Faults of `bytes`: `claim-missing`, `claim-damaged`; others are no fault of the record. */
export type OpenRecord = (record: LogRecord) => OpenedRecord
export type OpenedRecord = {
  /** What stands for the payload; null when it is in the record. */
  readonly claim: Claim | null
  bytes(): Promise<Uint8Array>
}
