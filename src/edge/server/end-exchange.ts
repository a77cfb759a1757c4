import { hideTokens } from '../without-token.ts'
import { type ActiveExchange, type Connection, enter, linger, resumeReading } from './connection.ts'
import type { Answer } from './message.ts'

/** All of the answer is given out. The next request waits until the kernel has taken it: one answer waits, never more. */
export function answerWritten(exchange: ActiveExchange): void {
  const { connection } = exchange
  if (connection.waiting.length === 0) settle(exchange)
  else connection.drained = () => settle(exchange)
}

function settle(exchange: ActiveExchange): void {
  const { connection } = exchange
  const { server } = connection
  const nowMs = server.clock.elapsedMs()
  closeExchange(exchange, true, nowMs)
  if (connection.phase !== 'exchange') return
  // Also when closing began after its head said that the connection stays.
  if (!connection.persists || server.draining || !mayDiscard(connection)) {
    linger(connection, nowMs)
    return
  }
  if (connection.body) {
    connection.body.discard()
    enter(connection, 'discard', nowMs)
    resumeReading(connection)
    return
  }
  enter(connection, 'idle', nowMs)
  server.readOn(connection)
}

/** The connection is gone, or cut off, before the answer ended. */
export function abandonExchange(exchange: ActiveExchange): void {
  leaveExchange(exchange, new Error('client: expected to stay until its answer ended, got a closed connection'))
  exchange.reader?.cancel().catch(() => {})
  closeExchange(exchange, false, exchange.connection.server.clock.elapsedMs())
}

/** Tells whoever handles it that nobody waits for it any more. */
export function leaveExchange(exchange: ActiveExchange, reason: Error): void {
  if (exchange.gone) return
  exchange.gone = true
  exchange.body?.fail(reason)
  exchange.controller?.abort()
}

function closeExchange(exchange: ActiveExchange, complete: boolean, nowMs: number): void {
  if (exchange.over) return
  exchange.over = true
  exchange.connection.exchange = null
  exchange.connection.server.inFlight -= 1
  // Who left before there was an answer is told of once there is one.
  if (exchange.answer) report(exchange, exchange.answer, complete, nowMs)
}

export function report(exchange: ActiveExchange, answer: Answer, complete: boolean, nowMs: number): void {
  const { connection, request, startedMs, takenBefore, overheadBytes } = exchange
  const { onExchange } = connection.server.options
  if (!onExchange) return
  const written = exchange.answer === answer
  const bytes = written ? Math.max(0, connection.takenBytes - takenBefore - overheadBytes) : 0
  try {
    onExchange({ request, answer, bytes, durationMs: nowMs - startedMs, complete })
  } catch (error) {
    connection.server.logger.error('a listener of exchanges failed', { error: toText(error) })
  }
}

/** Whether what is left of the content is known to be little, or is being read: else closing is cheaper than reading on. */
export function mayDiscard({ body, continueOwed, server }: Connection): boolean {
  if (body === null) return true
  // Nobody knows whether the client sends it now (RFC 9110, 10.1.1).
  if (continueOwed) return false
  const left = body.leftBytes()
  return left === null ? body.isWanted() : left <= server.limits.edgeDiscardBytesMax
}

/** An error for the log, with its stack; whatever it says of what it failed at, no token. */
export const toText = (error: unknown): string =>
  hideTokens(error instanceof Error ? (error.stack ?? error.message) : String(error))
