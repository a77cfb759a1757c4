import { expect, test } from 'bun:test'
import { openTestCell } from './test-cell.ts'

type Operation = {
  operationId: string
  parameters?: { name: string; in: string; required: boolean }[]
  requestBody?: unknown
  responses: Record<string, { description: string; content: Record<string, unknown> }>
  security?: unknown
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Record<string, unknown>>; securitySchemes: Record<string, unknown> }
}

async function load(): Promise<Document> {
  const cell = await openTestCell()
  const answer = await cell.ask('/v1/openapi.json')
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  const document = (await answer.json()) as Document
  await cell.close()
  return document
}

/** Every value under a key of this name, anywhere. */
function all(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [...(key === name ? [inner] : []), ...all(inner, name)])
}

test('the document says what OpenAPI 3.1 asks of it, and names every route', async () => {
  const document = await load()
  expect(document.openapi).toMatch(/^3\.1\.\d+$/)
  expect(document.info).toMatchObject({ title: expect.any(String), version: '0.0.0' })
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
  expect(operations.map(({ path, method }) => `${method} ${path}`).sort()).toEqual([
    'delete /v1/playback/{sessionId}',
    'get /v1/home',
    'get /v1/titles/{id}',
    'post /v1/playback',
    'post /v1/playback/{sessionId}/heartbeat',
    'post /v1/session',
    'post /v1/signals',
  ])
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
  for (const { path, method, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
    expect((operation.parameters ?? []).map((parameter) => parameter.name)).toEqual(named)
    for (const parameter of operation.parameters ?? []) expect(parameter).toMatchObject({ in: 'path', required: true })
    expect('requestBody' in operation).toBe(method === 'post')
    const statuses = Object.keys(operation.responses)
    expect(statuses.some((status) => /^2\d\d$/.test(status)) && statuses.includes('default')).toBe(true)
    for (const response of Object.values(operation.responses)) expect(response.description).not.toBe('')
  }
  expect(all(document.paths, 'security').flat()).toEqual(Array.from({ length: 5 }, () => ({ viewer: [] })))
  expect(document.components.securitySchemes['viewer']).toMatchObject({ type: 'http', scheme: 'bearer' })
})

test('every reference leads somewhere, and every schema is referred to or used', async () => {
  const document = await load()
  const references = new Set(all(document, '$ref'))
  for (const reference of references) {
    const [, name] = /^#\/components\/schemas\/(\w+)$/.exec(String(reference)) ?? []
    expect(document.components.schemas).toHaveProperty(name ?? String(reference))
  }
  expect([...references].map((reference) => String(reference).split('/').at(-1)).sort()).toEqual(
    Object.keys(document.components.schemas).sort(),
  )
  expect(all(document, '$id')).toEqual([])
})

test('bodies are as strict in the document as they are at the door', async () => {
  const { schemas } = (await load()).components
  for (const name of ['SessionRequest', 'PlaybackRequest', 'HeartbeatRequest', 'SignalsRequest'])
    expect([name, schemas[name]?.['additionalProperties']]).toEqual([name, false])
  for (const name of ['Home', 'Playback', 'Problem'])
    expect([name, schemas[name]?.['additionalProperties']]).toEqual([name, undefined])
  expect(schemas['SessionRequest']).toMatchObject({
    type: 'object',
    required: ['country', 'tier', 'platform'],
    properties: { tier: { enum: ['free', 'standard', 'premium'] } },
  })
})
