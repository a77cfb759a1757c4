export type IncompatibilityCode =
  | 'field-removed'
  | 'retyped'
  | 'made-required'
  | 'made-optional'
  | 'value-removed'
  | 'tightened'
  | 'closed'
  | 'alternative-removed'
  | 'alternative-added'
  | 'changed'

/** Why a schema may not take another's place under the same version. */
export type Incompatibility = {
  /** JSON pointer from the event on, `/data/source/bytes`; `*` for every item, or every value of a record. */
  readonly path: string
  readonly code: IncompatibilityCode
  /** For people. */
  readonly detail: string
}

/** Compares what is further down: part of the one schema with part of the other. */
export type CompareParts = (before: unknown, after: unknown, path: string) => readonly Incompatibility[]

export type ComparisonPlace = { readonly path: string; readonly compareParts: CompareParts }
