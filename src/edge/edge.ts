import { join } from 'node:path'
import type { PathKeys } from '../contracts/index.ts'
import type { LogPort } from '../engines/log/index.ts'
import type { ObjectsPort } from '../engines/objects/index.ts'
import { type Clock, describeError, type Limits, type Logger, systemClock } from '../kernel/index.ts'
import { createApi } from './api.ts'
import { createCells, type EdgeCell } from './cells.ts'
import { findAmbiguity } from './guard.ts'
import { createMedia } from './media.ts'
import { toProblemResponse } from './problem.ts'
import { createRevocations } from './revocations.ts'
import { readSite, type Site, siteNotBuilt } from './site.ts'
import { parseTarget } from './target.ts'

export type EdgeOptions = {
  /** 0 picks a free one. */
  readonly port: number
  readonly cells: readonly EdgeCell[]
  readonly log: LogPort
  readonly objects: ObjectsPort
  readonly pathKeys: PathKeys
  readonly webDirectory: string
  readonly limits: Limits
  readonly logger: Logger
  readonly version: string
  readonly clock?: Clock
}

export type Edge = {
  readonly port: number
  /** What is not well, one sentence each. */
  faults(): readonly string[]
  /** Requests not answered to their end. */
  inFlight(): number
  /** Takes no new connections, waits for what is under way within `drainMs`, closes. Does not close what it was given. */
  close(): Promise<void>
}

const SITE_RETRY_MS = 500
const IDLE_SECONDS_MAX = 255

/** The thin front: routes to cells, serves media and the watch page. No domain logic, no database. */
export function createEdge(options: EdgeOptions): Edge {
  const { limits, logger, clock = systemClock } = options
  const cells = createCells(options.cells, limits)
  const revocations = createRevocations({
    log: options.log,
    limits,
    logger,
    clock,
    onWithdrawn: (titleId) => media.withdraw(titleId),
  })
  const holdSeconds = toIdleSeconds(limits.segmentHoldMs + limits.apiTimeoutMs)
  const media = createMedia({
    ...options,
    cells,
    revocations,
    clock,
    onHold: (request) => server.timeout(request, holdSeconds),
  })
  const api = createApi({ cells, limits })
  const site = openSite(options)

  const faults = (): string[] => [
    ...cells.missing().map((name) => `cell ${name} is not connected`),
    ...(revocations.trusted() ? [] : ['the log is silent or not caught up with: protected titles are refused']),
    ...(site.current() ? [] : ['the watch page is not built']),
  ]

  const route = (request: Request): Response | Promise<Response> => {
    const ambiguity = findAmbiguity(request.headers)
    if (ambiguity) return toProblemResponse(ambiguity)
    const target = parseTarget(request.url)
    if (!target) return toProblemResponse(badTarget)
    const { path } = target
    if (path.startsWith('/v1/')) return api(request, target)
    if (path.startsWith('/v/')) return media.protected(request, path)
    if (path.startsWith('/art/')) return media.artwork(request, path)
    if (path === '/healthz') return toHealthResponse(faults(), options.version)
    return site.current()?.(request, path) ?? toProblemResponse(siteNotBuilt)
  }

  const server = Bun.serve({
    port: options.port,
    development: false,
    // Also what cuts a client that does not read its answer.
    idleTimeout: toIdleSeconds(Math.max(limits.edgeWriteTimeoutMs, limits.apiTimeoutMs)),
    // Larger than any body taken, so that our own refusal, which says why, is what a client gets.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: route,
    error(error) {
      logger.error('a request failed unexpectedly', { error: describeError(error), stack: error.stack })
      return toProblemResponse({ status: 500, code: 'internal', detail: 'the edge failed; the fault is not yours' })
    },
  })

  return {
    port: server.port ?? options.port,
    faults,
    inFlight: () => server.pendingRequests,
    async close() {
      site.close()
      await withinMs(server.stop(false), limits.drainMs)
      await server.stop(true)
      await revocations.close()
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

function toHealthResponse(faults: readonly string[], version: string): Response {
  const healthy = faults.length === 0
  return Response.json(
    { status: healthy ? 'ok' : 'failing', version, faults },
    { status: healthy ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  )
}

const badTarget = {
  status: 400,
  code: 'target-invalid',
  detail: 'expected a path without empty or dot segments, backslashes, or encoded ones, and a well-formed Host',
}

function toIdleSeconds(ms: number): number {
  return Math.min(IDLE_SECONDS_MAX, Math.max(1, Math.ceil(ms / 1000)))
}

async function withinMs(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
