/** `Range` of bytes (RFC 9110, 14.1.2 and 14.2). */
import { trimOws } from './syntax.ts'

/** `end` exclusive. */
export type ByteRange = { readonly start: number; readonly end: number }

export type RangeRequest =
  /** Answer as if there were no `Range`. */
  | { readonly kind: 'ignore' }
  /** 416, with `toUnsatisfiedRange` (RFC 9110, 15.5.17). */
  | { readonly kind: 'unsatisfiable' }
  /** At least one; not empty, apart from each other, in the order in which they were asked for. */
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }

/** Room for one range of the largest positions, and for generous spaces. */
const CHARS_PER_RANGE_MAX = 64

const IGNORE: RangeRequest = { kind: 'ignore' }
const UNSATISFIABLE: RangeRequest = { kind: 'unsatisfiable' }
/** Unit names have no case (RFC 9110, 14.1). */
const SPECIFIER = /^bytes=(.*)$/i
const SPEC = /^(?:([0-9]+)-([0-9]*)|-([0-9]+))$/

/**
 * What to send of `sizeBytes` bytes. The caller has looked at method, preconditions and `If-Range` before. More than
 * `rangesMax`, which is more than a player or a download asks for at once, are ignored (RFC 9110, 14.2 and 17.15).
 */
export function parseRanges(value: string | null, sizeBytes: number, rangesMax: number): RangeRequest {
  if (value === null || value.length > rangesMax * CHARS_PER_RANGE_MAX) return IGNORE
  const set = SPECIFIER.exec(value)?.[1]
  if (set === undefined) return IGNORE
  const specs = set.includes(',') ? set.split(',').map(trimOws).filter(isNotEmpty) : [trimOws(set)]
  if (specs.length === 0 || specs.length > rangesMax) return IGNORE
  const ranges: ByteRange[] = []
  for (const spec of specs) {
    const range = parseSpec(spec, sizeBytes)
    // One invalid spec makes the whole set invalid (RFC 9110, 14.1.1).
    if (range === null) return IGNORE
    if (range.start < range.end) ranges.push(range)
    // The last bytes of nothing are satisfiable (14.1.2), but no Content-Range can say so: the whole, which is empty, does.
    else if (sizeBytes === 0 && range.end === 0) return IGNORE
  }
  return ranges.length === 0 ? UNSATISFIABLE : { kind: 'ranges', ranges: coalesce(ranges) }
}

function isNotEmpty(text: string): boolean {
  return text !== ''
}

const BEYOND_END: ByteRange = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY }

/** Null when invalid; empty when it cannot be satisfied. Positions of any length are valid: the last one is cut to the size. */
function parseSpec(spec: string, sizeBytes: number): ByteRange | null {
  const match = SPEC.exec(spec)
  if (match === null) return null
  const [, first, last, suffix] = match
  if (suffix !== undefined) {
    const lengthBytes = Number(suffix)
    return lengthBytes === 0 ? BEYOND_END : { start: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes }
  }
  const start = Number(first)
  const final = last === '' || last === undefined ? Number.POSITIVE_INFINITY : Number(last)
  if (final < start) return null
  return start >= sizeBytes ? BEYOND_END : { start, end: Math.min(final + 1, sizeBytes) }
}

/**
 * Overlapping and adjacent ones become one (RFC 9110, 15.3.7.2), so that no byte is sent twice; each stands where the first of
 * those it is made of was asked for. At most `edgeRangesMax`, hence the plain loops.
 */
function coalesce(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const apart: ByteRange[] = []
  for (const range of ranges) {
    const touching = apart.filter((other) => other.start <= range.end && range.start <= other.end)
    const [first] = touching
    if (first === undefined) {
      apart.push(range)
      continue
    }
    const all = [...touching, range]
    const joined = { start: Math.min(...all.map(({ start }) => start)), end: Math.max(...all.map(({ end }) => end)) }
    apart[apart.indexOf(first)] = joined
    for (const other of touching.slice(1)) apart.splice(apart.indexOf(other), 1)
  }
  return apart
}
