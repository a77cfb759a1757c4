import type { Hono } from 'hono'
import {
  type Purged,
  purgeRequestSchema,
  type Revoked,
  revokeRequestSchema,
  sessionIdSchema,
} from '../../contracts/index.ts'
import type { Publisher } from '../../hub/index.ts'
import { type Clock, type Limits, systemClock } from '../../kernel/index.ts'
import { readBody } from './body.ts'
import { toProblem } from './problem.ts'

/** What staff tell every edge: sessions that are over, and what is to leave the caches. Answered once it is on the log. */
export function addEdgeRoutes(
  routes: Hono,
  options: {
    readonly publisher: Publisher
    readonly limits: Pick<Limits, 'apiBodyBytesMax'>
    readonly clock?: Clock
  },
): void {
  const { publisher, limits, clock = systemClock } = options
  const bounds = { bytesMax: limits.apiBodyBytesMax }

  routes.post('/api/sessions/:id/revoke', async ({ req }) => {
    const id = sessionIdSchema.safeParse(req.param('id'))
    if (!id.success) return badSessionId(id.error.issues[0]?.message ?? '')
    const body = await readBody(req.raw, revokeRequestSchema, bounds)
    if (!body.ok) return body.problem
    const revoked: Revoked = { sessionId: id.data, revokedAtMs: clock.nowMs() }
    await publisher.publish('tentpole.session.revoked.v1', id.data, { ...revoked, reason: body.value.reason })
    return Response.json(revoked, { status: 202 })
  })
  routes.post('/api/purges', async ({ req }) => {
    const body = await readBody(req.raw, purgeRequestSchema, bounds)
    if (!body.ok) return body.problem
    const { scope, value } = body.value
    const event = await publisher.publish('tentpole.cache.purged.v1', scope, body.value)
    return Response.json({ eventId: event.id, scope, value } satisfies Purged, { status: 202 })
  })
}

function badSessionId(detail: string): Response {
  return toProblem({ status: 400, code: 'session-id-invalid', detail: `${detail}; press play answers with one.` })
}
