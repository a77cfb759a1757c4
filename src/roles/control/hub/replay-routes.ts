import type { Hono } from 'hono'
import { replayRequestSchema } from '../../../contracts/index.ts'
import { readBody } from '../body.ts'
import type { AsCaller } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { notFound } from './problems.ts'
import { findOwn, ownNames } from './subscription-routes.ts'

/** Replays: what was is delivered once more, to one subscription. */
export function addReplayRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  app.post(
    '/hub/v1/subscriptions/:name/replays',
    asCaller(async (caller, request, param) => {
      const found = await findOwn(caller, param('name'), ports)
      if (!found) return notFound('subscription', param('name'))
      const body = await readBody(request, replayRequestSchema, { bytesMax: ports.limits.apiBodyBytesMax })
      if (!body.ok) return body.problem
      return Response.json(await ports.replays.create(found.name, body.value), { status: 201 })
    }),
  )
  app.get(
    '/hub/v1/replays',
    asCaller(async (caller) => {
      const own = await ownNames(caller, ports)
      const replays = await ports.replays.list()
      return Response.json({
        replays: own ? replays.filter(({ subscription }) => own.includes(subscription)) : replays,
      })
    }),
  )
  app.delete(
    '/hub/v1/replays/:id',
    asCaller(async (caller, _request, param) => {
      const own = await ownNames(caller, ports)
      const replay = await ports.replays.get(param('id'))
      const isTheirs = replay && (own === null || own.includes(replay.subscription))
      const cancelled = isTheirs ? await ports.replays.cancel(replay.id) : null
      return cancelled ? Response.json(cancelled) : notFound('replay', param('id'))
    }),
  )
}
