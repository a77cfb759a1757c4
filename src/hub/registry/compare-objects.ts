import type { ComparisonPlace, Incompatibility } from './incompatibility.ts'
import { isSchema, type JsonSchema } from './schema-alternatives.ts'

/** Fields, and what else an object may hold. */
export function compareObjects(
  before: JsonSchema,
  after: JsonSchema,
  place: ComparisonPlace,
): readonly Incompatibility[] {
  const names = new Set(
    [before, after].flatMap((schema) => [...Object.keys(propertiesOf(schema)), ...requiredOf(schema)]),
  )
  return [
    ...[...names].flatMap((name) => compareField(name, { before, after, place })),
    ...compareFurther(before, after, place),
    ...compareNames(before, after, place),
  ]
}

type Sides = { readonly before: JsonSchema; readonly after: JsonSchema; readonly place: ComparisonPlace }

function compareField(name: string, { before, after, place }: Sides): readonly Incompatibility[] {
  const path = `${place.path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const [ours, theirs] = [toField(before, name), toField(after, name)]
  if (ours.schema !== undefined && theirs.schema === undefined)
    return [{ path, code: 'field-removed', detail: 'readers rely on it' }]
  const presence = comparePresence(ours, theirs, path)
  if (theirs.schema === undefined) return presence
  if (ours.schema !== undefined) return [...presence, ...place.compareParts(ours.schema, theirs.schema, path)]
  // Where further fields were kept as they came, or were a record's values, one of this name may stand in an archive.
  const known = before['additionalProperties']
  return known === undefined || known === false
    ? presence
    : [...presence, ...place.compareParts(known, theirs.schema, path)]
}

type Field = { readonly schema: unknown; readonly required: boolean; readonly hasDefault: boolean }

function comparePresence(before: Field, after: Field, path: string): readonly Incompatibility[] {
  if (after.required)
    return before.required ? [] : [{ path, code: 'made-required', detail: 'events without it were good until now' }]
  if (after.hasDefault) return []
  if (before.required)
    return [{ path, code: 'made-optional', detail: 'readers rely on it; give it a default, or make a new version' }]
  return before.hasDefault
    ? [{ path, code: 'made-optional', detail: 'its default is gone, and readers would find nothing there' }]
    : []
}

/** Fields without a name in the schema; the values, where it is a record. */
function compareFurther(before: JsonSchema, after: JsonSchema, place: ComparisonPlace): readonly Incompatibility[] {
  const { path, compareParts } = place
  const [ours, theirs] = [before['additionalProperties'], after['additionalProperties']]
  if (ours === false) return []
  if (theirs === false)
    return [{ path, code: 'closed', detail: 'fields it does not name were ignored before, and are refused now' }]
  return compareParts(ours ?? true, theirs ?? true, `${path}/*`)
}

function compareNames(before: JsonSchema, after: JsonSchema, place: ComparisonPlace): readonly Incompatibility[] {
  const found = place.compareParts(before['propertyNames'] ?? NAME, after['propertyNames'] ?? NAME, place.path)
  return found.map((each) => ({ ...each, detail: `names of its fields: ${each.detail}` }))
}

const NAME: JsonSchema = { type: 'string' }

function toField(schema: JsonSchema, name: string): Field {
  const properties = propertiesOf(schema)
  const own = Object.hasOwn(properties, name) ? properties[name] : undefined
  return { schema: own, required: requiredOf(schema).includes(name), hasDefault: isSchema(own) && 'default' in own }
}

function propertiesOf(schema: JsonSchema): JsonSchema {
  return isSchema(schema['properties']) ? schema['properties'] : {}
}

function requiredOf(schema: JsonSchema): readonly string[] {
  const required = schema['required']
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
}
