import type { Item, PathNode, RuleBranch, RuleCondition, RuleNode, ValueIndex } from './automaton.ts'
import { holdTogether } from './consistency.ts'
import { beginEvent, createLeaves, type Leaves, valueAt } from './leaves.ts'
import { passes } from './passes.ts'
import { claimPath, createPathNode, releasePath } from './paths.ts'
import type { Branch, Pattern } from './pattern.ts'
import { countDemand, createRuleNode, insertBranch, removeBranch } from './rule-tree.ts'
import { createScan, scanBytes } from './scan-bytes.ts'
import { createText, loadBytes } from './text.ts'
import { lookUp } from './value-index.ts'
import { walkParsed } from './walk-parsed.ts'

/** Finds the rules that an event matches, at a cost that hardly depends on how many others there are. */
export type Matcher = {
  /** A rule of the same name is replaced. */
  add(name: string, pattern: Pattern): void
  /** False if there is none of that name. */
  remove(name: string): boolean
  /**
   * The names of the rules that an event matches, given as UTF-8 JSON, in no particular order. What is no JSON object
   * matches nothing. Never throws.
   */
  match(event: Uint8Array): readonly string[]
  /** The same for an event that was parsed already. */
  matchParsed(event: unknown): readonly string[]
  readonly rules: number
}

export function createMatcher(): Matcher {
  const root = createPathNode(null, '')
  const tree = createRuleNode()
  const leaves = createLeaves()
  const scan = createScan(root, leaves)
  const rules = new Map<string, readonly RuleBranch[]>()
  /** Not in the tree before the next event: where each belongs there depends on the others. */
  const waiting = new Set<RuleBranch>()
  const find = createFinder(tree, leaves)

  function begin(): void {
    if (waiting.size > 0) {
      for (const branch of waiting) insertBranch(tree, branch)
      waiting.clear()
    }
    beginEvent(leaves)
  }

  function remove(name: string): boolean {
    for (const branch of rules.get(name) ?? []) {
      if (!waiting.delete(branch)) removeBranch(branch)
      countDemand(branch, -1)
      for (const { path } of branch.conditions) releasePath(path)
    }
    return rules.delete(name)
  }

  function matchParsed(event: unknown): readonly string[] {
    begin()
    return walkParsed(root, event, leaves) ? find() : []
  }

  return {
    add(name, pattern) {
      remove(name)
      const rule = { name, event: 0 }
      const branches = pattern.branches.map((branch) => toRuleBranch(root, rule, branch))
      for (const branch of branches) {
        countDemand(branch, 1)
        waiting.add(branch)
      }
      rules.set(name, branches)
    },
    remove,
    match(event) {
      begin()
      if (scanBytes(scan, event)) return find()
      return scan.isAmbiguous ? matchParsed(parse(event)) : []
    },
    matchParsed,
    get rules() {
      return rules.size
    },
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined if it is no JSON. */
function parse(event: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(event))
  } catch {
    return undefined
  }
}

function toRuleBranch(root: PathNode, rule: RuleBranch['rule'], branch: Branch): RuleBranch {
  const conditions = branch.map(({ path, tests }): RuleCondition => {
    const isAbsence = tests.map((test) => test.kind === 'exists' && !test.exists)
    return {
      path: claimPath(root, path),
      tests: tests.filter((_, at) => !isAbsence[at]),
      mayBeAbsent: isAbsence.includes(true),
    }
  })
  return { rule, conditions, nodes: new Set() }
}

const NONE: readonly string[] = Object.freeze([])

/** Goes through the tree with the leaves of one event. */
function createFinder(tree: RuleNode, leaves: Leaves): () => readonly string[] {
  const text = createText()
  const reached: RuleNode[] = []
  let found: string[] | null = null

  /** Only noted, as the text that led here may lead on to others. */
  function reach(node: RuleNode): void {
    if (node.event === leaves.event) return
    node.event = leaves.event
    reached.push(node)
  }

  function follow(path: PathNode, index: ValueIndex): void {
    for (let at = 0; at < path.count; at += 1) {
      const value = path.values[at]
      if (value === undefined) loadBytes(text, leaves.bytes, path.starts[at] ?? 0, path.ends[at] ?? 0)
      lookUp(index, value, text, reach)
    }
  }

  function check({ branch, settled }: Item): void {
    const { rule, conditions } = branch
    if (rule.event === leaves.event || !mayHold(conditions, settled, leaves)) return
    if (conditions.length > 1 && isAnyNested(conditions, leaves.event) && !holdTogether(conditions, leaves)) return
    rule.event = leaves.event
    found ??= []
    found.push(rule.name)
  }

  return () => {
    found = null
    reached.length = 0
    for (const item of tree.items) check(item)
    for (const path of leaves.paths) if (path.index !== null) follow(path, path.index)
    for (let node = reached.pop(); node !== undefined; node = reached.pop()) {
      for (const item of node.items) check(item)
      for (const index of node.indexes) if (index.path.event === leaves.event) follow(index.path, index)
    }
    return found ?? NONE
  }
}

function mayHold(conditions: readonly RuleCondition[], settled: number, leaves: Leaves): boolean {
  for (let at = 0; at < conditions.length; at += 1) {
    if (at < 31 && (settled & (1 << at)) !== 0) continue
    const condition = conditions[at]
    if (condition && !mayPass(condition, leaves, conditions.length)) return false
  }
  return true
}

/** Each for itself. Where there are arrays, what is absent from the elements that matter may be there in another. */
function mayPass({ path, tests, mayBeAbsent }: RuleCondition, leaves: Leaves, conditions: number): boolean {
  if (path.event !== leaves.event) return mayBeAbsent
  if (mayBeAbsent && path.isNested && conditions > 1) return true
  for (let at = 0; at < path.count; at += 1) {
    const value = valueAt(leaves, path, at)
    for (const test of tests) if (passes(test, value)) return true
  }
  return false
}

function isAnyNested(conditions: readonly RuleCondition[], event: number): boolean {
  return conditions.some(({ path }) => path.event === event && path.isNested)
}
