import { z } from 'zod'
import { problemSchema } from '../contracts/index.ts'
import type { Route } from './route.ts'

export type OpenApiDocument = Readonly<Record<string, unknown>>

const COMPONENTS = '#/components/schemas/'

/** OpenAPI 3.1 of the routes, from the very schemas that check their bodies. */
export function toOpenApi(routes: readonly Route[], version: string): OpenApiDocument {
  const registry = z.registry<{ id: string }>()
  const schemas = [
    problemSchema,
    ...routes.flatMap((route) => [...(route.body ? [route.body] : []), route.answer.schema]),
  ]
  for (const schema of new Set<z.ZodType>(schemas)) registry.add(schema, { id: nameOf(schema) })
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tentpole viewer API',
      version,
      description: 'Times are milliseconds since 1970; positions and durations are milliseconds of film.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: toComponents(registry),
      securitySchemes: { viewer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function toOperation(route: Route): Record<string, unknown> {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '')
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.tokenNeeded ? { security: [{ viewer: [] }] } : {}),
    ...(names.length === 0
      ? {}
      : { parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })) }),
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': toRef(route.body) } } } : {}),
    responses: {
      [String(route.answer.status)]: {
        description: route.answer.description,
        content: { 'application/json': toRef(route.answer.schema) },
      },
      default: {
        description: toProblemsText(route),
        content: { 'application/problem+json': toRef(problemSchema) },
      },
    },
  }
}

/** Clients compare `code`, so the codes are listed, not their statuses. */
function toProblemsText(route: Route): string {
  const codes = [
    ...(route.tokenNeeded ? ['token-missing', 'token-invalid'] : []),
    ...(route.body ? ['body-not-json-typed', 'body-not-json', 'body-invalid', 'body-too-large'] : []),
    ...route.problems,
    'unavailable',
    'internal',
  ]
  return `A problem (RFC 9457); \`code\` is one of ${[...new Set(codes)].join(', ')}`
}

function toRef(schema: z.ZodType): { schema: { $ref: string } } {
  return { schema: { $ref: COMPONENTS + nameOf(schema) } }
}

function nameOf(schema: z.ZodType): string {
  const id = schema.meta()?.id
  if (id === undefined) throw new Error('a schema of the API has no id; give it one with .meta({ id })')
  return id
}

/** Where Zod puts schemas with an id that are only used inside others. */
const SHARED = '__shared'

/** `io: 'input'`: what may be sent, and of answers what is promised without forbidding what a later release adds. */
function toComponents(registry: z.core.$ZodRegistry<{ id: string }>): Record<string, unknown> {
  const made = z.toJSONSchema(registry, { uri: (id) => COMPONENTS + id, io: 'input' })
  const text = JSON.stringify(made.schemas).replaceAll(`${COMPONENTS}${SHARED}#/$defs/`, COMPONENTS)
  const { [SHARED]: shared, ...own } = JSON.parse(text) as Record<string, Record<string, unknown>>
  const all = { ...own, ...(shared?.['$defs'] as Record<string, Record<string, unknown>> | undefined) }
  return Object.fromEntries(
    Object.entries(all).map(([id, { $schema: _dialect, $id: _address, id: _id, ...schema }]) => [id, schema]),
  )
}
