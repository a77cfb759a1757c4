/** The words of RFC 9110, 5.6 that every field is made of: tokens, optional whitespace, quoted strings. */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** qdtext and quoted-pair; obs-text reaches us as Latin-1, which is how field values are decoded (RFC 9110, 5.5). */
const QUOTED = /^"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"$/

const TAB = 9
const SPACE = 32

/** RFC 9110, 5.6.2. */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Without the spaces and tabs at both ends (RFC 9110, 5.6.3); `trim` would also take no-break spaces, which are content. */
export function trimOws(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isOws(text.charCodeAt(start))) start += 1
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

export function isOws(code: number): boolean {
  return code === SPACE || code === TAB
}

/** What a token or a quoted-string says (RFC 9110, 5.6.4); null for anything else. */
export function parseWord(text: string): string | null {
  if (TOKEN.test(text)) return text
  if (!QUOTED.test(text)) return null
  const inner = text.slice(1, -1)
  return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner
}
