import type { PathNode } from './automaton.ts'
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
  /** The event, where values still lie in it. */
  bytes: Uint8Array
  text: Buffer | null
}

const NO_BYTES = new Uint8Array(0)

export function createLeaves(): Leaves {
  return {
    event: 0,
    paths: [],
    around: [0],
    arrays: [0],
    places: [null],
    arraysSeen: 0,
    objectsSeen: 0,
    bytes: NO_BYTES,
    text: null,
  }
}

export function beginEvent(leaves: Leaves): void {
  leaves.event += 1
  leaves.paths.length = 0
  leaves.around.length = 1
  leaves.arrays.length = 1
  leaves.places.length = 1
  leaves.arraysSeen = 0
  leaves.text = null
}

export function addLeaf(leaves: Leaves, node: PathNode, value: Scalar, element: number): void {
  const at = addSlot(leaves, node, element)
  node.values[at] = value
}

/** ASCII without escapes: only looked at where it lies, unless a test asks for the string. */
export function addText(leaves: Leaves, node: PathNode, element: number, start: number, end: number): void {
  const at = addSlot(leaves, node, element)
  node.values[at] = undefined
  node.starts[at] = start
  node.ends[at] = end
}

function addSlot(leaves: Leaves, node: PathNode, element: number): number {
  if (node.event !== leaves.event) {
    node.event = leaves.event
    node.count = 0
    node.isNested = false
    leaves.paths.push(node)
  }
  const at = node.count
  node.elements[at] = element
  node.count = at + 1
  if (element !== 0) node.isNested = true
  return at
}

export function valueAt(leaves: Leaves, node: PathNode, at: number): Scalar {
  const value = node.values[at]
  if (value !== undefined) return value
  leaves.text ??= Buffer.from(leaves.bytes.buffer, leaves.bytes.byteOffset, leaves.bytes.byteLength)
  const text = leaves.text.toString('latin1', node.starts[at], node.ends[at])
  node.values[at] = text
  return text
}

/** Elements are numbered if they are objects or arrays: values right in an array belong to what the array is in. */
export function addElement(leaves: Leaves, array: number, place: PathNode, around: number): number {
  leaves.around.push(around)
  leaves.arrays.push(array)
  leaves.places.push(place)
  return leaves.arrays.length - 1
}
