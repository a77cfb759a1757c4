import { listMembers } from './lists.ts'
import { isToken } from './syntax.ts'

/** What `Cache-Control` or a field targeted at this cache says, whichever syntax it came in. */
export type CacheDirectives = {
  /** By lower-case name. */
  has(name: string): boolean
  /**
   * Delta-seconds (RFC 9111, 1.2.2), at most 2^31. `null`: the directive is absent, or it is `max-stale` without a value
   * (then `has` is true: any staleness). `'invalid'`: no number, a negative one, or several that disagree; a caller takes
   * the strictest meaning (4.2.1: stale).
   */
  seconds(name: string): number | null | 'invalid'
  /**
   * The lower-case names of `no-cache="..."` and `private="..."`; empty means unqualified, the whole response. An
   * argument that cannot be read counts as none, which forbids more. `null`: the directive is absent.
   */
  fieldNames(name: string): readonly string[] | null
}

/** One directive as both questions above would have it. */
export type Directive = {
  readonly seconds: number | null | 'invalid'
  readonly fieldNames: readonly string[]
}

/** RFC 9111, 1.2.2: what overflows is taken for this, some 68 years. */
const SECONDS_MAX = 2 ** 31
const DIGITS = /^[0-9]+$/
const UNQUALIFIED: readonly string[] = []

/** RFC 9111, 5.2.1.2: the one directive whose seconds may be left out. */
const SECONDS_OPTIONAL = 'max-stale'

export function createCacheDirectives(directives: ReadonlyMap<string, Directive>): CacheDirectives {
  return {
    has(name) {
      return directives.has(name)
    },
    seconds(name) {
      return directives.get(name)?.seconds ?? null
    },
    fieldNames(name) {
      return directives.get(name)?.fieldNames ?? null
    },
  }
}

export const NO_DIRECTIVES: CacheDirectives = createCacheDirectives(new Map())

/** A directive without an argument. */
export function toBareDirective(name: string): Directive {
  return { seconds: name === SECONDS_OPTIONAL ? null : 'invalid', fieldNames: UNQUALIFIED }
}

/** A directive whose argument breaks the syntax: it is there, and says no more than that. */
export const MALFORMED_DIRECTIVE: Directive = { seconds: 'invalid', fieldNames: UNQUALIFIED }

/** RFC 9111, 1.2.2. */
export function parseDeltaSeconds(text: string): number | 'invalid' {
  return DIGITS.test(text) ? Math.min(Number(text), SECONDS_MAX) : 'invalid'
}

/** The argument of a qualified `no-cache` or `private` (RFC 9111, 5.2.2.4 and 5.2.2.7); unqualified when a name is none. */
export function parseFieldNames(text: string): readonly string[] {
  const names = listMembers(text)
  return names.every(isToken) ? names.map((name) => name.toLowerCase()) : UNQUALIFIED
}

/** The same directive twice: numbers that disagree are invalid (RFC 9111, 4.2.1), field names add up, unqualified wins. */
export function mergeDirectives(first: Directive, second: Directive): Directive {
  const qualified = first.fieldNames.length > 0 && second.fieldNames.length > 0
  return {
    seconds: first.seconds === second.seconds ? first.seconds : 'invalid',
    fieldNames: qualified ? [...new Set([...first.fieldNames, ...second.fieldNames])] : UNQUALIFIED,
  }
}
