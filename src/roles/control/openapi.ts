import { z } from 'zod'
import {
  createTitleRequestSchema,
  edgeViewSchema,
  platformStatusSchema,
  problemSchema,
  purgedResponseSchema,
  purgeRequestSchema,
  revokedResponseSchema,
  revokeRequestSchema,
  staffTitleSchema,
  withdrawRequestSchema,
} from '../../contracts/index.ts'
import { HUB_OPERATIONS } from './hub/operations.ts'
import type { Operation } from './operation.ts'

export const staffTitlesSchema: z.ZodType<{ titles: z.output<typeof staffTitleSchema>[] }> = z.object({
  titles: z.array(staffTitleSchema),
})
export const consoleLinkSchema: z.ZodType<{ url: string }> = z.object({ url: z.string() })

const OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/titles',
    summary: 'Every title, newest first',
    answer: { status: 200, schema: staffTitlesSchema },
  },
  {
    method: 'post',
    path: '/api/titles',
    summary: 'Create a title, for uploads to name in their metadata',
    body: createTitleRequestSchema,
    answer: { status: 201, schema: staffTitleSchema },
  },
  {
    method: 'get',
    path: '/api/titles/{id}',
    summary: 'One title',
    answer: { status: 200, schema: staffTitleSchema },
  },
  {
    method: 'post',
    path: '/api/titles/{id}/withdraw',
    summary: 'Take a title down; answered when it is on the log. Idempotent',
    body: withdrawRequestSchema,
    answer: { status: 200, schema: staffTitleSchema },
  },
  {
    method: 'post',
    path: '/api/sessions/{id}/revoke',
    summary: 'End a playback session; answered when it is on the log, in effect on every edge within 5 s. Idempotent',
    body: revokeRequestSchema,
    answer: { status: 202, schema: revokedResponseSchema },
  },
  {
    method: 'post',
    path: '/api/purges',
    summary:
      'Drop an address, a prefix or a tag from the caches; answered when it is on the log, done on every edge within 1 s',
    body: purgeRequestSchema,
    answer: { status: 202, schema: purgedResponseSchema },
  },
  {
    method: 'get',
    path: '/api/status',
    summary: 'The platform and its roles',
    answer: { status: 200, schema: platformStatusSchema },
  },
  {
    method: 'get',
    path: '/api/edge',
    summary: 'What the edge counts: requests, hits, bytes, top objects, and its last minutes',
    answer: { status: 200, schema: edgeViewSchema },
  },
  {
    method: 'post',
    path: '/api/console-links',
    summary: 'A link that signs one browser in, once (operator token only)',
    answer: { status: 201, schema: consoleLinkSchema },
  },
  {
    method: 'get',
    path: '/api/events',
    summary: 'Server-sent events: titles, status, and the log as it happens',
    answer: { status: 200, schema: null },
  },
]

/** OpenAPI 3.1 of the staff API, from the schemas that check it. Uploads are tus 1.0 at `/uploads/`. */
export function toStaffOpenApi(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of [...OPERATIONS, ...HUB_OPERATIONS])
    paths[operation.path] = { ...paths[operation.path], [operation.method]: toOperation(operation) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tentpole staff API',
      version,
      description: 'Times are milliseconds since 1970. Films and captions are uploaded by tus 1.0 at /uploads/.',
    },
    servers: [{ url: '/' }],
    security: [{ operator: [] }],
    ...shareSchemas(paths),
  }
}

/** Schemas with a name stand in one place, where references inside this document find them. */
function shareSchemas(paths: Record<string, unknown>): Record<string, unknown> {
  const schemas: Record<string, unknown> = {}
  const take = (key: string, value: unknown): unknown => {
    if (key !== '$defs') return value
    Object.assign(schemas, value)
    return undefined
  }
  const inPlace = (json: unknown): unknown =>
    JSON.parse(JSON.stringify(json, take).replaceAll('"#/$defs/', '"#/components/schemas/'))
  const shared = inPlace(paths)
  return {
    paths: shared,
    components: {
      securitySchemes: { operator: { type: 'http', scheme: 'bearer' } },
      schemas: inPlace(schemas),
    },
  }
}

function toOperation(operation: Operation): Record<string, unknown> {
  const { path, summary, body, bodyTypes = ['application/json'], answer } = operation
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const queries = (operation.query ?? []).map((name) => ({ name, in: 'query', schema: { type: 'string' } }))
  return {
    summary,
    ...(parameters.length + queries.length > 0 ? { parameters: [...parameters, ...queries] } : {}),
    ...(body ? { requestBody: { content: toContent(bodyTypes, toSchema(body, 'input')) } } : {}),
    responses: {
      [answer.status]: { description: 'Done', ...toAnswerContent(answer) },
      default: {
        description: 'A problem (RFC 9457)',
        content: { 'application/problem+json': { schema: toSchema(problemSchema, 'output') } },
      },
    },
  }
}

function toAnswerContent({ status, schema, type }: Operation['answer']): Record<string, unknown> {
  if (status === 204) return {}
  if (schema) return { content: toContent([type ?? 'application/json'], toSchema(schema, 'output')) }
  return { content: toContent([type ?? 'text/event-stream'], { type: 'string' }) }
}

function toContent(types: readonly string[], schema: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}
