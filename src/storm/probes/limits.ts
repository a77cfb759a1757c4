/** Bounds of the probes. Together they ask about ten times a second, which no platform notices beside a storm. */
export type ProbeLimits = {
  readonly listedPerSecond: number
  readonly signaturePerSecond: number
  readonly resumePerSecond: number
  readonly apiTimeoutMs: number
  /** Longer than a segment that is still being made is held. */
  readonly mediaTimeoutMs: number
  readonly answerBytesMax: number
  /** How long a refusal by a limit, a 5xx, a timeout or a broken connection is tried again before it counts as lasting. */
  readonly patienceMs: number
  readonly retryMs: number
  /** A title counts as listed once it has been for this long: the cells do not hear of it at the same instant. */
  readonly listedForMs: number
  /** Nothing of a withdrawn title from here on, counted from the acknowledgement. */
  readonly withdrawnWithinMs: number
  /** For the way of an answer whose request was sent before that. */
  readonly transferMs: number
  readonly withdrawnEveryMs: number
  /** After `withdrawnDenseMs`. */
  readonly withdrawnLaterEveryMs: number
  readonly withdrawnDenseMs: number
  readonly withdrawnInFlightMax: number
  /** Segments watched of each kind: fetched before the withdrawal, and not. */
  readonly withdrawnFilesMax: number
  /** Length of the film that is made to be withdrawn. */
  readonly sacrificeMs: number
  readonly resumeWithinMs: number
  readonly resumePollMs: number
  /** Viewers whose position is looked at again later. */
  readonly resumeKeptMax: number
  readonly violationsMax: number
}

export const PROBE_LIMITS: ProbeLimits = {
  listedPerSecond: 5,
  signaturePerSecond: 2,
  resumePerSecond: 3,
  apiTimeoutMs: 10_000,
  mediaTimeoutMs: 25_000,
  answerBytesMax: 64 * 1024 * 1024,
  patienceMs: 5_000,
  retryMs: 500,
  listedForMs: 2_000,
  withdrawnWithinMs: 5_000,
  transferMs: 1_000,
  withdrawnEveryMs: 100,
  withdrawnLaterEveryMs: 1_000,
  withdrawnDenseMs: 10_000,
  withdrawnInFlightMax: 32,
  withdrawnFilesMax: 8,
  sacrificeMs: 16_000,
  resumeWithinMs: 10_000,
  resumePollMs: 500,
  resumeKeptMax: 20,
  violationsMax: 100,
}
