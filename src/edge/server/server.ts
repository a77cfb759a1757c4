import type { Socket } from 'bun'
import { systemClock } from '../../kernel/index.ts'
import { type Connection, count, createConnection, destroy, endNow, type ServerState } from './connection.ts'
import { createDateText } from './date-text.ts'
import { toSweepMs } from './deadlines.ts'
import { abandonExchange, toText } from './end-exchange.ts'
import type { HttpServer, ServerOptions } from './options.ts'
import { readOn, receive, receiveEnd } from './receive.ts'
import { sweep } from './sweep.ts'
import { flush, wake } from './write-queue.ts'

/** Head and content of an answer up to this leave in one write: 64 KiB with what a head needs. One for all connections, so no limit. */
const SCRATCH_BYTES = 80 * 1024

/**
 * An HTTP/1.1 server (RFC 9112). It keeps connections, answers pipelined requests in their order, and cuts whoever keeps it
 * waiting; what it refuses by itself is a problem document (RFC 9457).
 */
export function createHttpServer(options: ServerOptions): HttpServer {
  const { limits, logger, clock = systemClock } = options
  const state: ServerState = {
    limits,
    logger,
    clock,
    options,
    connections: new Set(),
    refusals: new Map(),
    scratch: Buffer.allocUnsafeSlow(SCRATCH_BYTES),
    date: createDateText(clock),
    readOn,
    forget: (connection) => {
      forget(connection)
      if (state.connections.size === 0) emptied?.()
    },
    draining: false,
    inFlight: 0,
  }
  let emptied: (() => void) | null = null
  let closing: Promise<void> | null = null
  const listener = listen(options, state)
  const timer = setInterval(() => sweep(state), toSweepMs(limits))

  const close = async (drainMs: number): Promise<void> => {
    listener.stop(false)
    state.draining = true
    for (const connection of state.connections) if (isAtRest(connection)) endNow(connection)
    if (state.connections.size > 0) {
      const cut = setTimeout(() => state.connections.forEach(destroy), drainMs)
      await new Promise<void>((resolve) => {
        emptied = resolve
      })
      clearTimeout(cut)
    }
    clearInterval(timer)
  }
  return {
    port: listener.port,
    inFlight: () => state.inFlight,
    connections: () => state.connections.size,
    refusals: () => Object.fromEntries(state.refusals),
    close: ({ drainMs }) => {
      closing ??= close(drainMs)
      return closing
    },
  }
}

const isAtRest = ({ phase }: Connection): boolean => phase === 'idle' || phase === 'head' || phase === 'discard'

/** With `allowHalfOpen` a client that has sent its FIN still gets its answer, and `end` is ours to follow. */
function listen(options: ServerOptions, state: ServerState): Bun.TCPSocketListener<Connection> {
  if (options.hostname !== undefined) return listenOn(options.hostname, options.port, state)
  try {
    return listenOn('::', options.port, state)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw error
    // A machine without IPv6.
    return listenOn('0.0.0.0', options.port, state)
  }
}

function listenOn(hostname: string, port: number, state: ServerState): Bun.TCPSocketListener<Connection> {
  return Bun.listen<Connection>({
    port,
    hostname,
    allowHalfOpen: true,
    socket: {
      open: (socket) => accept(state, socket),
      data: (socket, chunk) => receive(socket.data, chunk),
      drain: (socket) => flush(socket.data),
      end: (socket) => receiveEnd(socket.data),
      close: (socket) => socket.data && state.forget(socket.data),
      error: (socket, error) => {
        state.logger.error('a connection failed', { error: toText(error) })
        if (socket.data) destroy(socket.data)
      },
    },
  })
}

/** One too many is closed at once, without a word: a flood is not worth an answer each. */
function accept(state: ServerState, socket: Socket<Connection>): void {
  const connection = createConnection(state, socket, state.clock.elapsedMs())
  socket.data = connection
  if (!connection.address) {
    // Reset before it was accepted: it has no peer any more.
    connection.phase = 'closed'
    socket.terminate()
    return
  }
  const full = state.connections.size >= state.limits.edgeConnectionsMax
  if (full || state.options.admission?.open(connection.address) === false) {
    count(state, full ? 'too-many-connections' : 'too-many-client-connections')
    connection.phase = 'closed'
    socket.terminate()
    return
  }
  state.connections.add(connection)
}

function forget(connection: Connection): void {
  if (connection.phase === 'closed') return
  const { server, exchange } = connection
  connection.phase = 'closed'
  server.connections.delete(connection)
  server.options.admission?.close(connection.address)
  connection.held = null
  connection.waiting = []
  connection.body?.fail(new Error('content of a request: expected its end, got a closed connection'))
  connection.body = null
  if (exchange) abandonExchange(exchange)
  wake(connection)
}
