import type { Hono } from 'hono'
import { type AsCaller, identify } from './caller.ts'
import { addDeadLetterRoutes } from './dead-letter-routes.ts'
import { addEventRoutes } from './event-routes.ts'
import { addHubViewRoutes } from './hub-view-routes.ts'
import type { HubPorts } from './ports.ts'
import { toHubProblem } from './problems.ts'
import { addReplayRoutes } from './replay-routes.ts'
import { addSpokeRoutes } from './spoke-routes.ts'
import { addSubscriptionRoutes } from './subscription-routes.ts'
import { addTailRoute } from './tail-routes.ts'
import { addViewRoutes } from './view-routes.ts'

export type { DeadLetterFilter, EventToPublish, HubPorts, SubscriptionFacts } from './ports.ts'

/** The hub's HTTP contract for other teams' processes, the console and the CLI, under `/hub/v1` (docs/spokes.md). */
export function addHubRoutes(app: Hono, ports: HubPorts): void {
  const asCaller: AsCaller = (handle) => async (context) => {
    try {
      const caller = await identify(context.req.raw, ports)
      if (caller instanceof Response) return caller
      return await handle(caller, context.req.raw, (name) => context.req.param(name) ?? '')
    } catch (error) {
      return toHubProblem(error, ports.logger)
    }
  }
  addEventRoutes(app, ports, asCaller)
  addSubscriptionRoutes(app, ports, asCaller)
  addReplayRoutes(app, ports, asCaller)
  addDeadLetterRoutes(app, ports, asCaller)
  addViewRoutes(app, ports, asCaller)
  addHubViewRoutes(app, ports, asCaller)
  addSpokeRoutes(app, ports, asCaller)
  addTailRoute(app, ports)
}

const LONG = /^\/hub\/v1\/(events|records\/[^/]+|payloads\/.+|tail|subscriptions\/[^/]+\/events)$/

/** Streams and payloads take as long as they take and have deadlines of their own: the server's would cut the slow and honest. */
export function isLongHubRequest(pathname: string): boolean {
  return LONG.test(pathname)
}
