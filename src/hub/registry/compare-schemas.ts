import { isDeepStrictEqual } from 'node:util'
import { Fault } from '../../kernel/index.ts'
import { findTightenedBounds } from './compare-bounds.ts'
import { compareObjects } from './compare-objects.ts'
import type { CompareParts, ComparisonPlace, Incompatibility } from './incompatibility.ts'
import { type Alternative, isSchema, type JsonSchema, toAlternatives } from './schema-alternatives.ts'

/** Schemas that are unions of unions could otherwise keep it busy for ever. */
const COMPARISONS_MAX = 100_000
/** Schemas inside one another; no event is as deep. */
const DEPTH_MAX = 500

/**
 * Whether events by the schema `after` can be read by whoever knows `before`, and those on the log by whoever knows
 * `after`: new optional fields and new values of an enum are compatible; a field that goes, changes its type, becomes
 * required or optional, or a bound that becomes tighter, is not. What it cannot judge counts as incompatible when it
 * differs. Descriptions and the like do not count. Pure. Fault `schema-unreadable`.
 */
export function compareSchemas(before: JsonSchema, after: JsonSchema): readonly Incompatibility[] {
  const underWay = new Map<unknown, Set<unknown>>()
  let comparisons = 0
  let depth = 0
  const compareParts: CompareParts = (one, other, path) => {
    if (one === other) return []
    const known = underWay.get(one) ?? new Set()
    // A schema that refers to itself: what is found, is found where the comparison of this pair began.
    if ((isSchema(one) || isSchema(other)) && known.has(other)) return []
    comparisons += 1
    depth += 1
    if (comparisons > COMPARISONS_MAX)
      throw new Fault('schema-unreadable', `the JSON Schemas take more than ${COMPARISONS_MAX} comparisons`)
    if (depth > DEPTH_MAX)
      throw new Fault('schema-unreadable', `the JSON Schemas are more than ${DEPTH_MAX} levels deep`)
    underWay.set(one, known.add(other))
    const found = compareUnions(toAlternatives(one, before), toAlternatives(other, after), { path, compareParts })
    known.delete(other)
    depth -= 1
    return found
  }
  return compareParts(before, after, '/data')
}

function compareUnions(
  before: readonly Alternative[],
  after: readonly Alternative[],
  place: ComparisonPlace,
): readonly Incompatibility[] {
  const [one, other] = [before[0], after[0]]
  if (one && other && before.length === 1 && after.length === 1) return compareAlternatives(one, other, place)
  const kept = new Set<Alternative>()
  const found = before.flatMap((each) => {
    const { match, incompatibilities } = findMatch(each, { before, after, place })
    if (match) kept.add(match)
    return incompatibilities
  })
  const added = after.filter((each) => !kept.has(each) && !isExpected(each, before))
  return [
    ...found,
    ...added.map(
      (each): Incompatibility => ({
        path: place.path,
        code: 'alternative-added',
        detail: `may now be ${describe(each)}, which readers do not expect`,
      }),
    ),
  ]
}

type Match = { readonly match: Alternative | null; readonly incompatibilities: readonly Incompatibility[] }

/** The alternative that stands for this one now: one that is compatible; else its namesake, with what is wrong. */
function findMatch(
  each: Alternative,
  union: { before: readonly Alternative[]; after: readonly Alternative[]; place: ComparisonPlace },
): Match {
  const { before, after, place } = union
  const candidates = after.filter(({ type }) => type === each.type)
  for (const match of candidates) {
    const incompatibilities = compareAlternatives(each, match, place)
    if (incompatibilities.length === 0) return { match, incompatibilities }
  }
  const lone = candidates.length === 1 && before.filter(({ type }) => type === each.type).length === 1
  const namesake = lone ? candidates[0] : candidates.find((candidate) => shareTag(each, candidate))
  if (namesake) return { match: namesake, incompatibilities: compareAlternatives(each, namesake, place) }
  const detail = `may no longer be ${describe(each)}`
  return { match: null, incompatibilities: [{ path: place.path, code: 'alternative-removed', detail }] }
}

/** Like a new value of an enum: of a kind that readers tell apart already. */
function isExpected(added: Alternative, before: readonly Alternative[]): boolean {
  const alike = before.filter(({ type }) => type === added.type && type !== undefined).length
  return added.type === 'object' || added.type === 'array' ? alike >= 2 : alike >= 1
}

/** Objects that say what they are by the same constant field. */
function shareTag(one: Alternative, other: Alternative): boolean {
  const [ours, theirs] = [one.keywords['properties'], other.keywords['properties']]
  if (!isSchema(ours) || !isSchema(theirs)) return false
  return Object.entries(ours).some(([name, schema]) => {
    const counterpart = Object.hasOwn(theirs, name) ? theirs[name] : undefined
    if (!isSchema(schema) || !isSchema(counterpart) || schema['const'] === undefined) return false
    return isDeepStrictEqual(schema['const'], counterpart['const'])
  })
}

function compareAlternatives(
  before: Alternative,
  after: Alternative,
  place: ComparisonPlace,
): readonly Incompatibility[] {
  const { path } = place
  if (before.type !== after.type)
    return [{ path, code: 'retyped', detail: `was ${describe(before)}, is now ${describe(after)}` }]
  const tightened = [
    ...findTightenedBounds(before.keywords, after.keywords, before.type === 'integer'),
    ...findTightenedText(before, after),
  ]
  return [
    ...compareValues(before, after, path),
    ...tightened.map((detail): Incompatibility => ({ path, code: 'tightened', detail })),
    ...(saysAnythingOf('object', OBJECT, [before, after])
      ? compareObjects(before.keywords, after.keywords, place)
      : []),
    ...(saysAnythingOf('array', ARRAY, [before, after]) ? compareArrays(before.keywords, after.keywords, place) : []),
    ...compareOthers(before.keywords, after.keywords, path),
  ]
}

const OBJECT = ['properties', 'required', 'additionalProperties', 'propertyNames']
const ARRAY = ['items', 'prefixItems']

/** A schema without a type may still say what an object must be, if it is one. */
function saysAnythingOf(type: string, keywords: readonly string[], sides: readonly Alternative[]): boolean {
  return sides.some(
    (side) => side.type === type || (side.type === undefined && keywords.some((keyword) => keyword in side.keywords)),
  )
}

function compareValues(before: Alternative, after: Alternative, path: string): readonly Incompatibility[] {
  if (!after.values) return []
  if (!before.values)
    return [{ path, code: 'tightened', detail: `any ${before.type} before, now only ${after.values.join(', ')}` }]
  const removed = before.values.filter((value) => !after.values?.includes(value))
  return removed.map((value) => ({ path, code: 'value-removed', detail: `may no longer be ${value}` }))
}

function findTightenedText(before: Alternative, after: Alternative): readonly string[] {
  const patterns = after.patterns.filter((pattern) => !before.patterns.includes(pattern))
  const found = patterns.map((pattern) => `pattern: ${before.patterns.join(' and ') || 'none'} before, now ${pattern}`)
  for (const keyword of ['format', 'contentMediaType']) {
    const [was, is] = [before.keywords[keyword], after.keywords[keyword]]
    if (is !== undefined && is !== was) found.push(`${keyword}: ${was ?? 'none'} before, now ${is}`)
  }
  return found
}

function compareArrays(before: JsonSchema, after: JsonSchema, place: ComparisonPlace): readonly Incompatibility[] {
  const { path, compareParts } = place
  const [ours, theirs] = [toParts(before['prefixItems']), toParts(after['prefixItems'])]
  if (ours.length !== theirs.length) {
    const detail = `${ours.length} positions with a schema of their own before, ${theirs.length} now`
    return [{ path, code: 'changed', detail }]
  }
  const positions = ours.flatMap((part, at) => compareParts(part, theirs[at], `${path}/${at}`))
  return [...positions, ...compareParts(before['items'] ?? true, after['items'] ?? true, `${path}/*`)]
}

function toParts(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

const COMPARED = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'minProperties', 'maxProperties', 'uniqueItems', 'format', 'contentMediaType'],
  ...OBJECT,
  ...ARRAY,
])
const ANNOTATIONS = new Set([
  ...['$schema', '$id', '$defs', '$comment', 'definitions', 'id', 'title', 'description', 'examples', 'default'],
  ...['deprecated', 'readOnly', 'writeOnly'],
])

/** Keywords nobody here can judge. */
function compareOthers(before: JsonSchema, after: JsonSchema, path: string): readonly Incompatibility[] {
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keywords]
    .filter((keyword) => !COMPARED.has(keyword) && !ANNOTATIONS.has(keyword))
    .filter((keyword) => !isDeepStrictEqual(before[keyword], after[keyword]))
    .map((keyword) => ({ path, code: 'changed', detail: `${keyword} is not what it was` }))
}

function describe({ type = 'any value', values }: Alternative): string {
  return values ? values.join(' or ') : type
}
