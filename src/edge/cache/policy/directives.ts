import { type CacheDirectives, parseCacheControl } from '../../http/cache-control.ts'
import type { FieldReader } from '../../http/message.ts'
import { parseTargeted } from '../../http/targeted.ts'

export type ResponseDirectives = {
  readonly directives: CacheDirectives
  /** From a field of the target list: Cache-Control and Expires are then not looked at (RFC 9213, 2.1). */
  readonly targeted: boolean
}

/** This cache's own field before that of all CDNs (RFC 9213, 2.2). Ours goes no further than here. */
const TARGET_LIST = ['tentpole-cache-control', 'cdn-cache-control'] as const

/** The directives that count for this cache: the first valid, non-empty targeted field, else Cache-Control (RFC 9213, 2.1 and 3.1). */
export function toResponseDirectives(fields: FieldReader): ResponseDirectives {
  for (const name of TARGET_LIST) {
    const targeted = fields.get(name)
    const directives = targeted === null ? null : parseTargeted(targeted)
    if (directives !== null) return { directives, targeted: true }
  }
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
  'tentpole-cache-control',
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
