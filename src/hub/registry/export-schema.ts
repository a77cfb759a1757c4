import type { Registry } from '../../contracts/index.ts'
import type { JsonSchema } from './schema-alternatives.ts'

const DRAFT = 'https://json-schema.org/draft/2020-12/schema'
const LINE_CHARACTERS_MAX = 120

export function schemaFileName(type: string): string {
  return `${type}.json`
}

/** What stands in a type's file: what an event's data must be, for people and programs outside. Of an opaque payload: bytes of its media types. */
export function exportSchema(registry: Registry, type: string): JsonSchema {
  const { $schema = DRAFT, ...schema } = registry.jsonSchema(type) ?? toOpaqueSchema(registry.get(type)?.contentTypes)
  return { $schema, title: type, ...schema }
}

function toOpaqueSchema(contentTypes: readonly string[] | undefined): JsonSchema {
  const bytes = { type: 'string', contentEncoding: 'binary' }
  return contentTypes ? { ...bytes, anyOf: contentTypes.map((each) => ({ contentMediaType: each })) } : bytes
}

/** As the formatter of this repository would have it: lists on one line where they fit. */
export function printSchema(schema: JsonSchema): string {
  return `${print(schema, { indent: '', used: 0 })}\n`
}

/** `used`: characters that stand before the value on its line. */
function print(value: unknown, place: { readonly indent: string; readonly used: number }): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const deeper = `${place.indent}  `
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
    const scalars = value.every((item) => typeof item !== 'object' || item === null)
    if (scalars && place.used + line.length + 1 <= LINE_CHARACTERS_MAX) return line
    return wrap(
      '[]',
      value.map((item) => print(item, { indent: deeper, used: deeper.length })),
      place.indent,
    )
  }
  const members = Object.entries(value).map(([name, member]) => {
    const label = `${JSON.stringify(name)}: `
    return `${label}${print(member, { indent: deeper, used: deeper.length + label.length })}`
  })
  return wrap('{}', members, place.indent)
}

function wrap(brackets: '[]' | '{}', parts: readonly string[], indent: string): string {
  if (parts.length === 0) return brackets
  const lines = parts.map((part) => `${indent}  ${part}`).join(',\n')
  return `${brackets[0]}\n${lines}\n${indent}${brackets[1]}`
}
