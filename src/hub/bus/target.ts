import type { AnyEvent, EventPosition } from '../../contracts/index.ts'

/** One attempt at bringing one event to one subscription. */
export type Delivery = {
  /** The same for every attempt: `<event id>_<source>` (`delivery-id.ts`), with `~<replay id>` behind it in a replay. What a subscriber dedupes by. */
  readonly id: string
  readonly subscription: string
  /** In the newest version of its type; checked against its schema. */
  readonly event: AnyEvent
  /** What the target is given: the event itself, or what the input transformer made of it. */
  readonly input: unknown
  readonly key: string
  readonly position: EventPosition
  readonly appendedAtMs: number
  /** From 1. */
  readonly attempt: number
  readonly replay: string | null
  /** Aborted after the policy's `timeoutMs`, and when the subscription ends. */
  readonly signal: AbortSignal
}

export type Outcome =
  | { readonly kind: 'done' }
  /** Not for it to see: as if the pattern had not matched, and counted nowhere. */
  | { readonly kind: 'withheld' }
  /** Tried again by the policy, not before `retryAfterMs`. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  /** Trying again would not help: a dead letter at once. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nobody tried (the reader went away): delivered again, not counted as an attempt. */
  | { readonly kind: 'interrupted' }
  /** The target wants no more of anything: the subscription is disabled, and this event comes first when it is enabled again. */
  | { readonly kind: 'gone'; readonly reason: string }

/** Where a subscription's events go. A rejection of `deliver` counts as `failed` with its message. */
export type Target = {
  readonly kind: 'function' | 'stream' | 'webhook' | 'topic'
  /** For people, without secrets. */
  readonly description: string
  /** Concurrent calls, one per key at a time; settles soon after the signal is aborted. */
  deliver(delivery: Delivery): Promise<Outcome>
  /** False for what it must not be given: asked before anything is made of the event. Absent: it may have all. */
  sees?(event: AnyEvent): boolean
  /** False while nothing can be taken (nobody is connected): nothing is delivered then. Absent: always true. */
  ready?(): boolean
  /** Calls back when `ready` may have become true; returns how to stop. */
  onReady?(listener: () => void): () => void
  close?(): Promise<void>
}
