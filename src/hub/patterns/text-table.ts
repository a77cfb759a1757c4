import { PATTERN_LIMITS } from '../../kernel/index.ts'
import { addToHash, type Text } from './text.ts'

/**
 * Texts by their hashes. Those that a text equals, begins with or ends with are found by looking up what it is up to each length
 * that there is, in one pass over it, in memory that lies together: most lookups end at the hash.
 */
export type TextTable<T> = {
  readonly mask: number
  /** 0 where a slot is free. */
  readonly hashes: Int32Array
  readonly texts: (Uint8Array | undefined)[]
  readonly found: (T | undefined)[]
  /** By the length of a text: 1 where there is one so long. */
  readonly lengths: Uint8Array
  /** From the last byte to the first, to find what texts end with. */
  readonly isBackward: boolean
  lengthMax: number
  free: number
}

export function createTextTable<T>(texts: ReadonlyMap<string, T>, isBackward = false): TextTable<T> {
  let size = 8
  while (size < texts.size * 3) size *= 2
  const table: TextTable<T> = {
    mask: size - 1,
    hashes: new Int32Array(size),
    texts: new Array<Uint8Array | undefined>(size).fill(undefined),
    found: new Array<T | undefined>(size).fill(undefined),
    lengths: new Uint8Array(LENGTHS),
    isBackward,
    lengthMax: 0,
    free: Math.floor(size / 2),
  }
  for (const [text, found] of texts) addText(table, text, found)
  return table
}

/** Texts come out of patterns, and a code unit takes three bytes at most. */
const LENGTHS = PATTERN_LIMITS.patternCharactersMax * 3 + 1

/** False if it is full, and must be made anew. The text is not in it yet. */
export function addText<T>(table: TextTable<T>, text: string, found: T): boolean {
  const bytes = new Uint8Array(Buffer.from(text))
  if (table.free === 0 || bytes.length >= LENGTHS) return false
  let hash = 0
  for (const byte of table.isBackward ? bytes.toReversed() : bytes) hash = addToHash(hash, byte)
  let slot = slotOf(hash) & table.mask
  while (table.hashes[slot] !== 0) slot = (slot + 1) & table.mask
  table.hashes[slot] = toMark(hash)
  table.texts[slot] = bytes
  table.found[slot] = found
  table.lengths[bytes.length] = 1
  table.lengthMax = Math.max(table.lengthMax, bytes.length)
  table.free -= 1
  return true
}

const toMark = (hash: number): number => (hash === 0 ? 1 : hash)
const slotOf = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> 12

/** What equals the text. */
export function findEqual<T>(table: TextTable<T>, text: Text): T | undefined {
  const length = text.end - text.start
  if (length > table.lengthMax || table.lengths[length] !== 1) return undefined
  return find(table, text, text.hash, length)
}

/** What the text begins with, or ends with where the table is backward. Never the empty text. */
export function findBeginnings<T>(table: TextTable<T>, text: Text, visit: (found: T) => void): void {
  const { lengths, isBackward } = table
  const { bytes, start, end } = text
  const longest = Math.min(end - start, table.lengthMax)
  let place = isBackward ? end - 1 : start
  const step = isBackward ? -1 : 1
  let hash = 0
  for (let length = 1; length <= longest; length += 1) {
    hash = addToHash(hash, bytes[place] ?? 0)
    place += step
    if (lengths[length] !== 1) continue
    const found = find(table, text, hash, length)
    if (found !== undefined) visit(found)
  }
}

function find<T>(table: TextTable<T>, text: Text, hash: number, length: number): T | undefined {
  const { mask, hashes } = table
  const mark = toMark(hash)
  for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
    const there = hashes[slot]
    if (there === 0) return undefined
    if (there === mark && isThere(table, slot, text, length)) return table.found[slot]
  }
}

function isThere<T>({ texts, isBackward }: TextTable<T>, slot: number, text: Text, length: number): boolean {
  const expected = texts[slot]
  if (expected === undefined || expected.length !== length) return false
  const start = isBackward ? text.end - length : text.start
  for (let at = 0; at < length; at += 1) if (expected[at] !== text.bytes[start + at]) return false
  return true
}
