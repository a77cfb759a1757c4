/** Conditional and range requests as RFC 9110, sections 13 and 14, has them; pure. */
export type RequestConditions = {
  readonly range: string | null
  readonly ifRange: string | null
  readonly ifNoneMatch: string | null
}

export type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'not-modified' }
  /** `end` exclusive. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' }

const WHOLE: Selection = { kind: 'whole' }
const SINGLE_RANGE = /^bytes=\s*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))\s*$/i

/** What to send of a representation. Several ranges at once, or a range that cannot be read, get the whole (both allowed). */
export function decideSelection(
  conditions: RequestConditions,
  representation: { readonly etag: string; readonly sizeBytes: number },
): Selection {
  const { etag, sizeBytes } = representation
  if (conditions.ifNoneMatch !== null && matchesAny(conditions.ifNoneMatch, etag)) return { kind: 'not-modified' }
  if (conditions.range === null) return WHOLE
  // Strong comparison; a date never matches, as nothing here has a modification time.
  if (conditions.ifRange !== null && conditions.ifRange.trim() !== etag) return WHOLE
  return decideRange(conditions.range, sizeBytes)
}

function decideRange(range: string, sizeBytes: number): Selection {
  const match = SINGLE_RANGE.exec(range)
  if (!match) return WHOLE
  const [, first, last, suffix] = match
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), sizeBytes)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: sizeBytes - length, end: sizeBytes }
  }
  const start = Number(first)
  const end = last === '' || last === undefined ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (last !== '' && last !== undefined && Number(last) < start) return WHOLE
  return start >= sizeBytes ? { kind: 'unsatisfiable' } : { kind: 'part', start, end }
}

/** Weak comparison, as `If-None-Match` asks for. */
function matchesAny(list: string, etag: string): boolean {
  if (list.trim() === '*') return true
  return list.split(',').some((item) => item.trim().replace(/^W\//, '') === etag)
}
