import type { PatternFault } from './pattern.ts'
import { show } from './pattern.ts'

/**
 * The literal parts around the stars of a wildcard: `a*b` gives `a` and `b`. `\*` is a star and `\\` a backslash; any
 * other escape and two stars in a row are refused.
 */
export function parseWildcard(text: string): { segments: string[] } | PatternFault {
  const segments: string[] = []
  let segment = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '*') {
      if (text.charAt(at + 1) === '*') return fault(text, `one * at a time, got two at ${at}`)
      segments.push(segment)
      segment = ''
    } else if (character === '\\') {
      at += 1
      const escaped = text.charAt(at)
      if (escaped !== '*' && escaped !== '\\')
        return fault(text, `\\* or \\\\, got ${show(`\\${escaped}`)} at ${at - 1}`)
      segment += escaped
    } else segment += character
  }
  return { segments: [...segments, segment] }
}

const fault = (text: string, expected: string): PatternFault => ({
  code: 'pattern-operand',
  detail: `wildcard ${show(text)}: expected ${expected}`,
})

/**
 * Whether text is the segments with anything in between. Taking the first place where each fits leaves the most for those
 * after it, so that nothing is ever tried twice.
 */
export function matchesWildcard(segments: readonly string[], text: string): boolean {
  const last = segments.length - 1
  const head = segments[0] ?? ''
  if (last <= 0) return text === head
  const tail = segments[last] ?? ''
  const end = text.length - tail.length
  if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  let at = head.length
  for (let index = 1; index < last; index += 1) {
    const segment = segments[index] ?? ''
    const found = text.indexOf(segment, at)
    if (found < 0 || found + segment.length > end) return false
    at = found + segment.length
  }
  return true
}
