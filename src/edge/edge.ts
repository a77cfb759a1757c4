import { join } from 'node:path'
import type { PathKeys } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import type { ObjectsPort } from '../engines/objects/index.ts'
import { type Clock, type Limits, type Logger, systemClock } from '../kernel/index.ts'
import { createApi } from './api.ts'
import { createCells, type EdgeCell } from './cells.ts'
import { createAdmission } from './clients/index.ts'
import { applyPurge, createHeard, createPurgeable } from './heard/index.ts'
import { createMedia } from './media.ts'
import { createEdgeMeter, type EdgeMeter } from './metrics/index.ts'
import { toProblemAnswer } from './problem.ts'
import type { FetchedHead } from './proxy/land.ts'
import { type Answer, createHttpServer, type Exchange, type ServerRequest } from './server/index.ts'
import { readSite, type Site, siteNotBuilt } from './site.ts'

export type EdgeOptions = {
  /** 0 picks a free one. */
  readonly port: number
  readonly cells: readonly EdgeCell[]
  readonly log: LogPort
  readonly objects: ObjectsPort
  readonly pathKeys: () => PathKeys
  readonly webDirectory: string
  /** Networks whose clients are not counted. */
  readonly exemptNetworks: readonly string[]
  readonly limits: Limits
  readonly logger: Logger
  readonly version: string
  readonly clock?: Clock
  readonly onExchange?: (exchange: Exchange) => void
}

export type Edge = {
  readonly port: number
  /** What it has answered, and how its parts are. */
  readonly meter: EdgeMeter
  /** What is not well, one sentence each. */
  faults(): readonly string[]
  /** Requests not answered to their end. */
  inFlight(): number
  /** Takes no new connections, waits for what is under way within `drainMs`, closes. Does not close what it was given. */
  close(): Promise<void>
}

const SITE_RETRY_MS = 500

/** The thin front: routes to cells, serves media and the watch page. No domain logic, no database. */
export function createEdge(options: EdgeOptions): Edge {
  const { limits, logger, clock = systemClock } = options
  const cells = createCells(options.cells, limits)
  const heard = createHeard({
    log: options.log,
    limits,
    logger,
    clock,
    onWithdrawn: (titleId) => media.withdraw(titleId),
    onPurge(order) {
      const dropped = applyPurge(purgeable, order)
      logger.info('purged', { scope: order.scope, value: order.value, dropped })
    },
  })
  const media = createMedia({ ...options, cells, heard, clock })
  const { tier, fetches } = media.stack
  const purgeable = createPurgeable({ tier, fetches, tagsOf: ({ tags }: FetchedHead) => tags, ignoresHosts: true })
  const api = createApi({ cells, limits })
  const site = openSite(options)

  const faults = (): string[] => [
    ...cells.missing().map((name) => `cell ${name} is not connected`),
    ...(heard.trusted() ? [] : ['the log is silent or not caught up with: protected titles are refused']),
    ...(site.current() ? [] : ['the watch page is not built']),
  ]

  const route = (request: ServerRequest): Answer | Promise<Answer> => {
    const { path } = request
    if (path.startsWith('/v/')) return media.protected(request)
    if (path.startsWith('/v1/')) return api(request)
    if (path.startsWith('/art/')) return media.artwork(request)
    if (path === '/healthz') return toHealthAnswer(faults(), options.version)
    return site.current()?.(request) ?? toProblemAnswer(siteNotBuilt)
  }

  const server = createHttpServer({
    port: options.port,
    limits,
    logger,
    clock,
    admission: createAdmission({ limits, exempt: options.exemptNetworks, clock }),
    handle: route,
    onExchange(exchange) {
      meter.record(exchange)
      options.onExchange?.(exchange)
    },
  })
  const meter = createEdgeMeter({
    clock,
    limits,
    sources: {
      memory: () => ({ ...tier.statistics(), bytesMax: limits.edgeCacheBytes }),
      fetches: fetches.stats,
      cells: () => {
        const missing = cells.missing()
        return options.cells.map(({ name }) => ({ name, connected: !missing.includes(name) }))
      },
      server,
    },
  })

  return {
    meter,
    port: server.port,
    faults,
    inFlight: () => server.inFlight(),
    async close() {
      site.close()
      await server.close({ drainMs: limits.drainMs })
      await heard.close()
    },
  }
}

/** The supervisor may still be building the page when the edge starts. */
function openSite(options: EdgeOptions): { current(): Site | null; close(): void } {
  const directory = join(options.webDirectory, 'watch')
  let site = readSite(directory, options.limits)
  const timer = setInterval(() => {
    site ??= readSite(directory, options.limits)
    if (site) clearInterval(timer)
  }, SITE_RETRY_MS)
  return { current: () => site, close: () => clearInterval(timer) }
}

function toHealthAnswer(faults: readonly string[], version: string): Answer {
  const healthy = faults.length === 0
  return {
    status: healthy ? 200 : 503,
    head: 'content-type: application/json\r\ncache-control: no-store\r\n',
    body: Buffer.from(JSON.stringify({ status: healthy ? 'ok' : 'failing', version, faults })),
    lengthBytes: null,
  }
}
