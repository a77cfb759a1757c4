/** Entity tags (RFC 9110, 8.8.3) and the lists of them in `If-Match` and `If-None-Match`. */
import { isOws, trimOws } from './syntax.ts'

export type EntityTag = { readonly weak: boolean /** Without quotes. */; readonly opaque: string }

/** etagc (RFC 9110, 8.8.3): commas and backslashes are ordinary characters, spaces are none. */
const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/
const COMMA = 44

export function parseEntityTag(text: string): EntityTag | null {
  const match = ENTITY_TAG.exec(trimOws(text))
  return match === null ? null : { weak: match[1] !== undefined, opaque: match[2] ?? '' }
}

/** Both tags as they stand in the field, `"a"` or `W/"a"`; the same, and neither is weak (RFC 9110, 8.8.3.2). */
export function matchesStrong(a: string, b: string): boolean {
  const [tagA, tagB] = [parseEntityTag(a), parseEntityTag(b)]
  return tagA !== null && tagB !== null && !tagA.weak && !tagB.weak && tagA.opaque === tagB.opaque
}

/** The same but for weakness (RFC 9110, 8.8.3.2). */
export function matchesWeak(a: string, b: string): boolean {
  const [tagA, tagB] = [parseEntityTag(a), parseEntityTag(b)]
  return tagA !== null && tagB !== null && tagA.opaque === tagB.opaque
}

/**
 * The value of `If-Match` or `If-None-Match` (RFC 9110, 13.1.1 and 13.1.2): `*`, or the tags in it as they stand. What is
 * no tag is left out, and so can match nothing: a broken condition costs a transfer or a 412, never a wrong 304.
 */
export function parseEntityTags(value: string): '*' | readonly string[] {
  const text = trimOws(value)
  if (text === '*') return '*'
  const tags: string[] = []
  let at = 0
  while (at < text.length) {
    if (text.charCodeAt(at) === COMMA || isOws(text.charCodeAt(at))) {
      at += 1
      continue
    }
    const end = endOfMember(text, at)
    const member = trimOws(text.slice(at, end))
    if (ENTITY_TAG.test(member)) tags.push(member)
    at = end
  }
  return tags
}

/** The comma after a member, which is none inside the tag's quotes. */
function endOfMember(text: string, start: number): number {
  const open = text.startsWith('W/', start) ? start + 2 : start
  const close = text[open] === '"' ? text.indexOf('"', open + 1) : -1
  const comma = text.indexOf(',', close === -1 ? start : close)
  return comma === -1 ? text.length : comma
}
