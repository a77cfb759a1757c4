import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { describeError, Fault } from '../../kernel/index.ts'

/** Where a crowd goes. */
export type Target = {
  /** A name or an address, without the brackets of IPv6. */
  readonly host: string
  /** What connections are made to: resolving a name for each would measure the resolver. Null until `resolveTarget`. */
  readonly address: string | null
  readonly port: number
  readonly tls: boolean
  /** What goes into the Host field. */
  readonly hostHeader: string
  /** Certificate authorities (PEM) to trust in place of the system's; null for those. */
  readonly certificateAuthority: string | null
}

const CONNECT_TIMEOUT_MS = 3_000

/** Throws a Fault (`target-invalid`) for what is no address of a server. */
export function parseTarget(url: string): Target {
  const parsed = URL.canParse(url) ? new URL(url) : null
  const refuse = (got: string): Fault =>
    new Fault(
      'target-invalid',
      `${JSON.stringify(url)} is no target: expected http://HOST[:PORT] or https://HOST[:PORT], got ${got}; give the address that viewers open, without a path.`,
    )
  if (!parsed) throw refuse('something that is no URL')
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw refuse(`the scheme ${parsed.protocol}`)
  if (parsed.username !== '' || parsed.password !== '') throw refuse('a user name or password')
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '')
    throw refuse('a path, a query or a fragment')
  const tls = parsed.protocol === 'https:'
  const host = parsed.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    address: isIP(host) === 0 ? null : host,
    port: parsed.port === '' ? (tls ? 443 : 80) : Number(parsed.port),
    tls,
    hostHeader: parsed.host,
    certificateAuthority: null,
  }
}

/**
 * Resolves the name once. Of several addresses the first that accepts a connection is taken (`localhost` is often two,
 * and a server listens on one); when none does, the first. Throws a Fault (`target-unknown`).
 */
export async function resolveTarget(target: Target): Promise<Target> {
  if (target.address !== null) return target
  const found = await lookup(target.host, { all: true }).catch((error: unknown) => {
    throw new Fault(
      'target-unknown',
      `The name ${target.host} has no address: ${describeError(error)}. Check the spelling, or give an IP address.`,
      { cause: error },
    )
  })
  for (const { address } of found) {
    if (await accepts(address, target.port)) return { ...target, address }
  }
  return { ...target, address: found[0]?.address ?? target.host }
}

async function accepts(address: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), CONNECT_TIMEOUT_MS)
  Bun.connect({
    hostname: address,
    port,
    socket: {
      open(socket) {
        socket.end()
        resolve(true)
      },
      data() {},
      connectError: () => resolve(false),
    },
  }).catch(() => resolve(false))
  const accepted = await promise
  clearTimeout(timer)
  return accepted
}
