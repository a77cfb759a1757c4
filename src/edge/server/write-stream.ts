import type { AnswerContent } from './answer-content.ts'
import { type ActiveExchange, type Connection, destroy } from './connection.ts'
import { answerWritten, toText } from './end-exchange.ts'
import { send, sendText } from './write-queue.ts'

/** After so much of a stream that never waits, others have their turn. No limit of an operator's: it bounds no bytes that are kept, and no wait. */
const TURN_BYTES = 1024 * 1024

/**
 * Sends a stream piece by piece: the next is read once the kernel has taken the last. One that fails, or ends elsewhere than
 * declared, cuts the connection, so that no part is taken for the whole (RFC 9112, 8).
 */
export async function pumpStream(
  exchange: ActiveExchange,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  content: AnswerContent,
): Promise<void> {
  try {
    const sent = await sendPieces(exchange, reader, content)
    if (exchange.over) return
    if (content.lengthBytes !== null && sent !== content.lengthBytes)
      throw new Error(`stream of an answer: expected ${content.lengthBytes} bytes, got ${sent}`)
    if (content.chunked) {
      exchange.overheadBytes += LAST_CHUNK.length
      send(exchange.connection, LAST_CHUNK, 0, LAST_CHUNK.length, false)
    }
    answerWritten(exchange)
  } catch (error) {
    reader.cancel(error).catch(() => {})
    if (exchange.over) return
    exchange.connection.server.logger.warn('an answer was cut off', { error: toText(error) })
    destroy(exchange.connection)
  }
}

async function sendPieces(
  exchange: ActiveExchange,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  content: AnswerContent,
): Promise<number> {
  const { connection } = exchange
  let sent = 0
  let turnBytes = 0
  while (!exchange.over) {
    const { done, value } = await reader.read()
    if (done || exchange.over) break
    if (!(value instanceof Uint8Array)) throw new Error(`stream of an answer: expected bytes, got ${typeof value}`)
    if (value.byteLength === 0) continue
    sent += value.byteLength
    if (content.lengthBytes !== null && sent > content.lengthBytes)
      throw new Error(`stream of an answer: expected ${content.lengthBytes} bytes, got more`)
    if (content.chunked) sendChunk(exchange, value)
    else send(connection, value, 0, value.byteLength, false)
    turnBytes += value.byteLength
    if (connection.waiting.length > 0) await drained(connection)
    else if (turnBytes >= TURN_BYTES) await new Promise((resolve) => setImmediate(resolve))
    else continue
    turnBytes = 0
  }
  return sent
}

const drained = (connection: Connection): Promise<void> =>
  new Promise((resolve) => {
    connection.drained = resolve
  })

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

function sendChunk(exchange: ActiveExchange, piece: Uint8Array): void {
  const { connection } = exchange
  const { scratch } = connection.server
  const size = `${piece.byteLength.toString(16)}\r\n`
  const total = size.length + piece.byteLength + 2
  exchange.overheadBytes += size.length + 2
  if (total <= scratch.length) {
    scratch.write(size, 0, 'latin1')
    scratch.set(piece, size.length)
    scratch.write('\r\n', total - 2, 'latin1')
    send(connection, scratch, 0, total, true)
    return
  }
  sendText(connection, size)
  send(connection, piece, 0, piece.byteLength, false)
  sendText(connection, '\r\n')
}
