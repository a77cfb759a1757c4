import type { Socket } from 'bun'

/** Who has an exchange on a connection. Nothing is told before `take`, nor after it was let go of. */
export type Listener = {
  /** A buffer of its own, which may be kept. */
  bytes(chunk: Buffer): void
  /** The kernel has taken all that was written. */
  drained(): void
  /** The origin sends nothing more. */
  ended(): void
  /** A reset, or an end that nobody announced. */
  broken(error: Error | null): void
}

/** One connection to an origin. It carries one exchange at a time, and nobody's bytes between two. */
export type Connection = {
  socket: Socket<Connection> | null
  phase: 'opening' | 'ready' | 'closed'
  listener: Listener | null
  /** What the kernel has not taken yet. */
  waiting: Uint8Array | null
  paused: boolean
  /** The turn of the event loop in which it was last used again. */
  takenTurn: number
  readonly hooks: ConnectionHooks
}

/** What becomes of a connection as a whole; each is told at most once. */
export type ConnectionHooks = {
  opened(connection: Connection): void
  /** `error` tells why it never opened, if it did not. */
  closed(connection: Connection, error: Error | null): void
}

export function createConnection(hooks: ConnectionHooks): Connection {
  return { socket: null, phase: 'opening', listener: null, waiting: null, paused: false, takenTurn: -1, hooks }
}

/**
 * True when the kernel took all of it; else `drained` follows. To be called again only then. A socket that was reset or
 * ended takes nothing: `broken` or `ended` tells of it, or has told.
 */
export function writeTo(connection: Connection, bytes: Uint8Array): boolean {
  if (connection.phase !== 'ready' || !connection.socket) return true
  const taken = connection.socket.write(bytes)
  if (taken < 0 || taken === bytes.byteLength) return true
  connection.waiting = bytes.subarray(taken)
  return false
}

function flush(connection: Connection): void {
  const { waiting } = connection
  if (!waiting) return
  connection.waiting = null
  if (writeTo(connection, waiting)) connection.listener?.drained()
}

/** Measured: while paused neither data nor the end is told, but a reset is, and with it what the kernel still held. */
export function pauseReading(connection: Connection): void {
  if (connection.paused || connection.phase !== 'ready') return
  connection.paused = true
  connection.socket?.pause()
}

export function resumeReading(connection: Connection): void {
  if (!connection.paused || connection.phase !== 'ready') return
  connection.paused = false
  connection.socket?.resume()
}

/** Ends it in the middle of something, by a reset. Whoever has it is not told. */
export function destroy(connection: Connection): void {
  const { socket } = connection
  if (leave(connection, null)) socket?.terminate()
}

/** Ends one that owes nothing. */
export function endNow(connection: Connection): void {
  const { socket } = connection
  if (leave(connection, null)) socket?.end()
}

function leave(connection: Connection, error: Error | null): boolean {
  if (connection.phase === 'closed') return false
  connection.phase = 'closed'
  connection.listener = null
  connection.waiting = null
  connection.hooks.closed(connection, error)
  return true
}

function fail(connection: Connection, error: Error | null): void {
  const { listener } = connection
  if (leave(connection, error)) listener?.broken(error)
}

function ready(connection: Connection): void {
  if (connection.phase !== 'opening') return
  connection.phase = 'ready'
  // An origin that vanished without a word is noticed also while nothing is asked of it.
  connection.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
  connection.hooks.opened(connection)
}

/** When the kernel begins to probe; how long it probes is its own setting, so this bounds nothing that an operator could count on. */
const KEEP_ALIVE_MS = 1_000

/** What comes while nobody waits for anything is no answer, and would be taken for one to the next request (RFC 9112, 9.3 and 11.1). */
function receive(connection: Connection, chunk: Buffer): void {
  if (connection.listener) connection.listener.bytes(chunk)
  else destroy(connection)
}

function receiveEnd(connection: Connection): void {
  if (connection.listener) connection.listener.ended()
  else endNow(connection)
}

/** Opens it. Certificates are verified, for the name that was asked for, against the well-known and `NODE_EXTRA_CA_CERTS`. */
export function open(
  connection: Connection,
  to: { readonly hostname: string; readonly port: number; readonly secure: boolean },
): void {
  const { hostname, port, secure } = to
  // RFC 6066, 3: an address is no server name. Measured: with an empty one the address itself is verified.
  const tls = secure ? { serverName: /^[\d.]+$|:/.test(hostname) ? '' : hostname } : undefined
  Bun.connect<Connection>({
    hostname,
    port,
    data: connection,
    // What an origin sends after its last request came is read to its end, and an end can be told from a reset.
    allowHalfOpen: true,
    socket: secure ? SECURE : PLAIN,
    ...(tls ? { tls } : {}),
  }).catch((error: unknown) => fail(connection, toError(error)))
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

type Handlers = Bun.SocketHandler<Connection>

const COMMON: Handlers = {
  data: ({ data }, chunk) => receive(data, chunk),
  drain: ({ data }) => flush(data),
  end: ({ data }) => receiveEnd(data),
  close: ({ data }, error) => fail(data, error ?? null),
  error: (socket, error) => {
    fail(socket.data, error)
    socket.terminate()
  },
  connectError: ({ data }, error) => fail(data, error),
}

/** One that nobody waits for any more is let go of when it opens at last: there is no way to call off the attempt. */
function accept(socket: Socket<Connection>): boolean {
  const connection = socket.data
  connection.socket = socket
  if (connection.phase === 'opening') return true
  socket.terminate()
  return false
}

const PLAIN: Handlers = {
  ...COMMON,
  open: (socket) => {
    if (accept(socket)) ready(socket.data)
  },
}

const SECURE: Handlers = {
  ...COMMON,
  open: (socket) => void accept(socket),
  handshake: (socket, success, error) => {
    if (success) ready(socket.data)
    else fail(socket.data, error ?? new Error('the TLS handshake failed'))
  },
}
