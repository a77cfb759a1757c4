import type { Anchor, Family } from './anchor.ts'
import type { Intervals } from './intervals.ts'
import type { Networks } from './networks.ts'
import type { Scalar, Test } from './pattern.ts'
import type { Substrings } from './substrings.ts'
import type { AffixTable, TextTable } from './text-table.ts'

/**
 * The automaton: nodes joined by values. At each node lie branches of rules that the values on the way to it leave possible, and
 * machines by which values on further paths lead on. Each branch goes the way on which the fewest others lie, so that an event
 * reaches few that it does not match, however many there are.
 */
export type RuleNode = {
  readonly items: Item[]
  readonly indexes: ValueIndex[]
  /** Branches here and beyond. */
  size: number
  /** Where it hangs; the root hangs nowhere. */
  readonly home: { readonly node: RuleNode; readonly index: ValueIndex; readonly anchor: Anchor } | null
  /** It lies full, and sends on what it can. */
  isFull: boolean
  /** The last event that came by. */
  event: number
}

/** A branch at a node: which of its conditions the way here has settled, and which it went by; one bit each. */
export type Item = { readonly branch: RuleBranch; readonly settled: number; readonly used: number }

export type RuleBranch = {
  readonly rule: { readonly name: string; event: number }
  readonly conditions: readonly RuleCondition[]
  /** Where it lies: at several where a condition has several values. */
  readonly nodes: Set<RuleNode>
}

export type RuleCondition = {
  readonly path: PathNode
  /** `exists: false` apart. */
  readonly tests: readonly Test[]
  readonly mayBeAbsent: boolean
}

/**
 * The machine of one path at one place of the tree: from a value to all the nodes that it leads on to, at a cost that
 * does not depend on how many others there are.
 */
export type ValueIndex = {
  readonly path: PathNode
  readonly families: Readonly<Record<Family, Map<Scalar, RuleNode>>>
  nodes: number
  /** Made from the families when a value is looked up after they changed. */
  compiled: Compiled | null
}

export type Compiled = {
  /** One for each family of texts that there are some of. */
  readonly equals: TextTable<RuleNode> | null
  readonly prefixes: AffixTable<RuleNode> | null
  readonly suffixes: AffixTable<RuleNode> | null
  readonly folded: TextTable<RuleNode> | null
  readonly foldedPrefixes: AffixTable<RuleNode> | null
  readonly foldedSuffixes: AffixTable<RuleNode> | null
  readonly substrings: Substrings<RuleNode> | null
  readonly ranges: Intervals<RuleNode> | null
  readonly networks: Networks<RuleNode> | null
  readonly any: RuleNode | null
  /** There is more to ask of a text than what it equals. */
  readonly isOfText: boolean
  /** And that is what it begins and ends with, as it is written. */
  readonly isOnlyOfAffixes: boolean
  readonly isFolded: boolean
}

/**
 * The paths that rules ask for, as a tree of keys; each place holds what the event being matched has there. A key with dots
 * leads as far as its parts do one by one: to EventBridge `{"a.b": 1}` and `{"a": {"b": 1}}` are the same field.
 */
export type PathNode = {
  readonly parent: PathNode | null
  readonly key: string
  readonly children: Map<string, PathNode>
  /** Conditions of rules on this path, and on this or any below. */
  conditions: number
  conditionsBelow: number
  /** By how many conditions each thing is asked for here (`anchorName`): the fewer, the fewer rules it leads to. */
  readonly demand: Map<string, number>
  /** Finds what each of its values leads to first; none while no rule begins with this path. */
  index: ValueIndex | null
  /** Finds children by bytes; made when asked for after a change. */
  table: KeyTable | null
  /** Of the last event that had values here. */
  event: number
  /** Undefined where a value is text that still lies in the event's bytes, from and to where it says beside. */
  readonly values: (Scalar | undefined)[]
  readonly starts: number[]
  readonly ends: number[]
  /** The element of an array that each value lies in, 0 where there is none. */
  readonly elements: number[]
  count: number
  isNested: boolean
  /** Of the object before, by `childAt`. */
  readonly keysBefore: string[]
  readonly childrenBefore: (PathNode | undefined)[]
  /** The same of the one before in bytes; a place may have none. */
  readonly bytesBefore: (Uint8Array | undefined)[]
  readonly bytesLedTo: (PathNode | undefined)[]
  /** The object in which its key was seen last: seen there again, it is there twice. */
  seenIn: number
}

/** Open addressing over a hash of the key's bytes. */
export type KeyTable = {
  readonly mask: number
  readonly hashes: Int32Array
  readonly keys: readonly (Uint8Array | undefined)[]
  readonly nodes: readonly (PathNode | undefined)[]
}
