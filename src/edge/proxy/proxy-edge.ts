import { type Clock, describeError, type Logger, systemClock } from '../../kernel/index.ts'
import { DEFAULT_POLICY, type PolicyOptions } from '../cache/policy/index.ts'
import { findAmbiguity } from '../guard.ts'
import { createMemoryTier, type MemoryStatistics } from '../memory/index.ts'
import { createOrigins, createSharedFetches } from '../origin/index.ts'
import { type EdgeProblem, toProblemResponse } from '../problem.ts'
import { parseTarget } from '../target.ts'
import { createCachingProxy, type FetchedHead } from './caching-proxy.ts'
import { type CacheMeta, createResponseCache } from './response-cache.ts'

export type ProxyEdgeOptions = {
  /** 0 picks a free one. */
  readonly port: number
  readonly hostname?: string
  /** Of the same content; `http://host:port`. */
  readonly origins: readonly string[]
  /** The hard bound of the memory tier. */
  readonly cacheBytes: number
  readonly logger: Logger
  readonly policy?: Partial<PolicyOptions>
  readonly clock?: Clock
}

export type ProxyEdge = {
  readonly port: number
  statistics(): MemoryStatistics & { readonly bytes: number; readonly fetches: number }
  /** Takes no new connections, waits for what is under way, closes. */
  close(options: { readonly drainMs: number }): Promise<void>
}

/** A megabyte of a film is one piece: what is asked for again and again is sent without putting pieces together. */
const SLICE_BYTES = 1024 * 1024
const URI_CHARS_MAX = 8_192
const IDLE_SECONDS = 60

/** The edge alone: a shared HTTP cache (RFC 9111) in front of any HTTP/1.1 origin. Throws on origins that cannot be. */
export function createProxyEdge(options: ProxyEdgeOptions): ProxyEdge {
  const { logger, clock = systemClock } = options
  const policy = { ...DEFAULT_POLICY, ...options.policy }
  const tier = createMemoryTier<CacheMeta>({
    bytesMax: options.cacheBytes,
    sliceBytes: SLICE_BYTES,
    variantsMax: policy.variantsMax,
  })
  const origins = createOrigins({
    origins: options.origins.map((url) => ({ url })),
    clock,
    onHealth: (url, { state }) => logger.info('an origin changed', { url, state }),
  })
  const fetches = createSharedFetches<FetchedHead>({ clock })
  const cache = createResponseCache({ tier, policy, sliceBytes: SLICE_BYTES })
  const proxy = createCachingProxy({ origins, cache, fetches, policy, clock })

  const server = Bun.serve({
    port: options.port,
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    development: false,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch(request, self) {
      const refusal = refuse(request)
      if (refusal) return toProblemResponse(refusal)
      const target = parseTarget(request.url)
      if (!target) return toProblemResponse(badTarget)
      return proxy.handle(request, target, () => self.requestIP(request)?.address ?? 'unknown')
    },
    error(error) {
      logger.error('a request failed unexpectedly', { error: describeError(error), stack: error.stack })
      return toProblemResponse({ status: 500, code: 'internal', detail: 'the edge failed; the fault is not yours' })
    },
  })

  return {
    port: server.port ?? options.port,
    statistics: () => ({ ...tier.statistics(), bytes: tier.bytes(), fetches: fetches.stats().fetches }),
    async close({ drainMs }) {
      const timer = Promise.withResolvers<void>()
      const handle = setTimeout(timer.resolve, drainMs)
      await Promise.race([server.stop(false), timer.promise])
      clearTimeout(handle)
      await server.stop(true)
      origins.close()
    },
  }
}

function refuse(request: Request): EdgeProblem | null {
  if (request.url.length > URI_CHARS_MAX)
    return { status: 414, code: 'uri-too-long', detail: `expected an address of at most ${URI_CHARS_MAX} characters` }
  if (request.method === 'CONNECT')
    return { status: 405, code: 'method-not-allowed', detail: 'CONNECT: this is a gateway, not a tunnel' }
  return findAmbiguity(request.headers)
}

const badTarget: EdgeProblem = {
  status: 400,
  code: 'target-invalid',
  detail: 'expected a path without empty or dot segments, backslashes, or encoded ones, and a well-formed Host',
}
