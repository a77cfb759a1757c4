import { type Connection, count, destroy, endNow, type ServerState } from './connection.ts'
import { decideLate, type Late, type Watched } from './deadlines.ts'
import { CONTENT_TOO_SLOW, HEAD_TOO_SLOW, refuse } from './refuse.ts'
import { readUnacknowledged, toPeerKey } from './unacknowledged.ts'

/** Holds every connection to its deadlines. One timer for all: none is made for a request. */
export function sweep(server: ServerState): void {
  const nowMs = server.clock.elapsedMs()
  const suspects: Connection[] = []
  for (const connection of server.connections) {
    const { coming, going } = connection
    const late = decideLate({ watched: toWatched(connection), coming, going, nowMs, limits: server.limits })
    if (late === 'answer') suspects.push(connection)
    else act(connection, late)
  }
  if (suspects.length > 0) void cutReaders(server, suspects)
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
  if (late === 'head') refuse(connection, HEAD_TOO_SLOW)
  else if (late === 'content') refuse(connection, CONTENT_TOO_SLOW)
  else endNow(connection)
}

/**
 * Cuts those of whom the kernel took too little in a window, unless they acknowledged enough since they were last looked
 * at: at the first look all they ever read counts, so who stops is cut after two windows at most.
 */
async function cutReaders(server: ServerState, suspects: readonly Connection[]): Promise<void> {
  const localPort = suspects[0]?.socket.localPort ?? 0
  const unacknowledged = await readUnacknowledged(localPort)
  for (const connection of suspects) {
    if (connection.phase === 'closed' || connection.waiting.length === 0) continue
    const held = unacknowledged?.get(toPeerKey(connection.address, connection.socket.remotePort))
    const acknowledgedBytes = held === undefined ? connection.acknowledgedBytes : connection.takenBytes - held
    const progressBytes = acknowledgedBytes - connection.acknowledgedBytes
    connection.acknowledgedBytes = acknowledgedBytes
    if (progressBytes >= server.limits.edgeAnswerBytesPerWindowMin) continue
    count(server, 'reader-too-slow')
    destroy(connection)
  }
}
