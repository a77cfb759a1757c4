import type { AnyEvent, EventPosition } from '../../contracts/index.ts'
import type { Mark } from './cursor.ts'

/** One event on its way to one subscription. */
export type Item = {
  /** The log's key: one delivery of it at a time, in order. */
  readonly key: string
  /** What it is in memory, roughly: its size on the log. */
  readonly bytes: number
  next: Item | null
  readonly deliveryId: string
  readonly event: AnyEvent
  /** What is kept of it when it is parked: data that was loaded from a claim stays there. */
  readonly kept: AnyEvent
  readonly position: EventPosition
  readonly appendedAtMs: number
  readonly agedFromMs: number
  readonly replay: string | null
  /** Attempts that failed. */
  readonly attempts: number
  readonly firstFailedAtMs: number | null
  /** The dead letter it was redriven from. */
  readonly letter: string | null
  /** It has a row in hub_parked. */
  readonly isParked: boolean
  /** Of the position it holds; none when it comes from a row or a replay. */
  readonly mark: Mark | null
  /** Told what became of it; of a replay. */
  readonly onSettled: ((settled: Settled) => void) | null
}

/** `withheld`: not for its target to see. `interrupted`: the subscription ended before it was settled. */
export type Settled = 'done' | 'withheld' | 'parked' | 'dead' | 'interrupted'

/** What it takes in memory: with the data that was loaded from a claim, where it is given by value. */
export function toBytes(bytesOnLog: number, { event, kept }: Pick<Item, 'event' | 'kept'>): number {
  return event === kept ? bytesOnLog : bytesOnLog + (kept.datasize ?? 0)
}
