import type { Hono } from 'hono'
import { type ReplayRequest, type ReplayView, replayRequestSchema } from '../../../contracts/index.ts'
import { Fault } from '../../../kernel/index.ts'
import { readBody } from '../body.ts'
import type { AsCaller, Caller } from './caller.ts'
import type { HubPorts } from './ports.ts'
import { notFound } from './problems.ts'
import { createShares } from './shares.ts'
import { findOwn, ownNames } from './subscription-routes.ts'

const REPLAY_RETRY_MS = 5_000

/** Replays: what was is delivered once more, to one subscription. */
export function addReplayRoutes(app: Hono, ports: HubPorts, asCaller: AsCaller): void {
  const { limits } = ports
  /** One after the other, so that they are counted. */
  const creating = createShares({ what: 'new replays', max: 1, retryAfterMs: limits.hubBusyRetryMs })
  const create = async (caller: Caller, name: string, wanted: ReplayRequest): Promise<ReplayView> => {
    const own = await ownNames(caller, ports)
    const running = own
      ? (await ports.replays.list()).filter((each) => each.state === 'running' && own.includes(each.subscription))
      : []
    if (running.length < limits.hubSpokeReplaysMax) return ports.replays.create(name, wanted)
    throw new Fault(
      'hub-busy',
      `${running.length} replays of yours run, which is as many as may; wait for one to end, or cancel one.`,
      { detail: { retryAfterMs: REPLAY_RETRY_MS } },
    )
  }

  app.post(
    '/hub/v1/subscriptions/:name/replays',
    asCaller(async (caller, request, param) => {
      const found = await findOwn(caller, param('name'), ports)
      if (!found) return notFound('subscription', param('name'))
      const body = await readBody(request, replayRequestSchema, { bytesMax: ports.limits.apiBodyBytesMax })
      if (!body.ok) return body.problem
      return Response.json(await creating.run(caller, () => create(caller, found.name, body.value)), { status: 201 })
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
