import { trimOws } from './syntax.ts'

const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

const NONE: readonly string[] = []

/**
 * The members of a comma-separated list (RFC 9110, 5.6.1), without the whitespace around them; empty members do not count
 * (5.6.1.2), commas inside quoted-strings do not separate. A quote that is never closed quotes nothing: otherwise
 * one stray quote in the first line of a field would swallow what the later lines forbid.
 */
export function listMembers(value: string | null): readonly string[] {
  if (value === null || value === '') return NONE
  return split(value).filter((member) => member !== '')
}

function split(text: string): string[] {
  if (!text.includes(',')) return [trimOws(text)]
  if (!text.includes('"')) return text.split(',').map(trimOws)
  const parts: string[] = []
  let start = 0
  let quoting = true
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE && quoting) {
      const close = closingQuote(text, at + 1)
      // Once one is not closed, no later one can be, except what it escapes: not looked for again, or this would be quadratic.
      if (close === -1) quoting = false
      else at = close
    } else if (code === COMMA) {
      parts.push(trimOws(text.slice(start, at)))
      start = at + 1
    }
  }
  parts.push(trimOws(text.slice(start)))
  return parts
}

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at += 1
  }
  return -1
}
