import { type CacheDirectives, parseCacheControl } from '../../http/cache-control.ts'
import type { FieldReader } from '../../http/message.ts'
import { parseTargeted } from '../../http/targeted.ts'

export type ResponseDirectives = {
  readonly directives: CacheDirectives
  /** From CDN-Cache-Control: Cache-Control and Expires are then not looked at (RFC 9213, 2.1). */
  readonly targeted: boolean
}

/** The directives that count for this cache: the valid, non-empty targeted field, else Cache-Control (RFC 9213, 2.1 and 3.1). */
export function toResponseDirectives(fields: FieldReader): ResponseDirectives {
  const targeted = fields.get('cdn-cache-control')
  const directives = targeted === null ? null : parseTargeted(targeted)
  if (directives !== null) return { directives, targeted: true }
  return { directives: parseCacheControl(fields.get('cache-control')), targeted: false }
}

export type Withheld = {
  /** Lower-case names of fields to keep out of what is stored. */
  readonly fields: readonly string[]
  readonly isPrivate: boolean
  readonly noCache: boolean
}

/** Without one of these a response means something else: naming it is taken for the unqualified directive, the stricter reading. */
const VITAL: ReadonlySet<string> = new Set([
  'cache-control',
  'cdn-cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'location',
  'transfer-encoding',
  'vary',
])

/** no-cache and private with and without field names (RFC 9111, 5.2.2.4 and 5.2.2.7). */
export function toWithheld(directives: CacheDirectives): Withheld {
  const noCache = directives.fieldNames('no-cache')
  const privately = directives.fieldNames('private')
  if (noCache === null && privately === null) return NOTHING_WITHHELD
  return {
    fields: [...new Set([...(noCache ?? []), ...(privately ?? [])])].filter((name) => !VITAL.has(name)),
    isPrivate: isWhole(privately),
    noCache: isWhole(noCache),
  }
}

const NOTHING_WITHHELD: Withheld = { fields: [], isPrivate: false, noCache: false }

function isWhole(names: readonly string[] | null): boolean {
  return names !== null && (names.length === 0 || names.some((name) => VITAL.has(name)))
}

/** Milliseconds of a directive; null when absent, `ifInvalid` when it is there without a readable number. */
export function directiveMs(directives: CacheDirectives, name: string, ifInvalid: number): number | null {
  if (!directives.has(name)) return null
  const seconds = directives.seconds(name)
  return typeof seconds === 'number' ? seconds * 1_000 : ifInvalid
}
