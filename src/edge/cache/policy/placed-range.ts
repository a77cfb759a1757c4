import type { ByteRange } from '../../http/byte-ranges.ts'
import { parseContentRange } from '../../http/content-range.ts'

/** Bytes that have their place in a representation of known size; `end` exclusive. */
export type PlacedRange = ByteRange & { readonly sizeBytes: number }

/** Of a 206's Content-Range; null where the position or the size is not said or not valid: such a part cannot be kept. */
export function parsePlacedRange(contentRange: string | null): PlacedRange | null {
  const parsed = parseContentRange(contentRange)
  if (parsed === null || parsed.range === null || parsed.sizeBytes === null) return null
  return { ...parsed.range, sizeBytes: parsed.sizeBytes }
}
