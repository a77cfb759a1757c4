import { DEFAULT_EXEMPT_NETWORKS, type PathKeys } from '../../contracts/index.ts'
import { type Clock, DEFAULT_LIMITS, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import type { PolicyOptions } from '../cache/policy/index.ts'
import { createAdmission } from '../clients/index.ts'
import { createPurgeable, type Purgeable } from '../heard/index.ts'
import type { MemoryStatistics } from '../memory/index.ts'
import { createEdgeMeter, type EdgeMeter } from '../metrics/index.ts'
import { createOrigins } from '../origin/index.ts'
import { toProblemAnswer } from '../problem.ts'
import { type Answer, createHttpServer, type Exchange, type ServerRequest } from '../server/index.ts'
import { createProxyAdmin } from './admin.ts'
import type { Upstream } from './ask.ts'
import { createCacheStack } from './cache-stack.ts'
import type { FetchedHead } from './land.ts'
import { toRequestHead } from './messages.ts'
import { createSignedPaths, withoutTokens } from './signed-paths.ts'

export type ProxyEdgeOptions = {
  /** 0 picks a free one. */
  readonly port: number
  readonly hostname?: string
  /** Of the same content; `http://host:port`. */
  readonly origins: readonly string[]
  /** `edgeCacheBytes` is the hard bound of the memory tier. */
  readonly limits?: Partial<Limits>
  readonly logger: Logger
  readonly policy?: Partial<PolicyOptions>
  readonly clock?: Clock
  /** With keys only signed addresses are served, `/v/<token>/<path>`, and paths that begin with one of the public prefixes. */
  readonly signatures?: { readonly keys: () => PathKeys; readonly publicPrefixes: readonly string[] }
  /** Networks whose clients are not counted; loopback unless told. */
  readonly exemptNetworks?: readonly string[]
  readonly onExchange?: (exchange: Exchange) => void
  /** An operator's door, on loopback: metrics and purges for who sends the token. */
  readonly admin?: { readonly port: number; readonly token: string }
}

export type ProxyEdge = {
  readonly port: number
  statistics(): MemoryStatistics & { readonly fetches: number }
  readonly adminPort: number | null
  readonly meter: EdgeMeter
  readonly purgeable: Purgeable
  /** Takes no new connections, waits for what is under way, closes. */
  close(options: { readonly drainMs: number }): Promise<void>
}

/** The edge alone: a shared HTTP cache (RFC 9111) in front of any HTTP/1.1 origin. Throws on origins that cannot be. */
export function createProxyEdge(options: ProxyEdgeOptions): ProxyEdge {
  const { logger, signatures, onExchange, clock = systemClock } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const origins = createOrigins({
    origins: options.origins.map((url) => ({ url })),
    limits,
    clock,
    onHealth: (url, { state }) => logger.info('an origin changed', { url, state }),
  })
  const upstream: Upstream<null> = (request) => origins.fetch(request)
  const { proxy, tier, fetches } = createCacheStack({
    upstream: signatures ? withoutTokens(upstream) : upstream,
    limits,
    clock,
    ...(options.policy ? { policy: options.policy } : {}),
  })
  const open = signatures && createSignedPaths({ ...signatures, tokensMax: limits.viewerTokensMemoMax, clock })

  const serve = (request: ServerRequest): Answer | Promise<Answer> => {
    const opened = open ? open(request) : request.path
    if (typeof opened !== 'string') return toProblemAnswer(opened)
    const path = opened + request.query
    const head = toRequestHead(request, `http://${request.host}${path}`)
    return proxy.handle({ request, head, path, cell: null, context: null })
  }

  const server = createHttpServer({
    port: options.port,
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    limits,
    logger,
    clock,
    admission: createAdmission({ limits, exempt: options.exemptNetworks ?? DEFAULT_EXEMPT_NETWORKS, clock }),
    handle: serve,
    onExchange(exchange) {
      meter.record(exchange)
      onExchange?.(exchange)
    },
  })
  const meter = createEdgeMeter({
    clock,
    limits,
    sources: {
      memory: () => ({ ...tier.statistics(), bytesMax: limits.edgeCacheBytes }),
      fetches: fetches.stats,
      origins: origins.health,
      server,
    },
  })
  const purgeable = createPurgeable({ tier, fetches, tagsOf: ({ tags }: FetchedHead) => tags })
  const admin = options.admin ? createProxyAdmin({ ...options.admin, meter, purgeable, limits, logger }) : null

  return {
    port: server.port,
    adminPort: admin?.port ?? null,
    meter,
    purgeable,
    statistics: () => ({ ...tier.statistics(), fetches: fetches.stats().fetches }),
    async close({ drainMs }) {
      await Promise.all([server.close({ drainMs }), admin?.close({ drainMs })])
      origins.close()
    },
  }
}
