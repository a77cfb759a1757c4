import type { Clock, Limits } from '../../kernel/index.ts'
import { createTextMemo } from '../http/text-memo.ts'
import { clientKey, contains, type Network, parseAddress, parseNetwork } from '../network/index.ts'
import type { Admission } from '../server/options.ts'
import { takeFrom, toRate, waitMsOf } from './bucket.ts'
import { type Client, createClientTable } from './client-table.ts'

export type AdmissionLimits = Pick<
  Limits,
  'edgeClientConnectionsMax' | 'edgeClientRequestsBurstMax' | 'edgeClientRequestsPerSecondMax' | 'edgeClientsMax'
>

export type AdmissionOptions = {
  readonly limits: AdmissionLimits
  /** Networks whose clients are not counted, as `parseNetwork` reads them. */
  readonly exempt: readonly string[]
  /** `take` is to be given its `elapsedMs()`. */
  readonly clock: Pick<Clock, 'elapsedMs'>
}

export type ClientAdmission = Admission & {
  /** Clients kept count of. */
  clients(): number
}

/** An address with connections. */
type Peer = { readonly client: Client | null; connections: number }

/**
 * Connections and requests of each client within its limits. A client is an IPv4 address or an IPv6 network of 64 bits.
 * Throws on an exempt network that is none.
 *
 * Addresses with connections lead to their client directly, so that a request costs one look-up; they are as many as
 * connections at most.
 */
export function createAdmission({ limits, exempt, clock }: AdmissionOptions): ClientAdmission {
  const networks = exempt.map(toNetwork)
  const rate = toRate({
    burstMax: limits.edgeClientRequestsBurstMax,
    perSecondMax: limits.edgeClientRequestsPerSecondMax,
  })
  const table = createClientTable({ clientsMax: limits.edgeClientsMax })
  const peers = new Map<string, Peer>()

  const isExempt = (address: string): boolean => {
    if (networks.length === 0) return false
    const parsed = parseAddress(address)
    return parsed !== null && networks.some((network) => contains(network, parsed))
  }
  // Reading an IPv6 address takes microseconds, and the same clients come again.
  const keyOf = createTextMemo((address) => (isExempt(address) ? null : clientKey(address)), {
    entriesMax: limits.edgeClientsMax,
    charsMax: ADDRESS_CHARS_MAX,
  })
  const clientAt = (address: string, nowMs: number): Client | null => {
    const key = keyOf(address)
    return key === null ? null : table.find(key, nowMs)
  }

  return {
    open(address) {
      const peer = peers.get(address) ?? { client: clientAt(address, clock.elapsedMs()), connections: 0 }
      const { client } = peer
      if (client) {
        if (client.connections >= limits.edgeClientConnectionsMax) return false
        if (client.connections === 0) table.hold(client)
        client.connections += 1
      }
      if (peer.connections === 0) peers.set(address, peer)
      peer.connections += 1
      return true
    },
    close(address) {
      const peer = peers.get(address)
      if (!peer) return
      peer.connections -= 1
      if (peer.connections === 0) peers.delete(address)
      if (!peer.client) return
      peer.client.connections -= 1
      if (peer.client.connections === 0) table.rest(peer.client)
    },
    take(address, nowMs) {
      const peer = peers.get(address)
      const client = peer ? peer.client : clientAt(address, nowMs)
      if (client === null) return 0
      const waitMs = waitMsOf(client.fullAtMs, nowMs, rate)
      if (waitMs === 0) client.fullAtMs = takeFrom(client.fullAtMs, nowMs, rate)
      return waitMs
    },
    clients: table.size,
  }
}

/** The longest form of IPv6 with IPv4 at its end (RFC 4291, 2.2). */
const ADDRESS_CHARS_MAX = 45

function toNetwork(text: string): Network {
  const network = parseNetwork(text)
  if (network) return network
  throw new Error(`exempt network: expected one such as "10.0.0.0/8" or "fd00::/8", got ${JSON.stringify(text)}`)
}
