import { MEMO_LIMITS } from '../../kernel/index.ts'
import {
  type CacheDirectives,
  createCacheDirectives,
  type Directive,
  MALFORMED_DIRECTIVE,
  parseDeltaSeconds,
  parseFieldNames,
  toBareDirective,
} from './cache-directives.ts'
import { type Member, parseDictionary } from './structured-fields.ts'
import { createTextMemo } from './text-memo.ts'

/**
 * A field targeted at this cache, such as `CDN-Cache-Control` (RFC 9213, 2.1): a Dictionary of structured fields. `null`
 * when it is absent, empty or does not parse, and then `Cache-Control` counts; when it is not null, `Cache-Control` and
 * `Expires` are to be ignored (2.2), even if no directive in it is known.
 */
export function parseTargeted(value: string | null): CacheDirectives | null {
  return value === null || value === '' ? null : parseRemembered(value)
}

// A pure function's memory, as in cache-control.ts.
const parseRemembered = createTextMemo(parse, {
  entriesMax: MEMO_LIMITS.targetedEntriesMax,
  charsMax: MEMO_LIMITS.fieldCharsMax,
})

function parse(value: string): CacheDirectives | null {
  const dictionary = parseDictionary(value)
  if (dictionary === null || dictionary.size === 0) return null
  const directives = new Map<string, Directive>()
  for (const [name, member] of dictionary) {
    const directive = toDirective(name, member)
    if (directive !== null) directives.set(name, directive)
  }
  return createCacheDirectives(directives)
}

/** Values are mapped by type and never coerced (RFC 9213, 2.1): seconds are an Integer, field names a String. */
function toDirective(name: string, member: Member): Directive | null {
  if (member.kind === 'inner-list') return MALFORMED_DIRECTIVE
  const { bare } = member
  switch (bare.type) {
    case 'boolean':
      // False is no value a directive can have; read as "not", which is the only thing it can mean.
      return bare.value ? toBareDirective(name) : null
    case 'integer':
      return { ...MALFORMED_DIRECTIVE, seconds: parseDeltaSeconds(String(bare.value)) }
    case 'string':
    case 'token':
      return { ...MALFORMED_DIRECTIVE, fieldNames: parseFieldNames(bare.value) }
    default:
      return MALFORMED_DIRECTIVE
  }
}
