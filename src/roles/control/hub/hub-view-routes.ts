import type { Hono } from 'hono'
import { parsePosition } from '../../../contracts/index.ts'
import { type AsCaller, refuseSpoke } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { badRequest, notFound } from './problems.ts'

/** The views that a user's modules keep, for the operator: how far they are, and what is in them, at least up to an event. */
export function addHubViewRoutes(app: Hono, { views }: Pick<HubPorts, 'views'>, asCaller: AsCaller): void {
  app.get(
    '/hub/v1/views',
    asCaller(async (caller) => refuseSpoke(caller) ?? Response.json({ views: await views.list() })),
  )
  app.get(
    '/hub/v1/views/:name',
    asCaller(async (caller, request, param) => {
      const refusal = refuseSpoke(caller)
      if (refusal) return refusal
      const text = new URL(request.url).searchParams.get('after')
      const after = text === null ? null : parsePosition(text)
      if (text !== null && after === null)
        return badRequest(
          'position-invalid',
          'after: expected a position such as "orders:0:4711", as publishing answers it',
        )
      const read = await views.read(param('name'), after)
      if (!read) return notFound('view', param('name'))
      return Response.json({ ...read.status, state: read.state }, { headers: { 'cache-control': 'no-store' } })
    }),
  )
}
