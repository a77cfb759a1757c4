import type { RequestKind } from './protocol.ts'

export type Track = 'main' | 'video' | 'audio'

/** A request as the viewer thinks of it. One shape for all kinds: thousands of them are made each second. */
export type Job = {
  readonly kind: RequestKind
  readonly track: Track
  readonly variant: number
  /** The number of a segment or a poster; of signals, how many. */
  readonly index: number
  /** A segment that was asked for before a seek is of no use after it. */
  readonly epoch: number
}

/** A job that is not about media. */
export function toJob(kind: RequestKind, index = 0): Job {
  return { kind, track: 'main', variant: 0, index, epoch: 0 }
}
