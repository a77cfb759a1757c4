import { FULL, isFull } from './bucket.ts'

/** What is known of one client. */
export type Client = {
  readonly key: string
  connections: number
  /** Its bucket, as `bucket.ts` has it. */
  fullAtMs: number
}

export type ClientTable = {
  /** Who goes by this key; a stranger is taken in if there is room, else is one of the crowd. */
  find(key: string, nowMs: number): Client
  /** Has connections from now on: not forgotten. */
  hold(client: Client): void
  /** Its last connection is gone: may be forgotten once its bucket is full. */
  rest(client: Client): void
  /** How many are kept count of, the crowd not among them. */
  size(): number
}

/**
 * At most `clientsMax` clients. Whoever has a connection is never forgotten, and nobody is whose bucket is not full: to be
 * forgotten would be a new burst. When there is nobody to forget, strangers are counted together as one client, so that an
 * attacker with many addresses shuts out strangers for a while and nobody who was there before.
 */
export function createClientTable({ clientsMax }: { readonly clientsMax: number }): ClientTable {
  const clients = new Map<string, Client>()
  /** Without connections, the longest at rest first. */
  const resting = new Set<Client>()
  const crowd: Client = { key: '', connections: 0, fullAtMs: FULL }

  const forgetOldest = (nowMs: number): boolean => {
    for (const oldest of resting) {
      if (!isFull(oldest.fullAtMs, nowMs)) return false
      resting.delete(oldest)
      clients.delete(oldest.key)
      return true
    }
    return false
  }
  const takeIn = (key: string): Client => {
    const client: Client = { key, connections: 0, fullAtMs: FULL }
    clients.set(key, client)
    resting.add(client)
    return client
  }

  return {
    find(key, nowMs) {
      const known = clients.get(key)
      if (known) return known
      // Two go for one that comes: the table shrinks to those who were here lately, and no sweep is needed.
      forgetOldest(nowMs)
      forgetOldest(nowMs)
      return clients.size < clientsMax ? takeIn(key) : crowd
    },
    hold: (client) => void resting.delete(client),
    rest(client) {
      if (client !== crowd) resting.add(client)
    },
    size: () => clients.size,
  }
}
