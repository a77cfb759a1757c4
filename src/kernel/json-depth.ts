const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Whether there are more than `depthMax` objects and arrays inside one another in a JSON text; told before it is parsed,
 * since `JSON.parse` takes seconds for millions of them and `JSON.stringify` as long to fail at tens of thousands. Of a
 * text that is no JSON it says anything.
 */
export function isJsonTextDeep(text: string, depthMax: number): boolean {
  // Each of them takes two characters: nearly all texts are too short.
  if (text.length <= 2 * depthMax) return false
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === QUOTE) at = endOfString(text, at)
    else if ((character | 0x20) === 0x7b) {
      depth += 1
      if (depth > depthMax) return true
    } else if ((character | 0x20) === 0x7d) depth -= 1
  }
  return false
}

/** The same of a value. */
export function isJsonValueDeep(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depthMax === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && isJsonValueDeep(item, depthMax - 1)) return true
    return false
  }
  const fields = value as Record<string, unknown> // any object can be looked at by name
  for (const name in fields) {
    const field = fields[name]
    if (typeof field === 'object' && isJsonValueDeep(field, depthMax - 1)) return true
  }
  return false
}

/** Where the closing quote is; the text's end when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return text.length
}
