import type { PathNode } from './paths.ts'
import type { Scalar } from './pattern.ts'

/**
 * What one event has on the paths that rules ask for. The values themselves lie on the paths' nodes, so that no object is
 * made for an event; only elements of arrays, which rules must not mix, are numbered here.
 */
export type Leaves = {
  /** Number of the event being matched; what carries another number is left over from one before. */
  event: number
  /** Paths it has values on. */
  readonly paths: PathNode[]
  /** Of each element of an array, by its number: the element around it, its array, and where that array is. */
  readonly around: number[]
  readonly arrays: number[]
  readonly places: (PathNode | null)[]
  arraysSeen: number
  objectsSeen: number
}

export function createLeaves(): Leaves {
  return { event: 0, paths: [], around: [0], arrays: [0], places: [null], arraysSeen: 0, objectsSeen: 0 }
}

export function beginEvent(leaves: Leaves): void {
  leaves.event += 1
  leaves.paths.length = 0
  leaves.around.length = 1
  leaves.arrays.length = 1
  leaves.places.length = 1
  leaves.arraysSeen = 0
}

export function addLeaf(leaves: Leaves, node: PathNode, value: Scalar, element: number): void {
  if (node.event !== leaves.event) {
    node.event = leaves.event
    node.count = 0
    node.isNested = false
    leaves.paths.push(node)
  }
  node.values[node.count] = value
  node.elements[node.count] = element
  node.count += 1
  if (element !== 0) node.isNested = true
}

/** Elements are numbered if they are objects or arrays: values right in an array belong to what the array is in. */
export function addElement(leaves: Leaves, array: number, place: PathNode, around: number): number {
  leaves.around.push(around)
  leaves.arrays.push(array)
  leaves.places.push(place)
  return leaves.arrays.length - 1
}
