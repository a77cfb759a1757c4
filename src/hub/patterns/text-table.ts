import { addToHash, slotOf, slotsFor, toMark } from './hash.ts'
import type { Text } from './text.ts'

/** Texts by their hashes, in memory that lies together: most searches end without a look at any of them. */
export type TextTable<T> = {
  readonly mask: number
  readonly hashes: Int32Array
  readonly texts: (Uint8Array | undefined)[]
  readonly found: (T | undefined)[]
  /** By the length of a text: 1 where there is one so long. */
  readonly lengths: Uint8Array
  /** The same in UTF-16 code units, as strings count. */
  readonly stringLengths: Uint8Array
  free: number
}

export function createTextTable<T>(texts: ReadonlyMap<string, T>): TextTable<T> {
  let longest = 0
  for (const text of texts.keys()) longest = Math.max(longest, Buffer.byteLength(text))
  const table = createTable<T>(texts.size, longest)
  for (const [text, found] of texts) addText(table, text, found)
  return table
}

function createTable<T>(size: number, longest: number): TextTable<T> {
  const slots = slotsFor(size)
  return {
    mask: slots - 1,
    hashes: new Int32Array(slots),
    texts: new Array<Uint8Array | undefined>(slots).fill(undefined),
    found: new Array<T | undefined>(slots).fill(undefined),
    lengths: new Uint8Array(longest + 1),
    stringLengths: new Uint8Array(longest + 1),
    free: Math.floor(slots / 2),
  }
}

/** False if it is full or has no place for so long a one, and must be made anew. The text is not in it yet. */
export function addText<T>(table: TextTable<T>, text: string, found: T): boolean {
  if (!add(table, new Uint8Array(Buffer.from(text)), found)) return false
  table.stringLengths[text.length] = 1
  return true
}

function add<T>(table: TextTable<T>, bytes: Uint8Array, found: T): boolean {
  if (table.free === 0 || bytes.length >= table.lengths.length) return false
  const hash = hashOf(bytes, 0, bytes.length)
  let slot = slotOf(hash) & table.mask
  while (table.hashes[slot] !== 0) slot = (slot + 1) & table.mask
  table.hashes[slot] = toMark(hash)
  table.texts[slot] = bytes
  table.found[slot] = found
  table.lengths[bytes.length] = 1
  table.free -= 1
  return true
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let at = start; at < end; at += 1) hash = addToHash(hash, bytes[at] ?? 0)
  return hash
}

/** What equals the text. */
export function findEqual<T>(table: TextTable<T>, { bytes, start, end }: Text): T | undefined {
  const length = end - start
  if (length >= table.lengths.length || table.lengths[length] !== 1) return undefined
  return find(table, hashOf(bytes, start, end), { bytes, start, step: 1 }, length)
}

/** Before a string is read as a text: whether it may, in the case in which cases are compared, equal any of them. */
export function mayEqualFolded<T>({ lengths, hashes, mask }: TextTable<T>, value: string): boolean {
  const { length } = value
  let hash = 0
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at)
    if (code >= 0x80) return true
    hash = addToHash(hash, code >= 0x61 && code <= 0x7a ? code - 0x20 : code)
  }
  return length < lengths.length && lengths[length] === 1 && hasMark(hashes, mask, hash)
}

/** The same as it is written. */
export function mayEqual<T>({ stringLengths, hashes, mask }: TextTable<T>, value: string): boolean {
  const { length } = value
  if (length >= stringLengths.length || stringLengths[length] !== 1) return false
  let hash = 0
  for (let at = 0; at < length; at += 1) {
    const code = value.charCodeAt(at)
    if (code >= 0x80) return true
    hash = addToHash(hash, code)
  }
  return hasMark(hashes, mask, hash)
}

/** Where a text is read from, forward or backward. */
type Reading = { readonly bytes: Uint8Array; readonly start: number; readonly step: 1 | -1 }

function find<T>(table: TextTable<T>, hash: number, reading: Reading, length: number): T | undefined {
  const { mask, hashes } = table
  const mark = toMark(hash)
  for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
    const there = hashes[slot]
    if (there === 0) return undefined
    if (there === mark && isThere(table.texts[slot], reading, length)) return table.found[slot]
  }
}

function isThere(expected: Uint8Array | undefined, { bytes, start, step }: Reading, length: number): boolean {
  if (expected === undefined || expected.length !== length) return false
  for (let at = 0; at < length; at += 1) if (expected[at] !== bytes[start + at * step]) return false
  return true
}

/**
 * Texts that others begin with, or end with: a text is looked up as far as each length that there is, in one pass. As much of
 * them as the shortest is long, their heads, is looked up first: a text with none of the heads has none of them.
 */
export type AffixTable<T> = {
  readonly table: TextTable<T>
  readonly isBackward: boolean
  readonly heads: Int32Array
  readonly headLength: number
}

/** Backward, the texts are those that others end with, and lie in the table turned round. None is empty. */
export function createAffixTable<T>(affixes: ReadonlyMap<string, T>, isBackward: boolean): AffixTable<T> {
  const texts = [...affixes].map(([text, found]) => ({ bytes: new Uint8Array(Buffer.from(text)), found }))
  let [headLength, longest] = [Number.POSITIVE_INFINITY, 0]
  for (const { bytes } of texts) {
    headLength = Math.min(headLength, bytes.length)
    longest = Math.max(longest, bytes.length)
  }
  const table = createTable<T>(affixes.size, longest)
  const heads = new Int32Array(slotsFor(affixes.size))
  for (const { bytes, found } of texts) {
    if (isBackward) bytes.reverse()
    add(table, bytes, found)
    addHead(heads, hashOf(bytes, 0, headLength))
  }
  return { table, isBackward, heads, headLength }
}

function addHead(heads: Int32Array, hash: number): void {
  const mask = heads.length - 1
  let slot = slotOf(hash) & mask
  while (heads[slot] !== 0 && heads[slot] !== toMark(hash)) slot = (slot + 1) & mask
  heads[slot] = toMark(hash)
}

function hasMark(marks: Int32Array, mask: number, hash: number): boolean {
  const mark = toMark(hash)
  for (let slot = slotOf(hash) & mask; ; slot = (slot + 1) & mask) {
    if (marks[slot] === mark) return true
    if (marks[slot] === 0) return false
  }
}

/** Before a string is read as a text: whether it may have any of them. */
export function mayHaveAffix<T>({ heads, headLength, isBackward }: AffixTable<T>, value: string): boolean {
  const { length } = value
  let hash = 0
  for (let at = 0; at < headLength && at < length; at += 1) {
    const code = value.charCodeAt(isBackward ? length - 1 - at : at)
    if (code >= 0x80) return true
    hash = addToHash(hash, code)
  }
  return length >= headLength && hasMark(heads, heads.length - 1, hash)
}

export function findAffixes<T>(affixes: AffixTable<T>, { bytes, start, end }: Text, visit: (found: T) => void): void {
  const { table, isBackward, heads, headLength } = affixes
  const longest = Math.min(end - start, table.lengths.length - 1)
  if (longest < headLength) return
  const step = isBackward ? -1 : 1
  const first = isBackward ? end - 1 : start
  let hash = 0
  for (let at = 0; at < headLength; at += 1) hash = addToHash(hash, bytes[first + at * step] ?? 0)
  if (!hasMark(heads, heads.length - 1, hash)) return
  const reading: Reading = { bytes, start: first, step }
  for (let length = headLength; ; length += 1) {
    if (table.lengths[length] === 1) {
      const found = find(table, hash, reading, length)
      if (found !== undefined) visit(found)
    }
    if (length === longest) return
    hash = addToHash(hash, bytes[first + length * step] ?? 0)
  }
}
