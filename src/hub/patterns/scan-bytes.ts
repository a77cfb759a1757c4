import { PATTERN_LIMITS } from '../../kernel/index.ts'
import type { PathNode } from './automaton.ts'
import { addToHash } from './hash.ts'
import { skipColon, skipEscape, skipNumber, skipSpace, skipString, skipValue, skipWord } from './json-skip.ts'
import { addElement, addLeaf, addText, type Leaves } from './leaves.ts'
import { findChild, followParts, KEYS_REMEMBERED, tableOf } from './paths.ts'
import type { Scalar } from './pattern.ts'

/**
 * Collects the leaves of an event straight from its bytes: one pass, following only keys that rules ask for; of the rest only the
 * grammar is checked.
 */
export type Scan = {
  readonly root: PathNode
  readonly leaves: Leaves
  bytes: Uint8Array
  /** Where the key that was scanned last leads. */
  child: PathNode | undefined
  /** A key that rules ask for is in an object twice, of which the last counts: whoever scans must parse instead. */
  isAmbiguous: boolean
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function createScan(root: PathNode, leaves: Leaves): Scan {
  return { root, leaves, bytes: leaves.bytes, child: undefined, isAmbiguous: false }
}

/** False if they are no JSON object, deeper than events may be, or ambiguous. Bytes that nobody asks for may be wrong UTF-8. */
export function scanBytes(scan: Scan, bytes: Uint8Array): boolean {
  scan.bytes = bytes
  scan.leaves.bytes = bytes
  scan.isAmbiguous = false
  const start = skipSpace(bytes, 0)
  if (bytes[start] !== 0x7b) return false
  const end = scanObject(scan, scan.root, start, 0, 1)
  return end >= 0 && skipSpace(bytes, end) === bytes.length
}

/** What a byte means in a key: as in any string, and 4 for a dot. */
const IN_KEY = new Uint8Array(256)
IN_KEY.fill(3, 0, 0x20)
IN_KEY[0x22] = 1
IN_KEY[0x5c] = 2
IN_KEY[0x2e] = 4

function scanObject(scan: Scan, node: PathNode, start: number, element: number, depth: number): number {
  const { bytes, leaves } = scan
  if (depth > PATTERN_LIMITS.eventDepthMax) return -1
  if (node.children.size === 0) return skipValue(bytes, start)
  leaves.objectsSeen += 1
  const object = leaves.objectsSeen
  let at = skipSpace(bytes, start + 1)
  if (bytes[at] === 0x7d) return at + 1
  for (let place = 0; ; place += 1) {
    if (bytes[at] !== 0x22) return -1
    at = scanKey(scan, node, at + 1, place)
    if (at < 0) return -1
    const { child } = scan
    at = skipColon(bytes, at + 1)
    if (at < 0) return -1
    if (child === undefined) at = skipValue(bytes, at)
    else {
      if (child.seenIn === object) scan.isAmbiguous = true
      child.seenIn = object
      if (scan.isAmbiguous) return -1
      at = scanValue(scan, child, at, element, depth)
    }
    if (at < 0) return -1
    at = skipSpace(bytes, at)
    if (bytes[at] === 0x7d) return at + 1
    if (bytes[at] !== 0x2c) return -1
    at = skipSpace(bytes, at + 1)
  }
}

/** From behind the quote that opens a key to the one that closes it, with the child that it leads to in `scan.child`. */
function scanKey(scan: Scan, node: PathNode, start: number, place: number): number {
  const { bytes } = scan
  // Most objects at a path have the keys of the one before in the same order.
  const before = node.bytesBefore[place]
  if (before !== undefined && isThere(before, bytes, start)) {
    scan.child = node.bytesLedTo[place]
    return start + before.length - 1
  }
  let hash = 0
  let isPlain = true
  let at = start
  for (;;) {
    const byte = bytes[at] ?? 0
    const meaning = IN_KEY[byte]
    if (meaning === 1) break
    if (meaning === 3) return -1
    if (meaning !== 0) isPlain = false
    if (meaning === 2) {
      at = skipEscape(bytes, at)
      if (at < 0) return -1
      continue
    }
    hash = addToHash(hash, byte)
    at += 1
  }
  scan.child = isPlain ? findChild(tableOf(node), hash, bytes, start, at) : findOddChild(scan, node, start, at)
  if (isPlain && place < KEYS_REMEMBERED && at - start <= KEY_BYTES_REMEMBERED) {
    // A copy, whatever kind of array it is: the event's bytes may be used again.
    node.bytesBefore[place] = new Uint8Array(bytes.subarray(start, at + 1))
    node.bytesLedTo[place] = scan.child
  }
  return at
}

const KEY_BYTES_REMEMBERED = 64

/** A key and the quote behind it. */
function isThere(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < key.length; at += 1) if (key[at] !== bytes[start + at]) return false
  return true
}

/** A key with escapes or dots. One with dots may end where another one does: whether it does takes parsing to tell. */
function findOddChild(scan: Scan, node: PathNode, start: number, end: number): PathNode | undefined {
  const key = readText(scan, start, end)
  if (key === null) return undefined
  if (!key.includes('.')) return node.children.get(key)
  const child = followParts(node, key)
  if (child) scan.isAmbiguous = true
  return child
}

function scanValue(scan: Scan, node: PathNode, at: number, element: number, depth: number): number {
  const byte = scan.bytes[at]
  if (byte === 0x7b) return scanObject(scan, node, at, element, depth + 1)
  if (byte === 0x5b) return scanArray(scan, node, at, element, depth + 1)
  return node.conditions === 0 ? skipValue(scan.bytes, at) : scanScalar(scan, node, at, element)
}

function scanArray(scan: Scan, node: PathNode, start: number, element: number, depth: number): number {
  const { bytes, leaves } = scan
  if (depth > PATTERN_LIMITS.eventDepthMax) return -1
  leaves.arraysSeen += 1
  const array = leaves.arraysSeen
  let at = skipSpace(bytes, start + 1)
  if (bytes[at] === 0x5d) return at + 1
  for (;;) {
    const isScalar = bytes[at] !== 0x7b && bytes[at] !== 0x5b
    const inside = isScalar ? element : addElement(leaves, array, node, element)
    at = scanValue(scan, node, at, inside, depth)
    if (at < 0) return -1
    at = skipSpace(bytes, at)
    if (bytes[at] === 0x5d) return at + 1
    if (bytes[at] !== 0x2c) return -1
    at = skipSpace(bytes, at + 1)
  }
}

function scanScalar(scan: Scan, node: PathNode, at: number, element: number): number {
  const { bytes, leaves } = scan
  const byte = bytes[at] ?? 0
  if (byte === 0x22) return scanText(scan, node, at + 1, element)
  const isNumber = byte === 0x2d || (byte ^ 0x30) < 10
  const end = isNumber ? skipNumber(bytes, at) : skipWord(bytes, at)
  if (end >= 0) addLeaf(leaves, node, isNumber ? readNumber(bytes, at, end) : (WORD_VALUES[byte] ?? null), element)
  return end
}

/** By their first letters; the rest was looked at. */
const WORD_VALUES: Readonly<Record<number, Scalar>> = { 116: true, 102: false, 110: null }

/** What a byte means in text that somebody asks for: as in any string, and 5 if it is not ASCII. */
const IN_TEXT = IN_KEY.map((meaning, byte) => (byte >= 0x80 ? 5 : meaning === 4 ? 0 : meaning))

function scanText(scan: Scan, node: PathNode, start: number, element: number): number {
  const { bytes, leaves } = scan
  let at = start
  while (IN_TEXT[bytes[at] ?? 0] === 0) at += 1
  if (bytes[at] === 0x22) {
    addText(leaves, node, element, start, at)
    return at + 1
  }
  const end = skipString(bytes, at)
  const text = end < 0 ? null : readText(scan, start, end - 1)
  if (text === null) return -1
  addLeaf(leaves, node, text, element)
  return end
}

/** What is between the quotes; null if it is no UTF-8. */
function readText({ bytes }: Scan, start: number, end: number): string | null {
  try {
    const text = decoder.decode(bytes.subarray(start, end))
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
  } catch {
    return null
  }
}

/** Numbers of few digits, which most are, without a string in between. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d
  let value = 0
  let point = end
  for (let at = isNegative ? start + 1 : start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === 0x2e) point = at + 1
    else if ((byte ^ 0x30) < 10) value = value * 10 + (byte ^ 0x30)
    else return readLongNumber(bytes, start, end)
  }
  if (end - start > DIGITS_EXACT) return readLongNumber(bytes, start, end)
  // One division of two numbers that are exact is rounded as the text would be.
  const size = value / (POWERS[end - point] ?? 1)
  return isNegative ? -size : size
}

const readLongNumber = (bytes: Uint8Array, start: number, end: number): number =>
  Number(decoder.decode(bytes.subarray(start, end)))

/** So many digits never exceed what a double holds exactly. */
const DIGITS_EXACT = 15
const POWERS: readonly number[] = Array.from({ length: DIGITS_EXACT + 1 }, (_, exponent) => 10 ** exponent)
