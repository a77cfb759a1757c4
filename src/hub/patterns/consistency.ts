import type { PathNode, RuleCondition } from './automaton.ts'
import { type Leaves, valueAt } from './leaves.ts'
import { passes } from './passes.ts'

/**
 * Whether the conditions hold together where an event has arrays of objects: no two of them in different elements of one array.
 * Conditions are taken in the order of their paths, as event-ruler takes them; `exists: false` means that no value is
 * there in the elements chosen before it.
 */
export function holdTogether(conditions: readonly RuleCondition[], leaves: Leaves): boolean {
  const isInOne = holdInOneArray(conditions, leaves)
  if (isInOne !== null) return isInOne
  let choices: Choices = new Map([['', []]])
  for (const [at, condition] of conditions.entries()) {
    const later = conditions.slice(at + 1).map(({ path }) => path)
    choices = chooseFor(condition, choices, { leaves, isWanted: createIsWanted(later, leaves) })
    if (choices.size === 0) return false
  }
  return true
}

/** The elements that conditions so far were found in, each set by its name: how they were come by no longer matters. */
type Choices = Map<string, readonly number[]>
type Choosing = { readonly leaves: Leaves; readonly isWanted: (element: number) => boolean }

/** Only arrays that a later condition goes through can be in its way. */
function createIsWanted(later: readonly PathNode[], { places }: Leaves): (element: number) => boolean {
  const onTheWay = new Set<PathNode>()
  for (const path of later) for (let node: PathNode | null = path; node !== null; node = node.parent) onTheWay.add(node)
  return (element) => {
    const place = places[element]
    return place != null && onTheWay.has(place)
  }
}

function chooseFor(condition: RuleCondition, before: Choices, { leaves, isWanted }: Choosing): Choices {
  const after: Choices = new Map()
  const add = (elements: Iterable<number>) => {
    const kept = [...new Set(elements)].filter(isWanted).sort((one, other) => one - other)
    after.set(kept.join(), kept)
  }
  const candidates = createCandidates(condition.path, leaves)
  for (const chosen of before.values()) {
    let isThere = false
    for (const at of candidates(chosen)) {
      const around = elementsAround(condition.path.elements[at] ?? 0, leaves)
      if (!areConsistent(chosen, around, leaves)) continue
      isThere = true
      const value = valueAt(leaves, condition.path, at)
      if (condition.tests.some((test) => passes(test, value))) add([...chosen, ...around])
    }
    if (!isThere && condition.mayBeAbsent) add(chosen)
  }
  return after
}

function elementsAround(element: number, { around }: Leaves): readonly number[] {
  const elements: number[] = []
  for (let each = element; each !== 0; each = around[each] ?? 0) elements.push(each)
  return elements
}

function areConsistent(chosen: readonly number[], around: readonly number[], { arrays }: Leaves): boolean {
  return !chosen.some((one) => around.some((other) => one !== other && arrays[one] === arrays[other]))
}

/**
 * Which values of a path to look at for elements chosen so far: those within the innermost of them, where every value of the path
 * lies within some element of its array; else all. So a path of many values is not gone through anew for each choice.
 */
function createCandidates(path: PathNode, leaves: Leaves): (chosen: readonly number[]) => Iterable<number> {
  const count = path.event === leaves.event ? path.count : 0
  const all = Array.from({ length: count }, (_, at) => at)
  const byElement = new Map<number, number[]>()
  const byArray = new Map<number, number>()
  for (const at of all)
    for (const element of elementsAround(path.elements[at] ?? 0, leaves)) {
      const array = leaves.arrays[element] ?? 0
      byElement.set(element, [...(byElement.get(element) ?? []), at])
      byArray.set(array, (byArray.get(array) ?? 0) + 1)
    }
  return (chosen) => {
    // Elements are numbered from the outside in.
    const inner = chosen.findLast((element) => byArray.get(leaves.arrays[element] ?? 0) === count)
    return inner === undefined ? all : (byElement.get(inner) ?? [])
  }
}

/**
 * The answer for what most events have: one array of objects that matter, and no arrays in it. Then one of its elements must
 * do for all conditions within it, those beside it having been found to hold. Null if it is not so.
 */
function holdInOneArray(conditions: readonly RuleCondition[], leaves: Leaves): boolean | null {
  let array = 0
  let narrowest: PathNode | null = null
  for (const { path, mayBeAbsent } of conditions) {
    if (mayBeAbsent) return null
    if (!path.isNested) continue
    if (path.count > VALUES_MAX) return null
    for (let at = 0; at < path.count; at += 1) {
      const element = path.elements[at] ?? 0
      const itsArray = leaves.arrays[element] ?? 0
      if (itsArray === 0 || leaves.around[element] !== 0 || (array !== 0 && array !== itsArray)) return null
      array = itsArray
    }
    if (narrowest === null || path.count < narrowest.count) narrowest = path
  }
  if (narrowest === null) return true
  for (let at = 0; at < narrowest.count; at += 1)
    if (holdsIn(narrowest.elements[at] ?? 0, conditions, leaves)) return true
  return false
}

/** Values of a path up to which trying all is quicker than sorting them first. */
const VALUES_MAX = 32

function holdsIn(element: number, conditions: readonly RuleCondition[], leaves: Leaves): boolean {
  for (const { path, tests } of conditions) {
    if (!path.isNested) continue
    let holds = false
    for (let at = 0; at < path.count && !holds; at += 1)
      holds = path.elements[at] === element && tests.some((test) => passes(test, valueAt(leaves, path, at)))
    if (!holds) return false
  }
  return true
}
