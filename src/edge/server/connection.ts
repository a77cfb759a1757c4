import type { Socket } from 'bun'
import type { Clock, Logger } from '../../kernel/index.ts'
import type { BodyReader } from './body-reader.ts'
import type { Canceller } from './cancel.ts'
import type { DateText } from './date-text.ts'
import type { Progress } from './deadlines.ts'
import type { RequestHeadRead } from './head.ts'
import type { Answer, ServerRequest } from './message.ts'
import type { ServerLimits, ServerOptions } from './options.ts'
import { createHeadParser, type HeadParser } from './parse-head.ts'
import type { Phase } from './phase.ts'

/** What all connections of one server share. */
export type ServerState = {
  readonly limits: ServerLimits
  readonly logger: Logger
  readonly clock: Clock
  readonly options: Pick<ServerOptions, 'handle' | 'onExchange' | 'admission'>
  readonly connections: Set<Connection>
  readonly refusals: Map<string, number>
  /** Small answers are put together here and given to the kernel before anything else runs. */
  readonly scratch: Buffer
  readonly date: DateText
  /** Goes on reading a connection whose exchange is over. */
  readonly readOn: (connection: Connection) => void
  /** Lets go of a connection that is closed; to be told twice is harmless. */
  readonly forget: (connection: Connection) => void
  draining: boolean
  inFlight: number
}

export type Connection = {
  readonly server: ServerState
  readonly socket: Socket<Connection>
  readonly address: string
  readonly parser: HeadParser
  phase: Phase
  /** When the phase began. */
  sinceMs: number
  /** What has come and is not read yet begins at `heldStart`; before `scannedTo` no head ends. */
  held: Buffer | null
  heldStart: number
  scannedTo: number
  /** Heads are being read further up the stack: whoever ends an exchange need not go on reading. */
  reading: boolean
  exchange: ActiveExchange | null
  /** Content that has not come to its end. While there is one nothing is held. */
  body: BodyReader | null
  persists: boolean
  /** The client waits for a 100 before it sends its content. */
  continueOwed: boolean
  /** The client has sent its FIN: it may wait for its answer still, or be gone, which the next write shows. */
  clientEnded: boolean
  paused: boolean
  /** What the kernel did not take yet, of the first from `waitingStart`. */
  waiting: Uint8Array[]
  waitingStart: number
  /** Whoever goes on once all has been taken. */
  drained: (() => void) | null
  takenBytes: number
  /** Of these, what the client had acknowledged when it was last looked at. */
  acknowledgedBytes: number
  lingeredBytes: number
  readonly coming: Progress
  readonly going: Progress
}

export type ActiveExchange = {
  readonly connection: Connection
  readonly head: RequestHeadRead
  readonly request: ServerRequest
  /** Null when it has no content. */
  readonly body: BodyReader | null
  readonly startedMs: number
  /** `takenBytes` of the connection at its beginning. */
  readonly takenBefore: number
  /** Of the answer that is written. No other is written from then on. */
  answer: Answer | null
  /** What of the answer is no content. */
  overheadBytes: number
  /** Answered to its end, or never to be. */
  over: boolean
  /** The client is gone, or was refused while its request was handled. */
  gone: boolean
  controller: Canceller | null
  reader: ReadableStreamDefaultReader<Uint8Array> | null
}

export function createConnection(server: ServerState, socket: Socket<Connection>, nowMs: number): Connection {
  return {
    server,
    socket,
    address: toAddress(socket.remoteAddress),
    parser: createHeadParser(server.limits),
    phase: 'idle',
    sinceMs: nowMs,
    held: null,
    heldStart: 0,
    scannedTo: 0,
    reading: false,
    exchange: null,
    body: null,
    persists: true,
    continueOwed: false,
    clientEnded: false,
    paused: false,
    waiting: [],
    waitingStart: 0,
    drained: null,
    takenBytes: 0,
    acknowledgedBytes: 0,
    lingeredBytes: 0,
    coming: { sinceMs: -1, bytes: 0 },
    going: { sinceMs: -1, bytes: 0 },
  }
}

/** On a socket of both families an IPv4 client has an IPv6 form (RFC 4291, 2.5.5.2): it is the same client. */
function toAddress(remote: string): string {
  return remote.startsWith('::ffff:') ? remote.slice(7) : remote
}

export function enter(connection: Connection, phase: Phase, nowMs: number): void {
  connection.phase = phase
  connection.sinceMs = nowMs
}

/** Measured: a paused socket reports neither data nor FIN, but a reset at once, and with it what the kernel still held. */
export function pauseReading(connection: Connection): void {
  if (connection.paused || connection.phase === 'closed') return
  connection.paused = true
  connection.socket.pause()
}

export function resumeReading(connection: Connection): void {
  if (!connection.paused || connection.phase === 'closed') return
  connection.paused = false
  connection.socket.resume()
}

/** Ends it so that the client sees that it did not end well: by a reset. */
export function destroy(connection: Connection): void {
  if (connection.phase === 'closed') return
  connection.socket.terminate()
  connection.server.forget(connection)
}

/** Ends one that owes nothing. Measured: `end()` closes both directions, so it is only for connections that lingered or rest. */
export function endNow(connection: Connection): void {
  if (connection.phase === 'closed') return
  connection.socket.end()
  connection.server.forget(connection)
}

/**
 * RFC 9112, 9.6: our side is closed, but what the client still sends is read for a moment; a socket closed over unread bytes
 * answers with a reset, by which the client may lose the answer before it has read it. Measured: `shutdown()` keeps reading,
 * and the client's FIN then closes the socket.
 */
export function linger(connection: Connection, nowMs: number): void {
  if (connection.phase === 'closed' || connection.phase === 'linger') return
  connection.held = null
  connection.body?.discard()
  connection.body = null
  if (connection.clientEnded) {
    endNow(connection)
    return
  }
  enter(connection, 'linger', nowMs)
  resumeReading(connection)
  connection.socket.shutdown()
}

export function count(server: ServerState, code: string): void {
  server.refusals.set(code, (server.refusals.get(code) ?? 0) + 1)
}
