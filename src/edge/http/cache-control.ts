import { MEMO_LIMITS } from '../../kernel/index.ts'
import {
  type CacheDirectives,
  createCacheDirectives,
  type Directive,
  MALFORMED_DIRECTIVE,
  mergeDirectives,
  NO_DIRECTIVES,
  parseDeltaSeconds,
  parseFieldNames,
  toBareDirective,
} from './cache-directives.ts'
import { listMembers } from './lists.ts'
import { isToken, parseWord, trimOws } from './syntax.ts'
import { createTextMemo } from './text-memo.ts'

export type { CacheDirectives } from './cache-directives.ts'

/**
 * `Cache-Control` of a request or a response (RFC 9111, 5.2). Names are compared without case, token and quoted-string
 * forms are the same (5.2); what cannot be read is left out and costs its neighbours nothing. Never throws.
 */
export function parseCacheControl(value: string | null): CacheDirectives {
  return value === null || value === '' ? NO_DIRECTIVES : parseRemembered(value)
}

// Shared by all in the process: it is a pure function's memory and can be told apart from none by its speed only.
const parseRemembered = createTextMemo(parse, {
  entriesMax: MEMO_LIMITS.cacheControlEntriesMax,
  charsMax: MEMO_LIMITS.fieldCharsMax,
})

function parse(value: string): CacheDirectives {
  const directives = new Map<string, Directive>()
  for (const member of listMembers(value)) addMember(directives, member)
  return createCacheDirectives(directives)
}

function addMember(directives: Map<string, Directive>, member: string): void {
  const equals = member.indexOf('=')
  // Whitespace before "=" is no valid syntax, but the directive is meant: with an argument that does not count.
  const name = trimOws(equals === -1 ? member : member.slice(0, equals)).toLowerCase()
  const argument = equals === name.length ? parseWord(member.slice(equals + 1)) : null
  const readable = isToken(name) && (equals === -1 || argument !== null)
  if (!readable && member.includes(',')) {
    // A quoted-string that does not end where its member ends quoted too much; what it hid may forbid something.
    for (const piece of member.split(',')) addMember(directives, trimOws(piece))
    return
  }
  if (!isToken(name)) return
  const directive = equals === -1 ? toBareDirective(name) : toDirective(argument)
  const earlier = directives.get(name)
  directives.set(name, earlier === undefined ? directive : mergeDirectives(earlier, directive))
}

function toDirective(argument: string | null): Directive {
  if (argument === null) return MALFORMED_DIRECTIVE
  return { seconds: parseDeltaSeconds(argument), fieldNames: parseFieldNames(argument) }
}
