import { type Anchor, anchorName, anchorsOf } from './anchor.ts'
import type { Item, PathNode, RuleBranch, RuleCondition, RuleNode, ValueIndex } from './automaton.ts'
import { createValueIndex, dropNode, nodeAt, putNode } from './value-index.ts'

/** Branches that lie at a node before it sends them further. At the root, lying would be being looked at with every event. */
const ITEMS_MAX = 8
/** Conditions that have a bit; those beyond are looked at one by one. */
const BITS = 31
/** Values of a condition beyond which only the root goes by it: each takes the branch to a node of its own. */
const VALUES_MAX = 8

export function createRuleNode(home: RuleNode['home'] = null): RuleNode {
  return { items: [], indexes: [], size: 0, home, isFull: home === null, event: 0 }
}

/** Before branches are inserted: what many ask for is a poor way to any of them. */
export function countDemand({ conditions }: RuleBranch, change: 1 | -1): void {
  for (const { path, tests } of conditions)
    for (const name of tests.flatMap(anchorsOf).map(anchorName)) {
      const demand = (path.demand.get(name) ?? 0) + change
      if (demand > 0) path.demand.set(name, demand)
      else path.demand.delete(name)
    }
}

export function insertBranch(root: RuleNode, branch: RuleBranch): void {
  insert(root, { branch, settled: 0, used: 0 })
}

export function removeBranch(branch: RuleBranch): void {
  for (const node of branch.nodes) {
    const at = node.items.findIndex((item) => item.branch === branch)
    node.items.splice(at, 1)
    addToSize(node, -1)
    prune(node)
  }
  branch.nodes.clear()
}

function insert(node: RuleNode, item: Item): void {
  if (node.isFull && send(node, item)) return
  lie(node, item)
  if (node.isFull || node.items.length <= ITEMS_MAX) return
  node.isFull = true
  for (const each of node.items.splice(0)) {
    each.branch.nodes.delete(node)
    addToSize(node, -1)
    if (!send(node, each)) lie(node, each)
  }
}

function lie(node: RuleNode, item: Item): void {
  node.items.push(item)
  item.branch.nodes.add(node)
  addToSize(node, 1)
}

function addToSize(node: RuleNode, change: number): void {
  for (let each: RuleNode | null = node; each !== null; each = each.home?.node ?? null) each.size += change
}

/** A condition to go by: an anchor for each of its values. */
type Way = { readonly bit: number; readonly path: PathNode; readonly anchors: readonly Anchor[]; readonly load: number }

/** Further, by the condition that promises the fewest neighbours. False if there is none. */
function send(node: RuleNode, item: Item): boolean {
  const { conditions } = item.branch
  let best: Way | null = null
  for (let at = 0; at < conditions.length && at < BITS; at += 1) {
    const condition = conditions[at]
    if (!condition || (item.used & (1 << at)) !== 0) continue
    const way = findWay(node, condition, 1 << at)
    if (way !== null && (best === null || way.load < best.load)) best = way
  }
  if (best === null) return false
  for (const anchor of best.anchors) {
    const settled = anchor.isExact ? item.settled | best.bit : item.settled
    insert(nodeFor(node, best.path, anchor), { branch: item.branch, settled, used: item.used | best.bit })
  }
  return true
}

function findWay(node: RuleNode, { path, tests, mayBeAbsent }: RuleCondition, bit: number): Way | null {
  const isRoot = node.home === null
  if (mayBeAbsent || (!isRoot && tests.length > VALUES_MAX)) return null
  const index = indexOf(node, path)
  const anchors = new Map<string, Anchor>()
  let load = 0
  for (const test of tests) {
    const choice = chooseAnchor(anchorsOf(test), (anchor) =>
      isRoot
        ? (path.demand.get(anchorName(anchor)) ?? 0)
        : index === undefined
          ? 0
          : (nodeAt(index, anchor)?.size ?? 0),
    )
    // Whatever value there is leads on: that sorts nothing, unless fields are seldom there.
    if (choice === null || (!isRoot && choice.anchor.family === 'any')) return null
    const { anchor } = choice
    const name = anchorName(anchor)
    // Two values by the same anchor go the same way, which settles the condition if it does for both.
    const isExact = anchor.isExact && anchors.get(name)?.isExact !== false
    anchors.set(name, { ...anchor, isExact })
    load += choice.load
  }
  return { bit, path, anchors: [...anchors.values()], load }
}

type Choice = { readonly anchor: Anchor; readonly load: number }

function chooseAnchor(anchors: readonly Anchor[], neighboursOf: (anchor: Anchor) => number): Choice | null {
  let best: Choice | null = null
  for (const anchor of anchors) {
    const load = anchor.breadth * (1 + neighboursOf(anchor))
    if (best === null || load < best.load) best = { anchor, load }
  }
  return best
}

/** The root's are with the paths, where events find them. */
function indexOf(node: RuleNode, path: PathNode): ValueIndex | undefined {
  return node.home === null ? (path.index ?? undefined) : node.indexes.find((index) => index.path === path)
}

function nodeFor(node: RuleNode, path: PathNode, anchor: Anchor): RuleNode {
  let index = indexOf(node, path)
  if (index === undefined) {
    index = createValueIndex(path)
    if (node.home === null) path.index = index
    else node.indexes.push(index)
  }
  const there = nodeAt(index, anchor)
  if (there !== undefined) return there
  const created = createRuleNode({ node, index, anchor })
  putNode(index, anchor, created)
  return created
}

/** Takes away what leads nowhere any more. */
function prune(node: RuleNode): void {
  for (let each = node; each.home !== null && each.size === 0; ) {
    const { node: before, index, anchor } = each.home
    dropNode(index, anchor)
    if (index.nodes === 0) {
      if (before.home === null) index.path.index = null
      else before.indexes.splice(before.indexes.indexOf(index), 1)
    }
    each = before
  }
}
