/** Bytes of JSON that nobody asks for: checked by its grammar (RFC 8259), kept nowhere. Every function gives where it ended, or -1. */

/** What a byte means inside of a string: 0 is text, 1 ends it, 2 escapes, 3 may not be there. */
const IN_STRING = new Uint8Array(256)
IN_STRING.fill(3, 0, 0x20)
IN_STRING[0x22] = 1
IN_STRING[0x5c] = 2

const IS_SPACE = new Uint8Array(256)
for (const space of [0x20, 0x09, 0x0a, 0x0d]) IS_SPACE[space] = 1

/** After a backslash: the characters of RFC 8259, 7, `u` apart. */
const IS_ESCAPED = new Uint8Array(256)
for (const character of '"\\/bfnrt') IS_ESCAPED[character.charCodeAt(0)] = 1

export function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  while (IS_SPACE[bytes[at] ?? 0] === 1) at += 1
  return at
}

/** From behind the opening quote to behind the closing one. */
export function skipString(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  let at = start
  while (at < length) {
    const meaning = IN_STRING[bytes[at] ?? 0]
    if (meaning === 0) at += 1
    else if (meaning === 1) return at + 1
    else if (meaning === 3) return -1
    else {
      at = skipEscape(bytes, at)
      if (at < 0) return -1
    }
  }
  return -1
}

/** From the backslash to behind what it escapes. */
export function skipEscape(bytes: Uint8Array, at: number): number {
  const escaped = bytes[at + 1] ?? 0
  if (IS_ESCAPED[escaped] === 1) return at + 2
  if (escaped !== 0x75) return -1
  for (let digit = at + 2; digit < at + 6; digit += 1) if (!isHexadecimal(bytes[digit] ?? 0)) return -1
  return at + 6
}

const isHexadecimal = (byte: number): boolean => {
  const letter = byte | 0x20
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66)
}

/** RFC 8259, 6. */
export function skipNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === 0x2d ? start + 1 : start
  if (bytes[at] === 0x30) at += 1
  else {
    at = skipDigits(bytes, at)
    if (at < 0) return -1
  }
  if (bytes[at] === 0x2e) {
    at = skipDigits(bytes, at + 1)
    if (at < 0) return -1
  }
  if (((bytes[at] ?? 0) | 0x20) !== 0x65) return at
  const sign = bytes[at + 1]
  return skipDigits(bytes, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
}

/** At least one. */
function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start
  while (((bytes[at] ?? 0) ^ 0x30) < 10) at += 1
  return at > start ? at : -1
}

const WORDS: Readonly<Record<number, Uint8Array>> = Object.fromEntries(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), new Uint8Array(Buffer.from(word))]),
)

export function skipWord(bytes: Uint8Array, start: number): number {
  const word = WORDS[bytes[start] ?? 0]
  if (!word) return -1
  for (let at = 0; at < word.length; at += 1) if (bytes[start + at] !== word[at]) return -1
  return start + word.length
}

function skipScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0
  if (byte === 0x22) return skipString(bytes, at + 1)
  return byte === 0x2d || (byte ^ 0x30) < 10 ? skipNumber(bytes, at) : skipWord(bytes, at)
}

/** Any value, however deep: what is open is kept as one byte each, so that depth costs no stack. */
export function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first !== 0x7b && first !== 0x5b) return skipScalar(bytes, start)
  const open: number[] = []
  let at = start
  for (;;) {
    const byte = bytes[at]
    if (byte === 0x7b || byte === 0x5b) {
      at = skipSpace(bytes, at + 1)
      // Open and close differ by two in both pairs.
      if (bytes[at] !== byte + 2) {
        open.push(byte)
        if (byte === 0x7b) at = skipKey(bytes, at)
        if (at < 0) return -1
        continue
      }
      at += 1
    } else {
      at = skipScalar(bytes, at)
      if (at < 0) return -1
    }
    at = skipClosed(bytes, at, open)
    if (at < 0 || open.length === 0) return at
  }
}

/** Behind a value: past everything that ends there, to where the next one begins, if there is one. */
function skipClosed(bytes: Uint8Array, start: number, open: number[]): number {
  let at = start
  for (let inside = open.at(-1); inside !== undefined; inside = open.at(-1)) {
    at = skipSpace(bytes, at)
    const byte = bytes[at]
    if (byte === 0x2c) {
      at = skipSpace(bytes, at + 1)
      return inside === 0x7b ? skipKey(bytes, at) : at
    }
    if (byte !== inside + 2) return -1
    open.pop()
    at += 1
  }
  return at
}

/** A key, its colon, and space: to where its value begins. */
function skipKey(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== 0x22) return -1
  const end = skipString(bytes, start + 1)
  return end < 0 ? -1 : skipColon(bytes, end)
}

export function skipColon(bytes: Uint8Array, start: number): number {
  const at = skipSpace(bytes, start)
  return bytes[at] === 0x3a ? skipSpace(bytes, at + 1) : -1
}
