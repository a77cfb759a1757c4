/** What storm takes from a target before it calls the answer unreadable: a target is never trusted with storm's memory. */
export const HTTP_LIMITS = {
  /** Status line and fields of one answer, and as much again for the trailers of a chunked one. */
  headBytesMax: 65_536,
  /** A body that is read (JSON, playlists). */
  keptBytesMax: 1_048_576,
  /** The body of a refusal, read for its code; a longer one is only counted. */
  refusalBytesMax: 65_536,
  chunkLineBytesMax: 1_024,
  /** Interim answers (1xx) before the answer. */
  interimAnswersMax: 16,
  /** A file named by a playlist. */
  playlistFileCharsMax: 1_024,
} as const
