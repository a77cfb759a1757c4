import { createProxyEdge } from '../../src/edge/index.ts'
import { DEFAULT_LIMITS, type Limits, silentLogger } from '../../src/kernel/index.ts'
import { type RawOrigin, type Seen, type Step, startRawOrigin } from './raw-origin.ts'

export type AttackBed = {
  readonly port: number
  readonly origin: RawOrigin
  /** What the memory tier holds. */
  cachedBytes(): number
  close(): Promise<void>
}

const CACHE_BYTES = 16 * 1024 * 1024
/** What one object may hold of it. */
export const OBJECT_BYTES_MAX: number = CACHE_BYTES * DEFAULT_LIMITS.edgeObjectShareMax

/** The edge alone, in front of an origin that answers as the script says. */
export async function openAttackBed(
  script: (seen: Seen) => readonly Step[],
  options: {
    readonly ignoresContent?: boolean
    readonly limits?: Partial<Limits>
    readonly exemptNetworks?: readonly string[]
  } = {},
): Promise<AttackBed> {
  const origin = await startRawOrigin(script, options)
  const edge = createProxyEdge({
    port: 0,
    hostname: '127.0.0.1',
    origins: [origin.url],
    limits: { edgeCacheBytes: CACHE_BYTES, ...options.limits },
    logger: silentLogger,
    ...(options.exemptNetworks ? { exemptNetworks: options.exemptNetworks } : {}),
  })
  return {
    port: edge.port,
    origin,
    cachedBytes: () => edge.statistics().bytes,
    async close() {
      await edge.close({ drainMs: 100 })
      origin.close()
    },
  }
}

/** A whole answer with its length. */
export function answer(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** Says what was asked for, so that an answer for somebody else would be seen. */
export const echo = (seen: Seen): readonly Step[] => [answer(`for ${seen.line}`, 'Cache-Control: no-store\r\n')]
