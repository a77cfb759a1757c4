import type { Text } from './text.ts'

/** Texts that values contain, found in one pass however many they are (Aho and Corasick, 1975). */
export type Substrings<T> = { readonly root: SubstringNode<T> }

type SubstringNode<T> = {
  found: T | undefined
  readonly next: Map<number, SubstringNode<T>>
  /** Of the longest text that ends what was read here, where it goes on; and of the longest such that is found itself. */
  fallback: SubstringNode<T> | null
  also: SubstringNode<T> | null
}

/** None of the texts is empty. */
export function createSubstrings<T>(texts: ReadonlyMap<string, T>): Substrings<T> {
  const root = createNode<T>()
  for (const [text, found] of texts) {
    let node = root
    for (const byte of Buffer.from(text)) {
      const next = node.next.get(byte) ?? createNode<T>()
      node.next.set(byte, next)
      node = next
    }
    node.found = found
  }
  linkFallbacks(root)
  return { root }
}

const createNode = <T>(): SubstringNode<T> => ({ found: undefined, next: new Map(), fallback: null, also: null })

/** Breadth first: a node's fallback is shorter, so it is linked before. */
function linkFallbacks<T>(root: SubstringNode<T>): void {
  const queue = [root]
  for (const node of queue)
    for (const [byte, next] of node.next) {
      next.fallback = node === root ? root : step(node.fallback ?? root, byte, root)
      next.also = next.fallback.found === undefined ? next.fallback.also : next.fallback
      queue.push(next)
    }
}

function step<T>(from: SubstringNode<T>, byte: number, root: SubstringNode<T>): SubstringNode<T> {
  for (let node: SubstringNode<T> | null = from; node !== null; node = node.fallback) {
    const next = node.next.get(byte)
    if (next !== undefined) return next
  }
  return root
}

/** May visit one that the value contains twice as often. */
export function findSubstrings<T>({ root }: Substrings<T>, text: Text, visit: (found: T) => void): void {
  let node = root
  for (let at = text.start; at < text.end; at += 1) {
    node = step(node, text.bytes[at] ?? 0, root)
    let each = node.found === undefined ? node.also : node
    for (; each !== null; each = each.also) if (each.found !== undefined) visit(each.found)
  }
}
