/** How viewers behave; times are ms. */
export type ViewerHabits = {
  /** On the home page and on a title's page, before the next click: evenly between the two. */
  readonly hesitationMs: readonly [min: number, max: number]
  /** Share of viewers who only look around and leave. */
  readonly browseOnlyShare: number
  /** How long they mean to watch: this share to the end, the others an exponentially distributed time with this mean. */
  readonly watchToEndShare: number
  readonly watchMeanMs: number
  /** Seeks per minute of watching, to anywhere in the film. */
  readonly seeksPerMinute: number
  /** Points of [waited, share of viewers lost by then], rising in both; straight lines between, nobody is lost after the last. */
  readonly patience: readonly (readonly [waitedMs: number, lostShare: number])[]
  /** Share of those whose film has ended (or who left it) who go back to the home page; the others are gone. */
  readonly returnHomeShare: number
  readonly player: PlayerHabits
}

export type PlayerHabits = {
  /** Playing begins, and begins again after a stall or a seek, with this much in the buffer. */
  readonly startBufferMs: number
  /** The player fetches until this much is ahead. */
  readonly aheadMs: number
  readonly progressEveryMs: number
  /** Share of the measured throughput that a rendition's bandwidth may use. */
  readonly abrSafety: number
  /** What the first choice assumes, bits per second. */
  readonly abrInitialBps: number
  /** Waits between attempts at a segment or an API call that failed; the last repeats until patience ends. */
  readonly retryMs: readonly number[]
}

export const DEFAULT_HABITS: ViewerHabits = {
  hesitationMs: [500, 2_500],
  browseOnlyShare: 0.1,
  watchToEndShare: 0.6,
  watchMeanMs: 30_000,
  seeksPerMinute: 0.3,
  // 3 s of waiting lose 13% of viewers.
  patience: [
    [0, 0],
    [1_000, 0.01],
    [3_000, 0.13],
    [10_000, 0.5],
    [30_000, 0.95],
    [60_000, 1],
  ],
  returnHomeShare: 0.7,
  player: {
    startBufferMs: 1_000,
    aheadMs: 10_000,
    progressEveryMs: 10_000,
    abrSafety: 0.8,
    abrInitialBps: 1_000_000,
    retryMs: [500, 1_000, 2_000],
  },
}
