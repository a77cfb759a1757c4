import type { FieldReader } from '../http/index.ts'

/**
 * Fields by which a request is answered otherwise than by what is stored, whole and as long as it is fresh: its wishes to
 * the cache (RFC 9111, 5.2.1), conditions and ranges (RFC 9110, 13 and 14), and `Via`, which tells loops.
 */
const TELLING = ['range', 'if-none-match', 'if-modified-since', 'if-range', 'cache-control', 'pragma', 'via'] as const

/** `plain`: none of them is there, as with almost every request of a player; `range`: a range and nothing else. */
export type Plainness = 'plain' | 'range' | 'telling'

/** Clients that keep a connection send the same fields again and again, and the server the same reader: looked at once. */
const known = new WeakMap<FieldReader, Plainness>()

export function toPlainness(fields: FieldReader): Plainness {
  const found = known.get(fields)
  if (found !== undefined) return found
  const telling = TELLING.filter((name) => fields.get(name) !== null)
  const plainness = telling.length === 0 ? 'plain' : telling.join() === 'range' ? 'range' : 'telling'
  known.set(fields, plainness)
  return plainness
}
