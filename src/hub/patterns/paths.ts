import type { KeyTable, PathNode } from './automaton.ts'
import { addToHash, slotOf, slotsFor } from './hash.ts'

export function createPathNode(parent: PathNode | null, key: string): PathNode {
  return {
    parent,
    key,
    children: new Map(),
    conditions: 0,
    conditionsBelow: 0,
    demand: new Map(),
    index: null,
    table: null,
    event: 0,
    values: [],
    starts: [],
    ends: [],
    elements: [],
    count: 0,
    isNested: false,
    keysBefore: [],
    childrenBefore: [],
    bytesBefore: [],
    bytesLedTo: [],
    seenIn: 0,
  }
}

/** One more condition on a path; the place is made where it is missing. */
export function claimPath(root: PathNode, path: string): PathNode {
  let node = root
  node.conditionsBelow += 1
  for (const key of path.split('.')) {
    let child = node.children.get(key)
    if (!child) {
      child = createPathNode(node, key)
      node.children.set(key, child)
      forget(node)
    }
    node = child
    node.conditionsBelow += 1
  }
  node.conditions += 1
  return node
}

/** One condition less; what no rule asks for any more is dropped. */
export function releasePath(node: PathNode): void {
  node.conditions -= 1
  for (let each: PathNode | null = node; each !== null; each = each.parent) {
    each.conditionsBelow -= 1
    if (each.conditionsBelow > 0 || each.parent === null) continue
    each.parent.children.delete(each.key)
    forget(each.parent)
  }
}

/**
 * Where the key at a place among an object's keys leads, dots and all. Most objects at a path have the keys of the one before in
 * the same order, so what the key there led to is remembered.
 */
export function childAt(node: PathNode, key: string, place: number): PathNode | undefined {
  const { keysBefore, childrenBefore } = node
  if (keysBefore[place] === key) return childrenBefore[place]
  const child = childOf(node, key)
  if (place < KEYS_REMEMBERED) {
    keysBefore[place] = key
    childrenBefore[place] = child
  }
  return child
}

/** Of one object. */
export const KEYS_REMEMBERED = 32

/** What is here changed: keys with dots lead here from all above. */
function forget(changed: PathNode): void {
  changed.table = null
  for (let node: PathNode | null = changed; node !== null; node = node.parent) {
    node.keysBefore.length = 0
    node.childrenBefore.length = 0
    node.bytesBefore.length = 0
    node.bytesLedTo.length = 0
  }
}

function childOf(node: PathNode, key: string): PathNode | undefined {
  const child = node.children.get(key)
  return child === undefined && key.includes('.') ? followParts(node, key) : child
}

export function followParts(node: PathNode, key: string): PathNode | undefined {
  let found: PathNode | undefined = node
  for (const part of key.split('.')) {
    found = found.children.get(part)
    if (!found) return undefined
  }
  return found
}

export function tableOf(node: PathNode): KeyTable {
  node.table ??= createTable(node.children)
  return node.table
}

function createTable(children: ReadonlyMap<string, PathNode>): KeyTable {
  const size = slotsFor(children.size)
  const mask = size - 1
  const hashes = new Int32Array(size)
  const keys = new Array<Uint8Array | undefined>(size).fill(undefined)
  const nodes = new Array<PathNode | undefined>(size).fill(undefined)
  for (const [key, node] of children) {
    const bytes = new Uint8Array(Buffer.from(key))
    const hash = bytes.reduce((before, byte) => addToHash(before, byte), 0)
    let slot = slotOf(hash) & mask
    while (nodes[slot] !== undefined) slot = (slot + 1) & mask
    hashes[slot] = hash
    keys[slot] = bytes
    nodes[slot] = node
  }
  return { mask, hashes, keys, nodes }
}

/** The child whose key is these bytes of an event. */
export function findChild(
  table: KeyTable,
  hash: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): PathNode | undefined {
  const { mask, hashes, keys, nodes } = table
  for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
    const key = keys[slot]
    if (key === undefined) return undefined
    if (hashes[slot] === hash && areSame(key, bytes, start, end)) return nodes[slot]
  }
}

function areSame(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let at = 0; at < key.length; at += 1) if (key[at] !== bytes[start + at]) return false
  return true
}
