import type { EventPosition } from '../../contracts/index.ts'
import type { Claim } from '../claims/claim.ts'

/** What could not be delivered, or was refused by a pipe, with all that is needed to see why and to try again. */
export type NewDeadLetter = {
  /** The same for the same failure of the same thing, so that adding it twice adds it once. */
  readonly id: string
  readonly kind: 'delivery' | 'pipe'
  /** Of the subscription or the pipe. */
  readonly name: string
  /** Of the subscription: tells it from a later one of its name. */
  readonly generation?: number
  /** Of the event that could not be delivered; null where there is no event yet. */
  readonly eventId: string | null
  readonly type: string | null
  readonly key: string
  readonly position: EventPosition
  /** Stable; and for people. */
  readonly code: string
  readonly reason: string
  /** Of the field at fault, as a JSON Pointer; null when it is none. */
  readonly path: string | null
  readonly attempts: number
  readonly firstFailedAtMs: number
  /** Of the record on the log. */
  readonly headers: Readonly<Record<string, string>>
  /** The original bytes, or the claim on them. */
  readonly payload: Uint8Array | Claim
}

/** Durable when resolved. Idempotent by `id`, whatever has become of the letter since. */
export type AddDeadLetters = (letters: readonly NewDeadLetter[]) => Promise<void>
