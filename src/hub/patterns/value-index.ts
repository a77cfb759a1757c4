import { ADDRESS_CHARACTERS_MAX } from './address.ts'
import { type Anchor, FAMILIES, type Family } from './anchor.ts'
import type { Compiled, PathNode, RuleNode, ValueIndex } from './automaton.ts'
import { createIntervals, findIntervals } from './intervals.ts'
import { createNetworks, findNetworks } from './networks.ts'
import type { Scalar } from './pattern.ts'
import { createSubstrings, findSubstrings } from './substrings.ts'
import { createText, loadFolded, loadString, type Text } from './text.ts'
import {
  type AffixTable,
  addText,
  createAffixTable,
  createTextTable,
  findAffixes,
  findEqual,
  mayEqual,
  mayEqualFolded,
  mayHaveAffix,
  type TextTable,
} from './text-table.ts'

export function createValueIndex(path: PathNode): ValueIndex {
  const families = Object.fromEntries(FAMILIES.map((family) => [family, new Map<Scalar, RuleNode>()]))
  return { path, families: families as ValueIndex['families'], nodes: 0, compiled: null }
}

export function nodeAt(index: ValueIndex, { family, key }: Anchor): RuleNode | undefined {
  return index.families[family].get(key)
}

export function putNode(index: ValueIndex, { family, key }: Anchor, node: RuleNode): void {
  index.families[family].set(key, node)
  index.nodes += 1
  const equals = family === 'equals' ? index.compiled?.equals : null
  const isIn = family === 'equals' && (typeof key !== 'string' || (equals && addText(equals, key, node)))
  if (!isIn) index.compiled = null
}

export function dropNode(index: ValueIndex, { family, key }: Anchor): void {
  if (!index.families[family].delete(key)) return
  index.nodes -= 1
  index.compiled = null
}

/** Visits every node that a value leads to, some perhaps more than once. Text in bytes is in `text` already. */
export function lookUp(
  index: ValueIndex,
  value: Scalar | undefined,
  text: Text,
  visit: (node: RuleNode) => void,
): void {
  index.compiled ??= compile(index)
  const { compiled } = index
  const equal = findEqualTo(index, compiled, value, text)
  if (equal !== undefined) visit(equal)
  if (compiled.any !== null) visit(compiled.any)
  if (typeof value === 'number') {
    if (compiled.ranges !== null) findIntervals(compiled.ranges, value, visit)
  } else if (compiled.isOfText && (value === undefined || typeof value === 'string')) {
    if (value === undefined) lookUpParts(compiled, text, visit)
    else lookUpString(compiled, value, text, visit)
  }
}

function findEqualTo(
  { families }: ValueIndex,
  { equals }: Compiled,
  value: Scalar | undefined,
  text: Text,
): RuleNode | undefined {
  if (value === undefined) return equals === null ? undefined : findEqual(equals, text)
  // A map of thousands of strings is slower than to tell that it has none of them.
  if (typeof value === 'string' && (equals === null || !mayEqual(equals, value))) return undefined
  return families.equals.get(value)
}

/** Most strings need not be read as text at all: what they begin and end with, and how long they are, tells. */
function lookUpString(compiled: Compiled, value: string, text: Text, visit: (node: RuleNode) => void): void {
  if (!mayBeFound(compiled, value)) return
  loadString(text, value)
  lookUpParts(compiled, text, visit)
}

function mayBeFound(compiled: Compiled, value: string): boolean {
  const { prefixes, suffixes, substrings, networks, folded: equals, foldedPrefixes, foldedSuffixes } = compiled
  if (substrings !== null || foldedPrefixes !== null || foldedSuffixes !== null) return true
  if (prefixes !== null && mayHaveAffix(prefixes, value)) return true
  if (suffixes !== null && mayHaveAffix(suffixes, value)) return true
  if (networks !== null && value.length <= ADDRESS_CHARACTERS_MAX) return true
  return equals !== null && mayEqualFolded(equals, value)
}

function lookUpParts(compiled: Compiled, text: Text, visit: (node: RuleNode) => void): void {
  const { prefixes, suffixes, isOnlyOfAffixes, substrings, networks } = compiled
  if (prefixes !== null) findAffixes(prefixes, text, visit)
  if (suffixes !== null) findAffixes(suffixes, text, visit)
  if (isOnlyOfAffixes) return
  if (substrings !== null) findSubstrings(substrings, text, visit)
  if (networks !== null) findNetworks(networks, text, visit)
  if (compiled.isFolded) lookUpFolded(compiled, text, visit)
}

const folded = createText()

function lookUpFolded(compiled: Compiled, text: Text, visit: (node: RuleNode) => void): void {
  const { folded: equals, foldedPrefixes, foldedSuffixes } = compiled
  loadFolded(folded, text)
  const equal = equals === null ? undefined : findEqual(equals, folded)
  if (equal !== undefined) visit(equal)
  if (foldedPrefixes !== null) findAffixes(foldedPrefixes, folded, visit)
  if (foldedSuffixes !== null) findAffixes(foldedSuffixes, folded, visit)
}

function compile({ families }: ValueIndex): Compiled {
  const hasSome = (...some: readonly Family[]): boolean => some.some((family) => families[family].size > 0)
  const isFolded = hasSome('folded', 'folded-prefix', 'folded-suffix')
  const isOnlyOfAffixes = !isFolded && !hasSome('contains', 'network')
  return {
    equals: toTable(families.equals),
    prefixes: toAffixes(families.prefix, false),
    suffixes: toAffixes(families.suffix, true),
    folded: toTable(families.folded),
    foldedPrefixes: toAffixes(families['folded-prefix'], false),
    foldedSuffixes: toAffixes(families['folded-suffix'], true),
    substrings: hasSome('contains') ? createSubstrings(toTexts(families.contains)) : null,
    ranges: hasSome('range') ? createIntervals([...families.range.values()].flatMap(toInterval)) : null,
    networks: hasSome('network') ? createNetworks([...families.network.values()].flatMap(toNetwork)) : null,
    any: families.any.get(null) ?? null,
    isOfText: !isOnlyOfAffixes || hasSome('prefix', 'suffix'),
    isOnlyOfAffixes,
    isFolded,
  }
}

function toAffixes(family: ReadonlyMap<Scalar, RuleNode>, isBackward: boolean): AffixTable<RuleNode> | null {
  const texts = toTexts(family)
  return texts.size === 0 ? null : createAffixTable(texts, isBackward)
}

function toTable(family: ReadonlyMap<Scalar, RuleNode>): TextTable<RuleNode> | null {
  const texts = toTexts(family)
  return texts.size === 0 ? null : createTextTable(texts)
}

const toTexts = (family: ReadonlyMap<Scalar, RuleNode>): Map<string, RuleNode> =>
  new Map([...family].flatMap(([key, node]) => (typeof key === 'string' ? [[key, node]] : [])))

function toInterval(node: RuleNode): Parameters<typeof createIntervals<RuleNode>>[0] {
  const test = node.home?.anchor.test
  return test?.kind === 'numeric' ? [{ low: test.range.low, high: test.range.high, found: node }] : []
}

function toNetwork(
  node: RuleNode,
): Parameters<typeof createNetworks<RuleNode>>[0] extends Iterable<infer N> ? N[] : [] {
  const test = node.home?.anchor.test
  return test?.kind === 'cidr' ? [[test.network, node]] : []
}
