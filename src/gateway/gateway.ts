import { type Context, Hono } from 'hono'
import type { CellConfig } from '../contracts/index.ts'
import { type Clock, type Limits, type Logger, systemClock } from '../kernel/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { Catalog } from '../services/catalog/index.ts'
import type { EndedSessions, Playback, WantedSegments } from '../services/playback/index.ts'
import type { Progress, Signal } from '../services/signals/index.ts'
import { type ReadBody, readBody } from './body.ts'
import { browseRoutes } from './browse-routes.ts'
import { createDeadlines } from './deadlines.ts'
import { endPlaybackRoutes } from './end-playback-route.ts'
import { createMedia } from './media.ts'
import { toOpenApi } from './openapi.ts'
import { playbackRoutes } from './playback-routes.ts'
import { fromError, toProblem } from './problem.ts'
import { createRateLimit, type LimitRate, toLimitRate } from './rate-limit.ts'
import type { Answer, Caller, Route } from './route.ts'
import { sessionRoutes } from './session-routes.ts'
import { signalRoutes } from './signal-routes.ts'

/** A cell's one door. Never rejects: whatever goes wrong is an answer. `caller.signal` defaults to the request's own. */
export type Gateway = {
  (request: Request, caller?: Caller): Answer
  close(): void
}

export type GatewayOptions = {
  readonly cells: readonly CellConfig[]
  readonly version: string
  readonly catalog: Catalog
  readonly progress: Progress
  readonly tokens: ViewerTokens
  readonly playback: Playback
  readonly sessions: EndedSessions
  readonly wanted: WantedSegments
  readonly acceptSignals: (viewerId: string, signals: readonly Signal[]) => Promise<void>
  readonly limits: Limits
  readonly logger: Logger
  readonly clock?: Clock
}

type Environment = { Bindings: { caller: Caller } }

export function createGateway(options: GatewayOptions): Gateway {
  const { limits, logger, version } = options
  const routes = allRoutes(options)
  const media = createMedia(options)
  const deadlines = createDeadlines({ timeoutMs: limits.apiTimeoutMs })
  const app = new Hono<Environment>()

  // No middleware: with one handler to a route Hono calls it directly.
  for (const route of routes) {
    app.on(route.method, route.path, (context) => {
      const answer = route.handle({
        request: context.req.raw,
        parameter: (name) => context.req.param(name) ?? '',
        caller: context.env.caller,
      })
      return answer instanceof Promise ? deadlines.within(answer) : answer
    })
  }
  let openApi: string | null = null
  app.get('/v1/openapi.json', (context) => {
    openApi ??= JSON.stringify(toOpenApi(routes, version))
    return context.body(openApi, 200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' })
  })
  app.get('/_media/*', (context) => media(context.req.raw, context.req.path, context.env.caller))
  app.notFound(createNotFound([...routes, { method: 'GET', path: '/v1/openapi.json' }]))
  app.onError((error) => fromError(error, logger))

  const gateway = (request: Request, caller: Caller = { signal: request.signal }): Answer =>
    app.fetch(request, { caller })
  return Object.assign(gateway, { close: () => deadlines.close() })
}

function allRoutes(options: GatewayOptions): Route[] {
  const { catalog, cells, clock = systemClock, limits, playback, progress, tokens } = options
  const readWithin: ReadBody = (call, schema) =>
    readBody(call.request, schema, { bytesMax: limits.apiBodyBytesMax, held: call.caller.bodyHeld === true })
  const limitRate = (): LimitRate =>
    toLimitRate(
      createRateLimit({
        burstMax: limits.viewerRequestsBurstMax,
        perSecondMax: limits.viewerRequestsPerSecondMax,
        keysMax: limits.viewerRatesMax,
        clock,
      }),
    )
  return [
    ...sessionRoutes({ cells, tokens, readBody: readWithin }),
    ...browseRoutes({ catalog, progress, tokens, limits }),
    ...playbackRoutes({ catalog, playback, tokens, readBody: readWithin, limitRate: limitRate() }),
    ...endPlaybackRoutes({ sessions: options.sessions, tokens, limitRate: limitRate() }),
    ...signalRoutes({ accept: options.acceptSignals, tokens, readBody: readWithin, limitRate: limitRate() }),
  ]
}

/** A known address with another method is 405 and names the right ones (RFC 9110, section 15.5.6); everything else is 404. */
function createNotFound(
  routes: readonly { readonly method: string; readonly path: string }[],
): (context: Context) => Response {
  const patterns = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
  }))
  return (context) => {
    const { method, path } = context.req
    const methods = patterns.flatMap((route) => (route.pattern.test(path) ? [route.method] : []))
    if (methods.length === 0)
      return toProblem(
        'route-not-found',
        `Nothing is at ${method} ${path.slice(0, 200)}; GET /v1/openapi.json lists what is.`,
      )
    const allow = methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])).join(', ')
    return toProblem('method-not-allowed', `Expected ${allow}, got ${method}.`, { headers: { allow } })
  }
}
