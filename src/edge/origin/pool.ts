import { type Connection, type ConnectionHooks, createConnection, destroy, endNow, open } from './connection.ts'

/** Who wants a connection. */
export type Seeker = {
  /** One that nothing was asked on yet. */
  readonly fresh: boolean
  /** Told once, at once or later: it is the seeker's until it is released or closed. */
  take(connection: Connection, reused: boolean): void
  /** The connection that was opened for it could not be. */
  failed(error: Error): void
}

/** Connections to one origin: those in use, and those at rest, of which the last one used is the first to be used again. */
export type Pool = {
  seek(seeker: Seeker): void
  /** It waits no more. */
  leave(seeker: Seeker): void
  /** Whether a connection is being opened for it: it does not wait for others to be done. */
  isOpening(seeker: Seeker): boolean
  /**
   * Whether what comes now can have been there before the request was written, unseen by us: then it is no answer to it. An
   * answer is told in a later turn of the event loop, as it is read after the loop has waited for it.
   */
  isSameTurn(connection: Connection): boolean
  /** Takes back one whose exchange is over and which can carry another. */
  release(connection: Connection): void
  close(): void
}

export function createPool(options: {
  readonly hostname: string
  readonly port: number
  readonly secure: boolean
  readonly connectionsMax: number
  readonly idleMax: number
}): Pool {
  const { connectionsMax, idleMax } = options
  const connections = new Set<Connection>()
  const idle: Connection[] = []
  const opening = new Map<Connection, Seeker>()
  /** Oldest first. How long one waits is bounded by the time to connect, how many by who may ask at once. */
  const queue = new Set<Seeker>()
  let isClosed = false
  let turn = 0
  let isTurnMarked = false

  const reuse = (connection: Connection, seeker: Seeker): void => {
    connection.takenTurn = turn
    if (!isTurnMarked) {
      isTurnMarked = true
      // Measured: runs after all that one wait of the loop has brought.
      setImmediate(() => {
        isTurnMarked = false
        turn += 1
      })
    }
    seeker.take(connection, true)
  }
  const hooks: ConnectionHooks = {
    opened(connection) {
      const seeker = opening.get(connection)
      opening.delete(connection)
      seeker?.take(connection, false)
    },
    closed(connection, error) {
      connections.delete(connection)
      const at = idle.indexOf(connection)
      if (at >= 0) idle.splice(at, 1)
      const seeker = opening.get(connection)
      opening.delete(connection)
      seeker?.failed(error ?? new Error('the connection was closed before it was open'))
      serveQueue()
    },
  }
  const begin = (seeker: Seeker): void => {
    const connection = createConnection(hooks)
    connections.add(connection)
    opening.set(connection, seeker)
    open(connection, options)
  }
  const serveQueue = (): void => {
    while (!isClosed && connections.size < connectionsMax) {
      const [seeker] = queue
      if (!seeker) return
      queue.delete(seeker)
      begin(seeker)
    }
  }

  return {
    seek(seeker) {
      if (isClosed) {
        seeker.failed(new Error('the origin is no longer used'))
        return
      }
      const rested = seeker.fresh ? undefined : idle.pop()
      if (rested) {
        reuse(rested, seeker)
        return
      }
      const oldest = connections.size < connectionsMax ? undefined : idle.shift()
      if (oldest) endNow(oldest)
      if (connections.size < connectionsMax) begin(seeker)
      else queue.add(seeker)
    },
    leave(seeker) {
      queue.delete(seeker)
      for (const [connection, other] of opening) {
        if (other !== seeker) continue
        opening.delete(connection)
        destroy(connection)
        return
      }
    },
    isOpening: (seeker) => !queue.has(seeker),
    isSameTurn: ({ takenTurn }) => takenTurn === turn,
    release(connection) {
      connection.listener = null
      const [next] = queue
      if (isClosed || next?.fresh || (!next && idle.length >= idleMax)) {
        endNow(connection)
        return
      }
      if (!next) {
        idle.push(connection)
        return
      }
      queue.delete(next)
      reuse(connection, next)
    },
    close() {
      isClosed = true
      const error = new Error('the origin is no longer used')
      for (const seeker of [...queue]) seeker.failed(error)
      queue.clear()
      for (const connection of [...connections]) {
        const { listener } = connection
        destroy(connection)
        listener?.broken(error)
      }
    },
  }
}
