import { describeError, PATTERN_LIMITS } from '../../kernel/index.ts'
import { parseTest, RESERVED_IN_OR } from './parse-test.ts'
import { type Branch, isFault, type Pattern, type PatternFault, show, type Test } from './pattern.ts'
import { complexityOf, type WildcardTest } from './wildcard-complexity.ts'

export type PatternParsed = { readonly ok: true; readonly pattern: Pattern } | ({ readonly ok: false } & PatternFault)

/**
 * An Amazon EventBridge event pattern, from its text or from what `JSON.parse` made of it. Refuses what EventBridge refuses;
 * a code that stays the same, and a detail that says where and why. Never throws.
 */
export function parsePattern(json: unknown): PatternParsed {
  const read = readJson(json)
  if (isFault(read)) return { ok: false, ...read }
  const parsed = parseBranches(read.value)
  if (isFault(parsed)) return { ok: false, ...parsed }
  const complex = findTooComplex(parsed.branches)
  return complex === null ? { ok: true, pattern: parsed } : { ok: false, ...complex }
}

function readJson(json: unknown): { readonly value: unknown } | PatternFault {
  try {
    const text = typeof json === 'string' ? json : (JSON.stringify(json) ?? '')
    if (text.length > PATTERN_LIMITS.patternCharactersMax)
      return {
        code: 'pattern-too-long',
        detail: `expected at most ${PATTERN_LIMITS.patternCharactersMax} characters, got ${text.length}`,
      }
    return { value: typeof json === 'string' ? JSON.parse(json) : json }
  } catch (error) {
    return { code: 'pattern-not-object', detail: `expected a JSON object: ${describeError(error)}` }
  }
}

/**
 * `$or` before an array is an operator, unless the pattern makes no sense with it and does with a field of that name: what
 * was a field before there was the operator stays one, as in EventBridge.
 */
function parseBranches(json: unknown): Pattern | PatternFault {
  const parsed = compile(json, true)
  if (!isFault(parsed) || parsed.code === 'pattern-too-complex') return parsed
  const plain = compile(json, false)
  return isFault(plain) ? parsed : plain
}

/** By path. */
type Fields = ReadonlyMap<string, readonly Test[]>
type Compiling = { readonly withOr: boolean; branches: readonly Fields[] }

function compile(json: unknown, withOr: boolean): Pattern | PatternFault {
  if (!isObject(json)) return { code: 'pattern-not-object', detail: `expected a JSON object, got ${show(json)}` }
  const compiling: Compiling = { withOr, branches: [new Map()] }
  const fault = compileObject(compiling, json, [], false)
  return fault ?? { branches: compiling.branches.map(toBranch) }
}

function toBranch(fields: Fields): Branch {
  const paths = [...fields.keys()].sort()
  return paths.map((path) => ({ path, tests: fields.get(path) ?? [] }))
}

function compileObject(
  compiling: Compiling,
  json: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  isInOr: boolean,
): PatternFault | null {
  const entries = Object.entries(json)
  if (entries.length === 0) return at(keys, 'pattern-empty', 'expected at least one field, got {}')
  for (const [key, value] of entries) {
    const fault = compileField(compiling, [...keys, key], value, isInOr)
    if (fault) return fault
  }
  return null
}

function compileField(
  compiling: Compiling,
  keys: readonly string[],
  json: unknown,
  isInOr: boolean,
): PatternFault | null {
  const key = keys.at(-1) ?? ''
  if (key === '$or' && compiling.withOr) return compileOr(compiling, json, keys.slice(0, -1))
  if (isInOr && RESERVED_IN_OR.has(key)) return at(keys, 'pattern-or', 'expected a field in $or, got an operator')
  if (isObject(json)) return compileObject(compiling, json, keys, isInOr)
  if (!Array.isArray(json)) return at(keys, 'pattern-field', `expected an object or an array, got ${show(json)}`)
  if (json.length === 0) return at(keys, 'pattern-empty', 'expected at least one value, got []')
  const tests: Test[] = []
  for (const each of json) {
    const parsed = parseTest(each)
    if (isFault(parsed)) return at(keys, parsed.code, parsed.detail)
    tests.push(...parsed)
  }
  // Of what is said twice of a path, inside and outside of $or, the last counts.
  compiling.branches = compiling.branches.map((fields) => new Map(fields).set(keys.join('.'), tests))
  return null
}

/** Each of its objects makes branches of its own out of all that there were. */
function compileOr(compiling: Compiling, json: unknown, keys: readonly string[]): PatternFault | null {
  const wrong = at(keys, 'pattern-or', `$or: expected an array of at least two objects, got ${show(json)}`)
  if (!Array.isArray(json) || json.length < 2 || !json.every(isObject)) return wrong
  const before = compiling.branches
  const after: Fields[] = []
  for (const each of json) {
    const alternative: Compiling = { withOr: true, branches: before }
    const fault = compileObject(alternative, each, keys, true)
    if (fault) return fault
    after.push(...alternative.branches)
    if (after.length > PATTERN_LIMITS.branchesMax)
      return at(keys, 'pattern-too-complex', `$or: expected at most ${PATTERN_LIMITS.branchesMax} combinations`)
  }
  compiling.branches = after
  return null
}

/**
 * Wildcards on one path are judged together if what comes before them is the same: then event-ruler has them in one machine.
 */
function findTooComplex(branches: readonly Branch[]): PatternFault | null {
  const machines = new Map<string, { readonly path: string; readonly tests: Map<string, WildcardTest> }>()
  for (const branch of branches) {
    let before = ''
    for (const { path, tests } of branch) {
      const name = `${before}${path}`
      for (const test of tests) {
        const wildcards = wildcardsOf(test)
        if (wildcards.length === 0) continue
        const machine = machines.get(name) ?? { path, tests: new Map<string, WildcardTest>() }
        machines.set(name, machine)
        machine.tests.set(JSON.stringify(test), wildcards)
      }
      before = `${name} ${JSON.stringify(tests)} `
    }
  }
  const enough = PATTERN_LIMITS.wildcardComplexityMax + 1
  for (const { path, tests } of machines.values())
    if (complexityOf([...tests.values()], enough) >= enough) return at([path], 'pattern-too-complex', TOO_COMPLEX)
  return null
}

function wildcardsOf(test: Test): WildcardTest {
  if (test.kind === 'wildcard') return [test.segments]
  return test.kind === 'anything-but' ? test.except.flatMap(wildcardsOf) : []
}

const TOO_COMPLEX =
  'expected wildcards that a value cannot be in the middle of so often at once: use fewer stars, and after one no text that repeats'

function at(keys: readonly string[], code: PatternFault['code'], detail: string): PatternFault {
  return { code, detail: keys.length === 0 ? detail : `${keys.join('.')}: ${detail}` }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
