/** The shapes in which the edge's pure decisions see a request and a response; no engine's `Request` reaches them. */

/** Reads a field by its lower-case name, several lines joined by ", " as `Headers` does; null when absent. */
export type FieldReader = { get(name: string): string | null }

/** One field line as received; the name is lower-case. */
export type FieldLine = readonly [name: string, value: string]

export type RequestHead = {
  readonly method: string
  /** Normalised absolute URI, without fragment. */
  readonly uri: string
  readonly fields: FieldReader
}

export type ResponseHead = {
  readonly status: number
  readonly fields: FieldReader
  /** All lines, for storing. */
  readonly lines: readonly FieldLine[]
}
