import { type Anchor, FAMILIES, type Family } from './anchor.ts'
import { foldCase } from './fold-case.ts'
import { createIntervals, findIntervals, type Intervals } from './intervals.ts'
import { createLiterals, findLiterals, type Literals } from './literals.ts'
import { createNetworks, findNetworks, type Networks } from './networks.ts'
import type { PathNode } from './paths.ts'
import type { Scalar } from './pattern.ts'
import type { RuleNode } from './rule-tree.ts'
import { createSubstrings, findSubstrings, type Substrings } from './substrings.ts'

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

type Compiled = {
  readonly prefixes: Literals<RuleNode> | null
  readonly suffixes: Literals<RuleNode> | null
  readonly foldedPrefixes: Literals<RuleNode> | null
  readonly foldedSuffixes: Literals<RuleNode> | null
  readonly substrings: Substrings<RuleNode> | null
  readonly ranges: Intervals<RuleNode> | null
  readonly networks: Networks<RuleNode> | null
  readonly any: RuleNode | null
  readonly isCaseFolded: boolean
  readonly isOnlyEquals: boolean
}

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
  if (family !== 'equals') index.compiled = null
}

export function dropNode(index: ValueIndex, { family, key }: Anchor): void {
  if (!index.families[family].delete(key)) return
  index.nodes -= 1
  if (family !== 'equals') index.compiled = null
}

/** Visits every node that the value leads to, some perhaps more than once. */
export function lookUp(index: ValueIndex, value: Scalar, visit: (node: RuleNode) => void): void {
  const equal = index.families.equals.get(value)
  if (equal !== undefined) visit(equal)
  index.compiled ??= compile(index)
  const { compiled } = index
  if (compiled.isOnlyEquals) return
  if (typeof value === 'string') lookUpText(index, compiled, value, visit)
  else if (typeof value === 'number' && compiled.ranges !== null) findIntervals(compiled.ranges, value, visit)
  if (compiled.any !== null) visit(compiled.any)
}

function lookUpText(index: ValueIndex, compiled: Compiled, text: string, visit: (node: RuleNode) => void): void {
  if (compiled.prefixes !== null) findLiterals(compiled.prefixes, text, visit)
  if (compiled.suffixes !== null) findLiterals(compiled.suffixes, text, visit)
  if (compiled.substrings !== null) findSubstrings(compiled.substrings, text, visit)
  if (compiled.networks !== null) findNetworks(compiled.networks, text, visit)
  if (!compiled.isCaseFolded) return
  const folded = foldCase(text)
  const equal = index.families.folded.get(folded)
  if (equal !== undefined) visit(equal)
  if (compiled.foldedPrefixes !== null) findLiterals(compiled.foldedPrefixes, folded, visit)
  if (compiled.foldedSuffixes !== null) findLiterals(compiled.foldedSuffixes, folded, visit)
}

function compile({ families }: ValueIndex): Compiled {
  const folded = [families.folded, families['folded-prefix'], families['folded-suffix']]
  return {
    prefixes: toLiterals(families.prefix, false),
    suffixes: toLiterals(families.suffix, true),
    foldedPrefixes: toLiterals(families['folded-prefix'], false),
    foldedSuffixes: toLiterals(families['folded-suffix'], true),
    substrings: families.contains.size === 0 ? null : createSubstrings(toTexts(families.contains)),
    ranges: families.range.size === 0 ? null : createIntervals([...families.range.values()].flatMap(toInterval)),
    networks: families.network.size === 0 ? null : createNetworks([...families.network.values()].flatMap(toNetwork)),
    any: families.any.get(null) ?? null,
    isCaseFolded: folded.some(({ size }) => size > 0),
    isOnlyEquals: FAMILIES.every((family) => family === 'equals' || families[family].size === 0),
  }
}

function toLiterals(family: ReadonlyMap<Scalar, RuleNode>, isBackward: boolean): Literals<RuleNode> | null {
  return family.size === 0 ? null : createLiterals(toTexts(family), isBackward)
}

/** The keys of families of text are text. */
const toTexts = (family: ReadonlyMap<Scalar, RuleNode>): Map<string, RuleNode> =>
  new Map([...family].map(([key, node]) => [String(key), node]))

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
