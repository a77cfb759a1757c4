import { type Connection, count, destroy, endNow, type ServerState } from './connection.ts'
import { decideLate, type Late, type Watched } from './deadlines.ts'
import { CONTENT_TOO_SLOW, HEAD_TOO_SLOW, refuse } from './refuse.ts'

/** Holds every connection to its deadlines. One timer for all: none is made for a request. */
export function sweep(server: ServerState): void {
  const nowMs = server.clock.elapsedMs()
  for (const connection of server.connections) {
    const { coming, going } = connection
    act(connection, decideLate({ watched: toWatched(connection), coming, going, nowMs, limits: server.limits }))
  }
}

function toWatched({ phase, sinceMs, body, paused, continueOwed, waiting }: Connection): Watched {
  return {
    phase,
    sinceMs,
    awaitsContent: body !== null && !paused && !continueOwed,
    awaitsReader: waiting.length > 0,
  }
}

function act(connection: Connection, late: Late): void {
  if (late === null) return
  if (late === 'head') {
    refuse(connection, HEAD_TOO_SLOW)
    return
  }
  if (late === 'content') {
    refuse(connection, CONTENT_TOO_SLOW)
    return
  }
  if (late === 'answer') {
    count(connection.server, 'reader-too-slow')
    destroy(connection)
    return
  }
  endNow(connection)
}
