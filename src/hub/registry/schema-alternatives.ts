import { Fault } from '../../kernel/index.ts'

/** JSON Schema, draft 2020-12, as parsed from JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A schema of one type of value: no references, unions or intersections at its top any more. `type` absent: any value. */
export type Alternative = {
  readonly type?: string
  /** Values it is one of, as JSON texts; absent: any of its type. */
  readonly values?: readonly string[]
  readonly patterns: readonly string[]
  readonly keywords: JsonSchema
}

const ALTERNATIVES_MAX = 1_024
const REFERENCES_MAX = 64

/** Which keywords say anything about which type of value. */
const KEYWORDS_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType', 'contentSchema'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  object: [
    ...['properties', 'required', 'additionalProperties', 'propertyNames', 'patternProperties', 'minProperties'],
    ...['maxProperties', 'dependentRequired', 'dependentSchemas', 'unevaluatedProperties'],
  ],
  array: [
    ...['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
    'unevaluatedItems',
  ],
}
const TYPED_KEYWORDS = new Set(Object.values(KEYWORDS_OF_TYPE).flat())
const STRUCTURE = new Set(['type', 'enum', 'const', 'pattern', '$ref', 'anyOf', 'oneOf', 'allOf'])

/** The plain alternatives a schema stands for; none: no value passes. Fault `schema-unreadable`. */
export function toAlternatives(schema: unknown, root: JsonSchema, references: number = 0): readonly Alternative[] {
  if (schema === false) return []
  if (schema === true) return [ANY]
  if (!isSchema(schema)) throw unreadable(`expected a schema, got ${JSON.stringify(schema) ?? 'nothing'}`)
  let found = ownAlternatives(schema)
  const narrow = (by: readonly Alternative[]): void => {
    found = found.flatMap((one) => by.flatMap((other) => intersect(one, other)))
    if (found.length > ALTERNATIVES_MAX) throw unreadable(`expected at most ${ALTERNATIVES_MAX} alternatives`)
  }
  const deeper = (part: unknown): readonly Alternative[] => toAlternatives(part, root, references + 1)
  if (references > REFERENCES_MAX) throw unreadable('it refers to nothing but itself')
  if (typeof schema['$ref'] === 'string') narrow(deeper(findReferred(schema['$ref'], root)))
  for (const part of toList(schema['allOf'])) narrow(deeper(part))
  for (const union of [schema['anyOf'], schema['oneOf']]) if (Array.isArray(union)) narrow(union.flatMap(deeper))
  return found
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const ANY: Alternative = { patterns: [], keywords: {} }

/** What the schema says itself, without what it refers to or is put together from: one for each of its types. */
function ownAlternatives(schema: JsonSchema): readonly Alternative[] {
  const listed = 'const' in schema ? [schema['const']] : Array.isArray(schema['enum']) ? schema['enum'] : null
  const declared = toList(schema['type']).filter((type) => typeof type === 'string')
  const types = declared.length > 0 ? declared : [...new Set(listed?.map(typeOfValue))]
  const patterns = typeof schema['pattern'] === 'string' ? [schema['pattern']] : []
  if (types.length === 0) return [{ patterns, keywords: withoutStructure(schema) }]
  return types.flatMap((type) => {
    const values = listed?.filter((value) => isOfType(value, type)).map((value) => JSON.stringify(value))
    if (values?.length === 0) return []
    return [{ type, ...(values && { values }), ...only(type, { patterns, keywords: withoutStructure(schema) }) }]
  })
}

/** Both at once; nothing when no value could be both. */
function intersect(one: Alternative, other: Alternative): readonly Alternative[] {
  const type = narrowerType(one.type, other.type)
  if (type === null) return []
  const { values = other.values } = one
  const kept = other.values && values ? values.filter((value) => other.values?.includes(value)) : values
  if (kept?.length === 0) return []
  const patterns = [...new Set([...one.patterns, ...other.patterns])]
  const keywords = mergeKeywords(one.keywords, other.keywords)
  const rest = type === undefined ? { patterns, keywords } : { type, ...only(type, { patterns, keywords }) }
  return [{ ...rest, ...(kept && { values: kept }) }]
}

/** Null: no value is of both. */
function narrowerType(one: string | undefined, other: string | undefined): string | undefined | null {
  if (one === undefined || other === undefined || one === other) return one ?? other
  const both = [one, other]
  return both.includes('integer') && both.includes('number') ? 'integer' : null
}

function mergeKeywords(one: JsonSchema, other: JsonSchema): JsonSchema {
  const merged = new Map(Object.entries(one))
  for (const [keyword, theirs] of Object.entries(other)) {
    const ours = merged.get(keyword)
    merged.set(keyword, ours === undefined ? theirs : mergeKeyword(keyword, ours, theirs))
  }
  return Object.fromEntries(merged)
}

function mergeKeyword(keyword: string, ours: unknown, theirs: unknown): unknown {
  if (keyword === 'required') return [...new Set([...toList(ours), ...toList(theirs)])]
  if (keyword === 'properties' && isSchema(ours) && isSchema(theirs)) return mergeProperties(ours, theirs)
  if (['items', 'additionalProperties', 'propertyNames'].includes(keyword)) return { allOf: [ours, theirs] }
  if (typeof ours === 'number' && typeof theirs === 'number')
    return /^(?:min|exclusiveMin)/.test(keyword) ? Math.max(ours, theirs) : Math.min(ours, theirs)
  return theirs
}

function mergeProperties(ours: JsonSchema, theirs: JsonSchema): JsonSchema {
  const merged = new Map(Object.entries(ours))
  for (const [name, schema] of Object.entries(theirs)) {
    const known = merged.get(name)
    merged.set(name, known === undefined ? schema : { allOf: [known, schema] })
  }
  return Object.fromEntries(merged)
}

/** Without what would say nothing about values of this type. */
function only(type: string, { patterns, keywords }: Pick<Alternative, 'patterns' | 'keywords'>): Alternative {
  const own = KEYWORDS_OF_TYPE[type === 'integer' ? 'number' : type] ?? []
  const kept = Object.entries(keywords).filter(([keyword]) => own.includes(keyword) || !TYPED_KEYWORDS.has(keyword))
  return { patterns: type === 'string' ? patterns : [], keywords: Object.fromEntries(kept) }
}

function withoutStructure(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !STRUCTURE.has(keyword)))
}

/** `#`, `#/$defs/Name`: JSON pointers within the document (RFC 6901); nothing percent-encoded, as no exporter writes. */
function findReferred(reference: string, root: JsonSchema): unknown {
  if (!/^#(?:\/[^%]*)?$/.test(reference))
    throw unreadable(`$ref: expected one into the same schema, got "${reference}"`)
  let at: unknown = root
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined
  }
  if (at === undefined) throw unreadable(`$ref: nothing is at "${reference}"`)
  return at
}

function isOfType(value: unknown, type: string): boolean {
  const own = typeOfValue(value)
  return own === type || (own === 'number' && type === 'integer' && Number.isInteger(value))
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function toList(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function unreadable(why: string): Fault {
  return new Fault('schema-unreadable', `the JSON Schema cannot be compared: ${why}`)
}
