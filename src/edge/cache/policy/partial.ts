import { matchesStrong } from '../../http/etags.ts'
import type { FieldLine, ResponseHead } from '../../http/message.ts'
import { type PlacedRange, parsePlacedRange } from './placed-range.ts'
import { createFieldReader } from './stored.ts'
import { entityTagOf, isStrongTag } from './validators.ts'

/**
 * A 206's head as the head of the whole that it is a part of: what is stored beside the parts, whichever part came first.
 * Null where the part cannot be placed. The parts themselves are kept apart, by position.
 */
export function toWholeHead(partial: ResponseHead): { readonly head: ResponseHead; readonly part: PlacedRange } | null {
  const part = partial.status === 206 ? parsePlacedRange(partial.fields.get('content-range')) : null
  if (part === null) return null
  const lines: readonly FieldLine[] = [
    ...partial.lines.filter(([name]) => name !== 'content-range' && name !== 'content-length'),
    ['content-length', String(part.sizeBytes)],
  ]
  return { head: { status: 200, lines, fields: createFieldReader(lines) }, part }
}

export type Combination =
  | { readonly combine: true; readonly part: PlacedRange }
  | { readonly combine: false; readonly why: string }

/**
 * Whether a 206 adds to the parts stored under a head of `toWholeHead`: the same strong entity tag and the same size
 * (RFC 9111, 3.4; RFC 9110, 15.3.7.3). Otherwise it replaces them. A Last-Modified is not trusted with this, strong
 * or not: mixed bytes are worse than a second fetch. A 206 made for another content coding has another tag (8.8.3.3).
 */
export function decideCombine(stored: ResponseHead, partial: ResponseHead): Combination {
  const part = partial.status === 206 ? parsePlacedRange(partial.fields.get('content-range')) : null
  if (part === null) return { combine: false, why: 'no range of a known size' }
  const storedTag = entityTagOf(stored.fields)
  const tag = entityTagOf(partial.fields)
  if (!isStrongTag(storedTag) || !isStrongTag(tag)) return { combine: false, why: 'no strong entity tag' }
  if (!matchesStrong(storedTag, tag)) return { combine: false, why: 'another entity tag' }
  if (stored.fields.get('content-length')?.trim() !== String(part.sizeBytes))
    return { combine: false, why: 'another size' }
  return { combine: true, part }
}
