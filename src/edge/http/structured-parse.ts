/** Structured fields parsed (RFC 9651, 4.2): strict as the algorithms there, so what one recipient refuses all refuse. */
import { type Cursor, parseBareItem } from './structured-bare.ts'
import type { BareItem, Dictionary, InnerList, Item, Member, Parameters } from './structured-types.ts'
import { isOws } from './syntax.ts'

const KEY = /[a-z*][a-z0-9_\-.*]*/y
const SPACE = 32

const TRUE: BareItem = { type: 'boolean', value: true }
const NO_PARAMETERS: Parameters = new Map()

/** An Item, or null when the text is none (RFC 9651, 4.2.3). Never throws. */
export function parseItem(text: string): Item | null {
  return parseWhole(text, takeItem)
}

/** The members of a List; none for an empty field (RFC 9651, 4.2.1). */
export function parseList(text: string): readonly Member[] | null {
  return parseWhole(text, takeList)
}

/** A Dictionary; of several members with one key the last counts, at the place of the first (RFC 9651, 4.2.2). */
export function parseDictionary(text: string): Dictionary | null {
  return parseWhole(text, takeDictionary)
}

/** RFC 9651, 4.2: spaces around, and nothing after. */
function parseWhole<T>(text: string, take: (cursor: Cursor) => T | null): T | null {
  const cursor: Cursor = { text, at: 0 }
  skipSpaces(cursor)
  const value = take(cursor)
  if (value === null) return null
  skipSpaces(cursor)
  return cursor.at === text.length ? value : null
}

function takeList(cursor: Cursor): readonly Member[] | null {
  const members: Member[] = []
  const taken = takeMembers(cursor, () => {
    const member = takeMember(cursor)
    if (member !== null) members.push(member)
    return member !== null
  })
  return taken ? members : null
}

function takeDictionary(cursor: Cursor): Dictionary | null {
  const members = new Map<string, Member>()
  const taken = takeMembers(cursor, () => {
    const key = takeKey(cursor)
    if (key === null) return false
    const member = skip(cursor, '=') ? takeMember(cursor) : takeTrue(cursor)
    if (member !== null) members.set(key, member)
    return member !== null
  })
  return taken ? members : null
}

/** What lists and dictionaries have in common: commas between, whitespace around them, none at the end. */
function takeMembers(cursor: Cursor, takeOne: () => boolean): boolean {
  if (cursor.at === cursor.text.length) return true
  for (;;) {
    if (!takeOne()) return false
    skipOws(cursor)
    if (cursor.at === cursor.text.length) return true
    if (!skip(cursor, ',')) return false
    skipOws(cursor)
    if (cursor.at === cursor.text.length) return false
  }
}

/** RFC 9651, 4.2.1.1. */
function takeMember(cursor: Cursor): Member | null {
  return skip(cursor, '(') ? takeInnerList(cursor) : takeItem(cursor)
}

/** A dictionary's member without "=" is true, and may have parameters. */
function takeTrue(cursor: Cursor): Item | null {
  const parameters = takeParameters(cursor)
  return parameters === null ? null : { kind: 'item', bare: TRUE, parameters }
}

/** RFC 9651, 4.2.1.2, after its "(". */
function takeInnerList(cursor: Cursor): InnerList | null {
  const items: Item[] = []
  for (;;) {
    skipSpaces(cursor)
    if (skip(cursor, ')')) {
      const parameters = takeParameters(cursor)
      return parameters === null ? null : { kind: 'inner-list', items, parameters }
    }
    const item = takeItem(cursor)
    if (item === null) return null
    items.push(item)
    const next = cursor.text[cursor.at]
    if (next !== ' ' && next !== ')') return null
  }
}

function takeItem(cursor: Cursor): Item | null {
  const bare = parseBareItem(cursor)
  if (bare === null) return null
  const parameters = takeParameters(cursor)
  return parameters === null ? null : { kind: 'item', bare, parameters }
}

/** RFC 9651, 4.2.3.2. */
function takeParameters(cursor: Cursor): Parameters | null {
  if (cursor.text[cursor.at] !== ';') return NO_PARAMETERS
  const parameters = new Map<string, BareItem>()
  while (skip(cursor, ';')) {
    skipSpaces(cursor)
    const key = takeKey(cursor)
    if (key === null) return null
    const value = skip(cursor, '=') ? parseBareItem(cursor) : TRUE
    if (value === null) return null
    parameters.set(key, value)
  }
  return parameters
}

/** RFC 9651, 4.2.3.3. */
function takeKey(cursor: Cursor): string | null {
  KEY.lastIndex = cursor.at
  const match = KEY.exec(cursor.text)
  if (match === null) return null
  cursor.at = KEY.lastIndex
  return match[0]
}

function skip(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false
  cursor.at += 1
  return true
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.text.charCodeAt(cursor.at) === SPACE) cursor.at += 1
}

function skipOws(cursor: Cursor): void {
  while (isOws(cursor.text.charCodeAt(cursor.at))) cursor.at += 1
}
