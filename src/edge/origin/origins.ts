import { type Clock, DEFAULT_LIMITS } from '../../kernel/index.ts'
import { startChecks } from './checks.ts'
import type { OriginRequest } from './exchange.ts'
import { type Health, orderOrigins } from './health.ts'
import type { OriginLimits } from './limits.ts'
import { createMember, type OriginAnswer } from './member.ts'
import { askOnly, race } from './race.ts'

export type OriginsOptions = {
  /** Several origins of the same content. `weight` (default 1) is the share of requests when all are up. */
  readonly origins: readonly { readonly url: string; readonly weight?: number }[]
  readonly limits?: Partial<OriginLimits>
  readonly clock: Clock
  /** In [0, 1); injected so that a test can repeat a run. */
  readonly random?: () => number
  /** Asks every origin for this path, besides what requests tell. */
  readonly check?: { readonly path: string; readonly everyMs: number }
  readonly onHealth?: (originUrl: string, health: Health) => void
}

export type Origins = {
  /**
   * Sends a request to the best origin, and to the next ones as `failover.ts` says. Resolves with the head as soon as it
   * is there; the body follows as it is read, and errors if it is cut off. Hop-by-hop fields of the response other
   * than its framing are the caller's to remove (RFC 9110, 7.6.1).
   */
  fetch(request: OriginRequest): Promise<OriginAnswer>
  health(): readonly { readonly url: string; readonly health: Health }[]
  close(): void
}

/** Throws on options that cannot work, naming every fault. */
export function createOrigins(options: OriginsOptions): Origins {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const random = options.random ?? Math.random
  const faults = options.origins.flatMap(checkOrigin)
  if (options.origins.length === 0) faults.push('origins: expected at least one, got none')
  if (faults.length > 0) throw new Error(`createOrigins: ${faults.join('; ')}`)
  const nowMs = (): number => options.clock.elapsedMs()
  const members = options.origins.map((origin) => createMember(origin, { ...options, limits, random, nowMs }))
  const checks = options.check
    ? startChecks({ members, check: options.check, random, timeoutMs: limits.edgeOriginHeadTimeoutMs })
    : null

  return {
    fetch(request) {
      const repeatable = isRepeatable(request)
      const standing = members.map((member) => ({ health: member.health(), weight: member.weight }))
      const order = orderOrigins(standing, { nowMs: nowMs(), repeatable, random }).slice(0, limits.edgeOriginTriesMax)
      if (order.length === 0) return Promise.resolve(ALL_DOWN)
      const only = order.length === 1 ? members[order[0] ?? 0] : undefined
      if (only) return askOnly(only, request, repeatable)
      return race({ members, order, request, repeatable, failoverMs: limits.edgeOriginFailoverMs })
    },
    health: () => members.map((member) => ({ url: member.url, health: member.health() })),
    close() {
      checks?.stop()
      for (const member of members) member.exchange.close()
    },
  }
}

const ALL_DOWN: OriginAnswer = { ok: false, code: 'origin-unreachable', why: 'every origin is down' }

/** Safe (RFC 9110, 9.2.1), hence idempotent (9.2.2), and without content that could be used up. */
function isRepeatable(request: OriginRequest): boolean {
  return request.body === null && /^(?:GET|HEAD|OPTIONS|TRACE)$/.test(request.method)
}

function checkOrigin(origin: { readonly url: string; readonly weight?: number }): string[] {
  const url = URL.canParse(origin.url) ? new URL(origin.url) : null
  const faults: string[] = []
  if (url === null || !/^https?:$/.test(url.protocol))
    faults.push(`origin: expected a URL of http or https, got ${JSON.stringify(origin.url)}`)
  else if (url.pathname !== '/' || url.search !== '' || url.username !== '' || url.password !== '')
    faults.push(`origin: expected scheme, host and port alone, got ${url.origin} with more`)
  if (origin.weight !== undefined && !(origin.weight > 0))
    faults.push(`weight: expected a number above 0, got ${origin.weight}`)
  return faults
}
