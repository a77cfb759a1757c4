import { Hono } from 'hono'
import { createTitleRequestSchema, type PlatformStatus, withdrawRequestSchema } from '../../contracts/index.ts'
import type { Publisher } from '../../hub/index.ts'
import type { Limits, Logger } from '../../kernel/index.ts'
import type { CatalogTitle } from '../../services/catalog/index.ts'
import type { TitleRow, Titles } from '../../services/titles/index.ts'
import type { Uploads } from '../../services/uploads/index.ts'
import type { Auth } from './auth.ts'
import { readBody } from './body.ts'
import { refuseForeignOrigin, refuseHost, securityHeaders } from './browser-safety.ts'
import { serveConsoleFile } from './console-files.ts'
import { addEdgeRoutes } from './edge-routes.ts'
import type { EdgeWatch } from './edge-watch.ts'
import { addHubRoutes, type HubPorts } from './hub/index.ts'
import type { Live } from './live.ts'
import { toMetricsResponse } from './metrics.ts'
import { toStaffOpenApi } from './openapi.ts'
import { fromThrown, toProblem } from './problem.ts'
import { toStaffTitle } from './staff-title.ts'

export type ControlApp = (request: Request) => Promise<Response>

export type ControlAppOptions = {
  readonly auth: Auth
  readonly titles: Titles
  readonly heard: (titleId: string) => CatalogTitle | undefined
  readonly uploads: Uploads
  readonly publisher: Publisher
  readonly live: Live
  readonly hub: HubPorts
  readonly status: () => PlatformStatus | null
  readonly edge: Pick<EdgeWatch, 'view' | 'prometheus'>
  /** Why this role itself is not healthy. */
  readonly faults: () => readonly string[]
  readonly consoleDirectory: string
  readonly watchUrl: string
  readonly version: string
  readonly limits: Limits
  readonly logger: Logger
}

/** Control's HTTP: the staff API, uploads, the console's files. Only `/healthz`, `/login` and those files are public; `/metrics` has a token of its own. */
export function createControlApp(options: ControlAppOptions): ControlApp {
  const { auth, limits, logger } = options
  const headers = Object.entries(securityHeaders(new URL(options.watchUrl).origin))
  const allowedHosts = new Set([new URL(options.watchUrl).hostname])
  const openApi = JSON.stringify(toStaffOpenApi(options.version))
  const app = new Hono()

  app.get('/healthz', () => toHealth(options))
  app.get('/login', ({ req }) => (req.raw.method === 'GET' ? login(auth, req.query('code') ?? '') : new Response(null)))

  app.get('/metrics', ({ req }) => {
    if (!auth.mayScrape(req.header('authorization') ?? null)) return unauthorized()
    return toMetricsResponse({ status: options.status(), version: options.version, edge: options.edge.prometheus })
  })
  for (const guarded of ['/api/*', '/uploads/*'])
    app.use(guarded, async ({ req }, next) => refuseStranger(auth, req.raw) ?? (await next()))
  app.all('/uploads/*', ({ req }) => options.uploads.handle(req.raw))
  app.get('/api/openapi.json', () => new Response(openApi, { headers: { 'content-type': 'application/json' } }))
  app.get('/api/events', () => options.live.open())
  app.get('/api/status', () => {
    const status = options.status()
    const detail = 'The supervisor is not heard at the moment; retry shortly.'
    return status ? Response.json(status) : toProblem({ status: 503, code: 'unavailable', detail })
  })
  app.get('/api/edge', () => Response.json(options.edge.view(), { headers: { 'cache-control': 'no-store' } }))
  app.post('/api/console-links', ({ req }) => {
    if (!auth.isOperator(req.header('authorization') ?? null)) return unauthorized()
    const url = new URL(`/login?code=${auth.createCode()}`, req.url)
    return Response.json({ url: url.href }, { status: 201 })
  })
  addTitleRoutes(app, options)
  addEdgeRoutes(app, options)
  addHubRoutes(app, options.hub)

  app.notFound(async ({ req }) => {
    const { pathname } = new URL(req.url)
    const isApi = ['/api/', '/uploads/', '/hub/'].some((start) => pathname.startsWith(start))
    const file = isApi ? null : await serveConsoleFile(options.consoleDirectory, req.raw)
    const refusal = file ?? refuseStranger(auth, req.raw)
    const detail = `There is nothing for ${req.method} ${pathname}; see /api/openapi.json.`
    return refusal ?? toProblem({ status: 404, code: 'route-not-found', detail })
  })
  app.onError((error) => fromThrown(error, logger))

  return async (request) => {
    const response = refuseHost(request, allowedHosts) ?? (await app.fetch(request))
    for (const [name, value] of headers) response.headers.set(name, value)
    return response
  }

  function addTitleRoutes(routes: Hono, { titles, heard, live, uploads, watchUrl }: ControlAppOptions): void {
    const toStaff = (row: TitleRow) => toStaffTitle(row, heard(row.id), watchUrl)
    routes.get('/api/titles', async () => Response.json({ titles: (await titles.list()).map(toStaff) }))
    routes.get('/api/titles/:id', async ({ req }) => {
      const row = await titles.get(req.param('id'))
      return row ? Response.json(toStaff(row)) : titleNotFound(req.param('id'))
    })
    routes.post('/api/titles', async ({ req }) => {
      const body = await readBody(req.raw, createTitleRequestSchema, { bytesMax: limits.apiBodyBytesMax })
      if (!body.ok) return body.problem
      const row = await titles.create(body.value)
      live.titleChanged(row.id)
      return Response.json(toStaff(row), { status: 201, headers: { location: `/api/titles/${row.id}` } })
    })
    routes.post('/api/titles/:id/withdraw', async ({ req }) => {
      const body = await readBody(req.raw, withdrawRequestSchema, { bytesMax: limits.apiBodyBytesMax })
      if (!body.ok) return body.problem
      const row = await titles.withdraw(req.param('id'), body.value.reason)
      if (!row) return titleNotFound(req.param('id'))
      live.titleChanged(row.id)
      void uploads.sweep()
      return Response.json(toStaff(row))
    })
  }
}

/** Null for the operator and for the console's own pages in a signed-in browser. */
function refuseStranger(auth: Auth, request: Request): Response | null {
  if (auth.isOperator(request.headers.get('authorization'))) return null
  return auth.isSession(request.headers.get('cookie')) ? refuseForeignOrigin(request) : unauthorized()
}

function unauthorized(): Response {
  return toProblem({
    status: 401,
    code: 'operator-needed',
    detail: 'Expected "Authorization: Bearer <operator token>" or the session of `npx tentpole console`.',
    headers: { 'www-authenticate': 'Bearer realm="tentpole"' },
  })
}

function titleNotFound(id: string): Response {
  return toProblem({ status: 404, code: 'title-not-found', detail: `There is no title ${JSON.stringify(id)}.` })
}

function login(auth: Auth, code: string): Response {
  const cookie = auth.redeem(code)
  if (cookie)
    return new Response(null, {
      status: 303,
      headers: { location: '/', 'set-cookie': cookie, 'cache-control': 'no-store' },
    })
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tentpole console</title>
<main><h1>This link does not work any more</h1><p>A link works once, within a minute. Run <code>npx tentpole console</code> for a new one.</p></main></html>`
  return new Response(page, {
    status: 401,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  })
}

function toHealth({ faults, status, version }: ControlAppOptions): Response {
  const platform = status()
  const unwell = platform?.roles.filter((role) => role.state !== 'healthy') ?? []
  const all = [
    ...faults(),
    ...(platform ? [] : ['the supervisor is not heard']),
    ...unwell.map((role) => `${role.name} is ${role.state}${role.detail ? `: ${role.detail}` : ''}`),
  ]
  const healthy = all.length === 0 && platform?.healthy === true
  const roles = platform?.roles.map(({ name, state }) => ({ name, state })) ?? []
  return Response.json(
    { status: healthy ? 'ok' : 'unavailable', version, faults: all, roles },
    { status: healthy ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  )
}
