import { parseHttpDate } from '../../http/dates.ts'
import { parseEntityTag } from '../../http/etags.ts'
import type { FieldLine, FieldReader } from '../../http/message.ts'

/** A response's entity tag; null when there is none or it is no valid one, which then identifies nothing. */
export function entityTagOf(fields: FieldReader): string | null {
  const tag = fields.get('etag')?.trim()
  return tag !== undefined && parseEntityTag(tag) !== null ? tag : null
}

export function isStrongTag(tag: string | null): tag is string {
  return tag?.startsWith('"') ?? false
}

/** A response's Last-Modified as it came; null when there is none or it is no date. */
export function lastModifiedOf(fields: FieldReader): string | null {
  const value = fields.get('last-modified')?.trim()
  return value !== undefined && parseHttpDate(value) !== null ? value : null
}

/**
 * Whether a cache may take its Last-Modified for strong: its Date is at least a second later, so that a second change
 * within the same second would have been seen (RFC 9110, 8.8.2.2).
 */
export function hasStrongDate(fields: FieldReader): boolean {
  const lastModified = lastModifiedOf(fields)
  const modifiedMs = lastModified === null ? null : parseHttpDate(lastModified)
  const date = fields.get('date')
  const dateMs = date === null ? null : parseHttpDate(date)
  return modifiedMs !== null && dateMs !== null && dateMs - modifiedMs >= 1_000
}

/**
 * The preconditions that validate what is stored (RFC 9111, 4.3.1): If-None-Match with every entity tag there is, and
 * If-Modified-Since when it is one response with a date. They replace the conditions of the client's own request.
 */
export function toPreconditions(candidates: readonly { readonly fields: FieldReader }[]): FieldLine[] {
  const tags = new Set(candidates.map(({ fields }) => entityTagOf(fields)).filter((tag) => tag !== null))
  const lines: FieldLine[] = tags.size === 0 ? [] : [['if-none-match', [...tags].join(', ')]]
  const [only] = candidates
  const lastModified = candidates.length === 1 && only ? lastModifiedOf(only.fields) : null
  if (lastModified !== null) lines.push(['if-modified-since', lastModified])
  return lines
}
