import type { PathKeys } from '../../contracts/index.ts'
import { type Clock, DEFAULT_LIMITS, type Limits, type Logger, systemClock } from '../../kernel/index.ts'
import type { PolicyOptions } from '../cache/policy/index.ts'
import { createAdmission } from '../clients/index.ts'
import type { MemoryStatistics } from '../memory/index.ts'
import { createOrigins, type Origins } from '../origin/index.ts'
import { toProblemAnswer } from '../problem.ts'
import { type Answer, createHttpServer, type Exchange, type HttpServer, type ServerRequest } from '../server/index.ts'
import type { Upstream } from './ask.ts'
import { createCacheStack } from './cache-stack.ts'
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
}

export type ProxyEdge = {
  readonly port: number
  statistics(): MemoryStatistics & { readonly fetches: number }
  originsHealth: Origins['health']
  server: Pick<HttpServer, 'inFlight' | 'connections' | 'refusals'>
  /** Takes no new connections, waits for what is under way, closes. */
  close(options: { readonly drainMs: number }): Promise<void>
}

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128']

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
    admission: createAdmission({ limits, exempt: options.exemptNetworks ?? LOOPBACK, clock }),
    handle: serve,
    ...(onExchange ? { onExchange } : {}),
  })

  return {
    port: server.port,
    statistics: () => ({ ...tier.statistics(), fetches: fetches.stats().fetches }),
    originsHealth: () => origins.health(),
    server,
    async close({ drainMs }) {
      await server.close({ drainMs })
      origins.close()
    },
  }
}
