import { PATTERN_LIMITS } from '../../kernel/index.ts'
import { addElement, addLeaf, type Leaves } from './leaves.ts'
import { childAt, type PathNode } from './paths.ts'
import type { Scalar } from './pattern.ts'

/** Collects the leaves of an event that is parsed already. False if it is no object or deeper than events may be. */
export function walkParsed(root: PathNode, event: unknown, leaves: Leaves): boolean {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false
  return walkObject(root, event, { leaves, element: 0, depth: 1 })
}

type Place = { readonly leaves: Leaves; readonly element: number; readonly depth: number }

function walkObject(node: PathNode, json: object, place: Place): boolean {
  if (place.depth > PATTERN_LIMITS.eventDepthMax) return false
  if (node.children.size === 0) return true
  const keys = Object.keys(json)
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] ?? ''
    const child = childAt(node, key, at)
    // What is JSON has values by its keys.
    if (child && !walkValue(child, (json as Readonly<Record<string, unknown>>)[key], place)) return false
  }
  return true
}

function walkValue(node: PathNode, json: unknown, place: Place): boolean {
  if (typeof json !== 'object' || json === null) {
    if (node.conditions > 0 && json !== undefined) addLeaf(place.leaves, node, json as Scalar, place.element)
    return true
  }
  const inner = { leaves: place.leaves, element: place.element, depth: place.depth + 1 }
  return Array.isArray(json) ? walkArray(node, json, inner) : walkObject(node, json, inner)
}

function walkArray(node: PathNode, json: readonly unknown[], place: Place): boolean {
  const { leaves, element, depth } = place
  if (depth > PATTERN_LIMITS.eventDepthMax) return false
  leaves.arraysSeen += 1
  const array = leaves.arraysSeen
  for (const each of json) {
    const isScalar = typeof each !== 'object' || each === null
    const inside = isScalar ? place : { leaves, element: addElement(leaves, array, node, element), depth }
    if (!walkValue(node, each, inside)) return false
  }
  return true
}
