/** Bare items of structured fields, read character by character as RFC 9651, 4.2.3.1 to 4.2.10 has it. */
import type { BareItem } from './structured-types.ts'

/** Where the parser is. Every function below either advances it past what it returns, or returns null and all is lost. */
export type Cursor = { readonly text: string; at: number }

const INTEGER_DIGITS_MAX = 15
const DECIMAL_WHOLE_DIGITS_MAX = 12
const DECIMAL_FRACTION_DIGITS_MAX = 3

// Sticky, so that each looks only at the cursor's place.
const NUMBER = /(-?)([0-9]+)(?:(\.)([0-9]*))?/y
const STRING = /"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const BYTES = /:([A-Za-z0-9+/]*)={0,2}:/y
const DISPLAY = /%"((?:[ !\x23\x24\x26-\x7e]|%[0-9a-f]{2})*)"/y

/** RFC 9651, 4.2.3.1: the first character says the type. */
export function parseBareItem(cursor: Cursor): BareItem | null {
  const first = cursor.text[cursor.at]
  if (first === undefined) return null
  return parserFor(first)?.(cursor) ?? null
}

type Parse = (cursor: Cursor) => BareItem | null

const BY_FIRST: ReadonlyMap<string, Parse> = new Map([
  ['-', parseNumber],
  ['"', parseString],
  ['*', parseToken],
  [':', parseBytes],
  ['?', parseBoolean],
  ['@', parseDate],
  ['%', parseDisplayString],
])

function parserFor(first: string): Parse | undefined {
  if (first >= '0' && first <= '9') return parseNumber
  if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) return parseToken
  return BY_FIRST.get(first)
}

/** RFC 9651, 4.2.4. */
function parseNumber(cursor: Cursor): BareItem | null {
  const match = take(cursor, NUMBER)
  if (match === null) return null
  const [text, , whole = '', point, fraction = ''] = match
  // Plus zero, as -0 is the same number and is written as 0.
  const value = Number(text) + 0
  if (point === undefined) return whole.length > INTEGER_DIGITS_MAX ? null : { type: 'integer', value }
  if (whole.length > DECIMAL_WHOLE_DIGITS_MAX) return null
  if (fraction.length === 0 || fraction.length > DECIMAL_FRACTION_DIGITS_MAX) return null
  return { type: 'decimal', value }
}

/** RFC 9651, 4.2.5. */
function parseString(cursor: Cursor): BareItem | null {
  const match = take(cursor, STRING)
  if (match === null) return null
  return { type: 'string', value: (match[1] ?? '').replace(/\\(.)/g, '$1') }
}

/** RFC 9651, 4.2.6. */
function parseToken(cursor: Cursor): BareItem | null {
  const match = take(cursor, TOKEN)
  return match === null ? null : { type: 'token', value: match[0] }
}

/** RFC 9651, 4.2.7: missing padding and padding bits that are not zero are no faults; a lone last character is. */
function parseBytes(cursor: Cursor): BareItem | null {
  const match = take(cursor, BYTES)
  const text = match?.[1]
  if (text === undefined || text.length % 4 === 1) return null
  return { type: 'bytes', value: new Uint8Array(Buffer.from(text, 'base64')) }
}

/** RFC 9651, 4.2.8. */
function parseBoolean(cursor: Cursor): BareItem | null {
  const digit = cursor.text[cursor.at + 1]
  if (digit !== '0' && digit !== '1') return null
  cursor.at += 2
  return { type: 'boolean', value: digit === '1' }
}

/** RFC 9651, 4.2.9. */
function parseDate(cursor: Cursor): BareItem | null {
  cursor.at += 1
  const number = parseNumber(cursor)
  return number?.type === 'integer' ? { type: 'date', value: number.value } : null
}

/** RFC 9651, 4.2.10: percent-encoded UTF-8, in lower-case hexadecimal only. */
function parseDisplayString(cursor: Cursor): BareItem | null {
  const match = take(cursor, DISPLAY)
  if (match === null) return null
  try {
    return { type: 'display-string', value: decodeURIComponent(match[1] ?? '') }
  } catch {
    return null // Not UTF-8.
  }
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at
  const match = pattern.exec(cursor.text)
  if (match !== null) cursor.at = pattern.lastIndex
  return match
}
