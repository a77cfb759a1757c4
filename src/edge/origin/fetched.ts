import type { EdgeProblem } from '../problem.ts'
import type { CancelSignal } from '../server/cancel.ts'
import type { Content } from './content.ts'

/** What came of a body and is not kept for its readers any more, from where it is stored, or from the origin again. */
export type Reread = {
  /** Whether all bytes from `fromByte` to before `toByte` can be had. */
  canServe(fromByte: number, toByte: number): boolean
  /** Whether one who begins only now can be given the first so many bytes without a fetch of all of it. */
  canBegin(toByte: number): boolean
  /** From `fromByte` to the body's end, at the reader's pace. */
  open(fromByte: number): ReadableStream<Uint8Array>
}

export type FetchFailure = {
  readonly ok: false
  readonly code: string
  readonly why: string
  /** What clients are told, where whoever fetched knows it better than by the code. */
  readonly problem?: EdgeProblem
}

/** Where the cache takes the bytes in, piece by piece, at the origin's pace. A piece must be copied to be kept. */
export type ChunkStore = {
  /** False: not wanted any more (too large, purged); nothing further is called. */
  append(chunk: Uint8Array): boolean
  /** The body is complete: only now may anything be stored as whole (RFC 9111, 3.3). */
  end(): void
  /** It never will be. */
  fail(why: string): void
}

/** What a fetch makes known once its head is there. */
export type Fetched<Head> =
  | {
      readonly ok: true
      readonly head: Head
      readonly body: Content
      /**
       * May be given to everyone who asked for the same key. Where it may not, nobody waits for the next fetch of this key
       * either, unless this was a matter of one request: `not-this-time`.
       */
      readonly share: boolean | 'not-this-time'
      readonly store: ChunkStore | null
      /** Null: what has not been read by everyone is nowhere else, and no more is asked for than can be kept. */
      readonly reread: Reread | null
    }
  | FetchFailure

/** Whether a response fetched for another request of the same key answers this one, too: its `Vary` (RFC 9111, 4.1). */
export type Accepts<Head> = (head: Head) => boolean

export type StartFetch<Head> = (signal: CancelSignal) => Promise<Fetched<Head>>

export type Joined<Head> =
  | {
      readonly ok: true
      readonly head: Head
      readonly body: Content
      /** `first` sent the request; `collapsed` waited for it; `alone` made one of its own, as it could not be shared. */
      readonly role: 'first' | 'collapsed' | 'alone'
    }
  | FetchFailure
