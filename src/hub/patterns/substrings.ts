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
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      const next = node.next.get(code) ?? createNode<T>()
      node.next.set(code, next)
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
    for (const [code, next] of node.next) {
      next.fallback = node === root ? root : step(node.fallback ?? root, code, root)
      next.also = next.fallback.found === undefined ? next.fallback.also : next.fallback
      queue.push(next)
    }
}

function step<T>(from: SubstringNode<T>, code: number, root: SubstringNode<T>): SubstringNode<T> {
  for (let node: SubstringNode<T> | null = from; node !== null; node = node.fallback) {
    const next = node.next.get(code)
    if (next !== undefined) return next
  }
  return root
}

/** May visit one that the value contains twice as often. */
export function findSubstrings<T>({ root }: Substrings<T>, value: string, visit: (found: T) => void): void {
  let node = root
  for (let at = 0; at < value.length; at += 1) {
    node = step(node, value.charCodeAt(at), root)
    let each = node.found === undefined ? node.also : node
    for (; each !== null; each = each.also) if (each.found !== undefined) visit(each.found)
  }
}
