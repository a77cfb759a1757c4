import {
  type ActiveExchange,
  type Connection,
  destroy,
  endNow,
  enter,
  linger,
  pauseReading,
  resumeReading,
} from './connection.ts'
import { beginExchange, handle } from './exchange.ts'
import { findHeadEnd, skipEmptyLines } from './parse-head.ts'
import { refuse } from './refuse.ts'

/** Takes what a socket read. Measured: each chunk is a buffer of its own, at most 512 KiB, and may be kept. */
export function receive(connection: Connection, chunk: Buffer): void {
  const { phase } = connection
  if (phase === 'closed' || phase === 'refused') return
  if (phase === 'linger') {
    connection.lingeredBytes += chunk.length
    if (connection.lingeredBytes > connection.server.limits.edgeLingerBytesMax) destroy(connection)
    return
  }
  const rest = connection.body ? feedBody(connection, chunk) : chunk
  if (rest) hold(connection, rest)
  readOn(connection)
}

/**
 * The client sends nothing more. Whether it waits for its answer or has gone cannot be told: measured, a socket that was
 * closed and one whose writing side alone was shut say the same. It is answered, as RFC 9112, 9.6 has it; one that has gone
 * answers what is written to it with a reset, and then its handler is told.
 */
export function receiveEnd(connection: Connection): void {
  connection.clientEnded = true
  const { exchange, phase, body } = connection
  if (phase === 'refused' || phase === 'closed') return
  if (!exchange) endNow(connection)
  // RFC 9112, 8: what ended before its length is no request.
  else if (body) destroy(connection)
}

/** Reads heads and has them handled, one at a time, as far as they have come. */
export function readOn(connection: Connection): void {
  if (connection.reading) return
  connection.reading = true
  while (connection.phase === 'idle' || connection.phase === 'head') if (!readHead(connection)) break
  connection.reading = false
  const { phase, held, heldStart } = connection
  if (phase === 'idle' && connection.clientEnded) {
    endNow(connection)
    return
  }
  const heldBytes = held ? held.length - heldStart : 0
  // Pipelined requests wait for their turn in the client, not here.
  if (phase === 'exchange' && heldBytes > connection.server.limits.edgeHeadBytesMax) pauseReading(connection)
  else if (phase === 'idle' || phase === 'head') resumeReading(connection)
  if (held && heldBytes * 2 < held.length) rebase(connection, Buffer.from(held.subarray(heldStart)))
}

/** False when there is no whole head. */
function readHead(connection: Connection): boolean {
  const { held, server } = connection
  if (!held) return false
  const start = skipEmptyLines(held, connection.heldStart)
  const end = findHeadEnd(held, start, connection.scannedTo)
  if (end < 0 && held.length - start <= server.limits.edgeHeadBytesMax) {
    waitForHead(connection, held.length - start)
    return false
  }
  const head = connection.parser.parse(held, start, end < 0 ? held.length : end)
  if (!head.ok || end < 0) {
    connection.held = null
    if (!head.ok) refuse(connection, head.problem)
    return false
  }
  connection.heldStart = end
  connection.scannedTo = end
  if (end === held.length) connection.held = null
  if (!beginExchange(connection, head, server.clock.elapsedMs())) return true
  if (connection.body && !takeHeldBody(connection)) return true
  if (connection.exchange) handle(connection.exchange)
  return true
}

function waitForHead(connection: Connection, bytes: number): void {
  connection.scannedTo = connection.held?.length ?? 0
  // Empty lines alone begin no request.
  if (bytes > 0 && connection.phase === 'idle') enter(connection, 'head', connection.server.clock.elapsedMs())
}

/** What came with the head of its content. False when that was refused. */
function takeHeldBody(connection: Connection): boolean {
  const { held, heldStart, exchange } = connection
  if (!held) return true
  connection.held = null
  const rest = feedBody(connection, held.subarray(heldStart))
  if (rest) hold(connection, rest)
  return exchange === connection.exchange && exchange?.answer === null
}

/** What is left of `chunk` once the content has ended, null when nothing is. */
function feedBody(connection: Connection, chunk: Buffer): Buffer | null {
  const { body, exchange } = connection
  if (!body) return chunk
  const fed = body.feed(chunk)
  connection.continueOwed = false
  if (!fed.ok) {
    refuse(connection, fed.problem)
    return null
  }
  connection.coming.bytes += fed.consumed
  if (!fed.done) {
    holdBack(connection, exchange)
    return null
  }
  connection.body = null
  if (connection.phase === 'discard') enter(connection, 'idle', connection.server.clock.elapsedMs())
  return fed.consumed === chunk.length ? null : chunk.subarray(fed.consumed)
}

/** Content waits in the client once enough of it waits here. */
function holdBack(connection: Connection, exchange: ActiveExchange | null): void {
  const { body, server } = connection
  if (!body) return
  const tooMuch = body.discardedBytes() > server.limits.edgeDiscardBytesMax
  if (!exchange && tooMuch) {
    linger(connection, server.clock.elapsedMs())
    return
  }
  if (tooMuch || body.queuedBytes() > server.limits.edgeHeadBytesMax) pauseReading(connection)
}

function hold(connection: Connection, chunk: Buffer): void {
  const { held, heldStart } = connection
  if (held) rebase(connection, Buffer.concat([held.subarray(heldStart), chunk]))
  else {
    connection.held = chunk
    connection.heldStart = 0
    connection.scannedTo = 0
  }
}

function rebase(connection: Connection, held: Buffer): void {
  connection.scannedTo = Math.max(0, connection.scannedTo - connection.heldStart)
  connection.held = held
  connection.heldStart = 0
}
