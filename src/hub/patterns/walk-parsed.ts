import { PATTERN_LIMITS } from '../../kernel/index.ts'
import type { PathNode } from './automaton.ts'
import { addElement, addLeaf, type Leaves } from './leaves.ts'
import { childAt } from './paths.ts'
import type { Scalar } from './pattern.ts'

/** Collects the leaves of an event that is parsed already. False if it is no object or deeper than events may be. */
export function walkParsed(root: PathNode, event: unknown, leaves: Leaves): boolean {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false
  return walkObject(leaves, root, event, 0, 1)
}

// Parameters stay apart: an object for them would be made anew for every value.
function walkObject(leaves: Leaves, node: PathNode, json: object, element: number, depth: number): boolean {
  if (depth > PATTERN_LIMITS.eventDepthMax) return false
  if (node.children.size === 0) return true
  let place = 0
  // What JSON.parse makes inherits nothing that could be enumerated.
  for (const key in json) {
    const child = childAt(node, key, place)
    place += 1
    if (child === undefined) continue
    const value = (json as Readonly<Record<string, unknown>>)[key]
    if (!walkValue(leaves, child, value, element, depth)) return false
  }
  return true
}

function walkValue(leaves: Leaves, node: PathNode, json: unknown, element: number, depth: number): boolean {
  if (typeof json !== 'object' || json === null) {
    if (node.conditions > 0 && json !== undefined) addLeaf(leaves, node, json as Scalar, element)
    return true
  }
  if (Array.isArray(json)) return walkArray(leaves, node, json, element, depth + 1)
  return walkObject(leaves, node, json, element, depth + 1)
}

function walkArray(leaves: Leaves, node: PathNode, json: readonly unknown[], element: number, depth: number): boolean {
  if (depth > PATTERN_LIMITS.eventDepthMax) return false
  leaves.arraysSeen += 1
  const array = leaves.arraysSeen
  for (const each of json) {
    const isScalar = typeof each !== 'object' || each === null
    const inside = isScalar ? element : addElement(leaves, array, node, element)
    if (!walkValue(leaves, node, each, inside, depth)) return false
  }
  return true
}
