/** Texts that values begin (or end) with, as a tree of shared beginnings: finding all that a value has takes one walk along it. */
export type Literals<T> = {
  readonly isBackward: boolean
  readonly root: LiteralNode<T>
}

type LiteralNode<T> = {
  /** What leads here from the node before, its first character included. */
  readonly label: string
  readonly found: T | undefined
  readonly next: ReadonlyMap<number, LiteralNode<T>>
}

/** Backward, texts are those that values end with. None of them is empty. */
export function createLiterals<T>(texts: ReadonlyMap<string, T>, isBackward: boolean): Literals<T> {
  const entries: [string, T][] = [...texts].map(([text, found]) => [isBackward ? reverse(text) : text, found])
  entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return { isBackward, root: { label: '', found: undefined, next: toNodes(entries, 0) } }
}

/** Of its UTF-16 code units, as values are walked. */
const reverse = (text: string): string => text.split('').reverse().join('')

/** The sorted entries share what comes before `from`. */
function toNodes<T>(entries: readonly [string, T][], from: number): Map<number, LiteralNode<T>> {
  const nodes = new Map<number, LiteralNode<T>>()
  let start = 0
  while (start < entries.length) {
    const code = entries[start]?.[0].charCodeAt(from) ?? 0
    let end = start + 1
    while (end < entries.length && entries[end]?.[0].charCodeAt(from) === code) end += 1
    nodes.set(code, toNode(entries.slice(start, end), from))
    start = end
  }
  return nodes
}

function toNode<T>(entries: readonly [string, T][], from: number): LiteralNode<T> {
  const first = entries[0]?.[0] ?? ''
  const last = entries.at(-1)?.[0] ?? ''
  // Sorted, so what the first and the last share is shared by all.
  let to = from + 1
  while (to < first.length && first.charCodeAt(to) === last.charCodeAt(to)) to += 1
  const isHere = first.length === to
  return {
    label: first.slice(from, to),
    found: isHere ? entries[0]?.[1] : undefined,
    next: toNodes(isHere ? entries.slice(1) : entries, to),
  }
}

export function findLiterals<T>({ root, isBackward }: Literals<T>, value: string, visit: (found: T) => void): void {
  const { length } = value
  let node = root
  let at = 0
  while (at < length) {
    const next = node.next.get(value.charCodeAt(isBackward ? length - 1 - at : at))
    if (next === undefined || at + next.label.length > length) return
    for (let offset = 1; offset < next.label.length; offset += 1) {
      const place = isBackward ? length - 1 - at - offset : at + offset
      if (value.charCodeAt(place) !== next.label.charCodeAt(offset)) return
    }
    at += next.label.length
    node = next
    if (node.found !== undefined) visit(node.found)
  }
}
