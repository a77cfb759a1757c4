import { STATUS_CODES } from 'node:http'
import { type AnswerContent, decideAnswerContent } from './answer-content.ts'
import { type ActiveExchange, type Connection, enter, linger } from './connection.ts'
import { answerWritten, mayDiscard } from './end-exchange.ts'
import type { Answer } from './message.ts'
import { send } from './write-queue.ts'
import { pumpStream } from './write-stream.ts'

/** Writes the one answer of an exchange. Throws, with nothing written, on what is none. */
export function writeAnswer(exchange: ActiveExchange, answer: Answer): void {
  const { connection, head } = exchange
  const content = decideAnswerContent(answer, head.method, head.minorVersion)
  const { body } = answer
  const streamed = content.sent && body instanceof ReadableStream
  const reader = streamed ? body.getReader() : null
  exchange.answer = answer
  exchange.reader = reader
  connection.persists =
    head.keepsAlive &&
    answer.closes !== true &&
    !connection.server.draining &&
    !content.untilClose &&
    mayDiscard(connection)
  const keeping = head.minorVersion === 0 ? 'connection: keep-alive\r\n' : ''
  const text = toHeadText(connection, answer, content, connection.persists ? keeping : 'connection: close\r\n')
  exchange.overheadBytes += text.length
  if (reader) {
    sendBytes(connection, text, EMPTY)
    void pumpStream(exchange, reader, content)
    return
  }
  if (!content.sent) cancelBody(body)
  writeHere(connection, text, content.sent ? body : null)
  answerWritten(exchange)
}

/** Answers what was never a request; the connection ends with it. */
export function writeRefusal(connection: Connection, answer: Answer): void {
  const content = decideAnswerContent(answer, 'GET', 1)
  enter(connection, 'refused', connection.server.clock.elapsedMs())
  writeHere(connection, toHeadText(connection, answer, content, 'connection: close\r\n'), answer.body)
  const end = (): void => linger(connection, connection.server.clock.elapsedMs())
  if (connection.waiting.length === 0) end()
  else connection.drained = end
}

export function cancelBody(body: Answer['body']): void {
  if (body instanceof ReadableStream && !body.locked) body.cancel().catch(() => {})
}

function toHeadText(connection: Connection, answer: Answer, content: AnswerContent, keeping: string): string {
  const { server } = connection
  const date = answer.dated ? '' : server.date.line(server.clock.elapsedMs())
  return `${toStatusLine(answer.status)}${answer.head}${content.lines}${date}${keeping}\r\n`
}

const STATUS_LINES = Array.from(
  { length: 600 },
  (_, status) => `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Status'}\r\n`,
)
const toStatusLine = (status: number): string => STATUS_LINES[status] ?? ''

const EMPTY = new Uint8Array(0)

/** Sends a content that is all here. */
function writeHere(connection: Connection, text: string, body: Answer['body']): void {
  if (body === null || body instanceof ReadableStream) {
    sendBytes(connection, text, EMPTY)
    return
  }
  if (body instanceof Uint8Array) {
    sendBytes(connection, text, body)
    return
  }
  const [first = EMPTY, ...more] = body
  sendBytes(connection, text, first)
  for (const piece of more) if (piece.byteLength > 0) send(connection, piece, 0, piece.byteLength, false)
}

/** Up to this a copy costs less than a second call of the kernel. */
const COPIED_BYTES_MAX = 64 * 1024

/** What is small leaves in one write with its head, copied; what is large leaves after it, as it is. */
function sendBytes(connection: Connection, text: string, body: Uint8Array): void {
  const { scratch } = connection.server
  const total = text.length + body.byteLength
  if (total <= scratch.length && body.byteLength <= COPIED_BYTES_MAX) {
    const start = scratch.write(text, 0, 'latin1')
    scratch.set(body, start)
    send(connection, scratch, 0, total, true)
    return
  }
  const head = Buffer.from(text, 'latin1')
  send(connection, head, 0, head.length, false)
  if (body.byteLength > 0) send(connection, body, 0, body.byteLength, false)
}
