/** Every bound of a viewer in one place: nobody waits, retries or keeps anything without one. */

export const API_TIMEOUT_MS = 10_000
export const PLAYLIST_TIMEOUT_MS = 10_000
/** The platform holds a segment that is still being made for 20 s; less than that would never see one of those. */
export const SEGMENT_TIMEOUT_MS = 25_000

/** Even those whom the curve never loses leave after one wait of this length. */
export const WAIT_MS_MAX = 120_000
/** A server may ask for more patience than the player's own retries have, but for no more than this. */
export const RETRY_AFTER_MS_MAX = 5_000
export const RETRY_MS_MIN = 100
export const HEARTBEAT_MS_MIN = 1_000
export const PROGRESS_MS_MIN = 100

/** Pictures fetched of a home page: those on a first screen. */
export const POSTERS_MAX = 3
/** Titles that a viewer finds gone before they have had enough. */
export const GONE_TITLES_MAX = 3
/** Signals in one request, as the contract says, and kept while none gets through. */
export const SIGNALS_MAX = 50

/** Nearer to the end than this there is nothing to resume: the watch page begins anew there. */
export const CREDITS_MS = 5_000
/** What the newest sample counts in the estimate of throughput. */
export const ABR_SAMPLE_WEIGHT = 0.3
/** Smaller answers measure the way to the server, not the line's width (Shaka Player's threshold). */
export const ABR_SAMPLE_BYTES_MIN = 16_000
/** Times are sums of fractions: closer together than this they are the same. */
export const SAME_MS = 0.01
