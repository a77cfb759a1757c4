import type { Network } from '../../contracts/index.ts'

/** What a field of an event is compared as: a leaf of its JSON. Objects and empty arrays are none. */
export type Scalar = string | number | boolean | null

/** One thing that a value may be. `exists: false` is the only one that holds without a value. */
export type Test =
  | { readonly kind: 'equals'; readonly value: Scalar }
  | { readonly kind: 'equals-ignore-case'; readonly folded: string }
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string }
  | { readonly kind: 'prefix-ignore-case' | 'suffix-ignore-case'; readonly folded: string }
  /** The literal text before, between and after the stars: at least two, of which any may be empty. */
  | { readonly kind: 'wildcard'; readonly segments: readonly string[] }
  | { readonly kind: 'numeric'; readonly range: Range }
  | { readonly kind: 'cidr'; readonly network: Network }
  | { readonly kind: 'exists'; readonly exists: boolean }
  | { readonly kind: 'anything-but'; readonly except: readonly Test[] }

export type Range = {
  readonly low: number
  readonly high: number
  readonly isLowOpen: boolean
  readonly isHighOpen: boolean
}

/** A field, by its keys joined with dots, and what its value may be: one test that passes is enough. */
export type Condition = { readonly path: string; readonly tests: readonly Test[] }

/** All of its conditions must hold. Sorted by path, as `exists: false` is judged in that order where events have arrays. */
export type Branch = readonly Condition[]

/** One of its branches must hold; there is more than one where the pattern says `$or`. */
export type Pattern = { readonly branches: readonly Branch[] }

export type PatternFaultCode =
  /** No JSON, or not an object. */
  | 'pattern-not-object'
  | 'pattern-empty'
  /** A field that is neither an object nor an array of values and tests. */
  | 'pattern-field'
  | 'pattern-operator-unknown'
  /** An operator that was given what it does not take. */
  | 'pattern-operand'
  | 'pattern-or'
  | 'pattern-too-long'
  | 'pattern-too-complex'

/** Why EventBridge would refuse it: the place, what was expected there and what was found. */
export type PatternFault = { readonly code: PatternFaultCode; readonly detail: string }

export const isFault = <T extends object>(parsed: T | PatternFault): parsed is PatternFault =>
  'code' in parsed && 'detail' in parsed

/** JSON of it, short enough for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text
}

const SHOWN_CHARACTERS_MAX = 60
