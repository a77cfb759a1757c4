/** `Content-Range` of bytes (RFC 9110, 14.4). */
import type { ByteRange } from './byte-ranges.ts'

export type ContentRange = {
  /** Null for `*`, which says of a 416 that no range was satisfied. */
  readonly range: ByteRange | null
  /** Null for `*`: not known when the answer began. */
  readonly sizeBytes: number | null
}

const CONTENT_RANGE = /^bytes (?:([0-9]{1,15})-([0-9]{1,15})|\*)\/([0-9]{1,15}|\*)$/i

/** Null for another unit and for what is invalid; such an answer must not be put together with others (RFC 9110, 14.4). */
export function parseContentRange(value: string | null): ContentRange | null {
  const match = value === null ? null : CONTENT_RANGE.exec(value)
  if (match === null) return null
  const [, first, last, size] = match
  const sizeBytes = size === undefined || size === '*' ? null : Number(size)
  if (first === undefined || last === undefined) return sizeBytes === null ? null : { range: null, sizeBytes }
  const range = { start: Number(first), end: Number(last) + 1 }
  if (range.end <= range.start) return null
  return sizeBytes !== null && range.end > sizeBytes ? null : { range, sizeBytes }
}

export function toContentRange(range: ByteRange, sizeBytes: number | null): string {
  return `bytes ${range.start}-${range.end - 1}/${sizeBytes ?? '*'}`
}

/** For a 416, which says how much there is (RFC 9110, 15.5.17). */
export function toUnsatisfiedRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`
}
