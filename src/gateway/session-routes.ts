import type { z } from 'zod'
import { type CellConfig, cellFor, sessionRequestSchema, sessionResponseSchema } from '../contracts/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { ReadBody } from './body.ts'
import { type Route, toJson } from './route.ts'

/** Signing in: so far anonymously, for a country, tier and platform, which decide the viewer's cell. */
export function sessionRoutes(options: {
  cells: readonly CellConfig[]
  tokens: ViewerTokens
  readBody: ReadBody
}): Route[] {
  const { cells, tokens, readBody } = options
  return [
    {
      method: 'POST',
      path: '/v1/session',
      operationId: 'createSession',
      summary: 'A token for a new anonymous viewer',
      tokenNeeded: false,
      body: sessionRequestSchema,
      answer: { status: 200, schema: sessionResponseSchema, description: 'The token, and the cell it belongs to' },
      problems: [],
      async handle(call) {
        const body = await readBody(call, sessionRequestSchema)
        if (!body.ok) return body.problem
        const cell = cellFor(cells, body.value)
        const { viewerId, token, expiresAtMs } = await tokens.issue({ ...body.value, cell })
        return toJson({ viewerId, token, expiresAtMs, cell } satisfies z.infer<typeof sessionResponseSchema>)
      },
    },
  ]
}
