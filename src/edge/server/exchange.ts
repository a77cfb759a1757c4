import { toProblemAnswer } from '../problem.ts'
import { withoutToken } from '../without-token.ts'
import { type BodyReader, createBodyReader } from './body-reader.ts'
import { type CancelSignal, createCanceller, NEVER_CANCELLED } from './cancel.ts'
import { type ActiveExchange, type Connection, count, destroy, enter, resumeReading } from './connection.ts'
import { report, toText } from './end-exchange.ts'
import type { RequestHeadRead } from './head.ts'
import type { Answer, ServerRequest } from './message.ts'
import { CONTENT_TOO_LARGE, HANDLER_FAILED, refuse, tooManyRequests } from './refuse.ts'
import { cancelBody, writeAnswer } from './write-answer.ts'
import { sendText } from './write-queue.ts'

/** Opens the exchange of a request. False when it was answered here already and no handler is to see it. */
export function beginExchange(connection: Connection, head: RequestHeadRead, nowMs: number): boolean {
  const { server } = connection
  const body = toBody(connection, head)
  connection.body = body
  connection.continueOwed = head.expectsContinue
  connection.exchange = toExchange({ connection, head, body, nowMs })
  enter(connection, 'exchange', nowMs)
  server.inFlight += 1
  const waitMs = server.options.admission?.take(connection.address, nowMs) ?? 0
  if (waitMs > 0) {
    const problem = tooManyRequests(waitMs)
    count(server, problem.code)
    writeAnswer(connection.exchange, toProblemAnswer(problem))
    return false
  }
  if (head.framing?.kind !== 'length' || head.framing.bytes <= server.limits.edgeBodyBytesMax) return true
  refuse(connection, CONTENT_TOO_LARGE)
  return false
}

/** Has the request handled. Answers that are there at once are written before this returns, with no promise made. */
export function handle(exchange: ActiveExchange): void {
  try {
    const answer = exchange.connection.server.options.handle(exchange.request)
    if (!(answer instanceof Promise)) {
      give(exchange, answer)
      return
    }
    answer.then(
      (given) => give(exchange, given),
      (error: unknown) => fail(exchange, error),
    )
  } catch (error) {
    fail(exchange, error)
  }
}

function give(exchange: ActiveExchange, answer: Answer): void {
  if (exchange.over || exchange.answer) {
    dropLate(exchange, answer)
    return
  }
  try {
    writeAnswer(exchange, answer)
  } catch (error) {
    cancelBody(answer?.body ?? null)
    fail(exchange, error)
  }
}

/** Its client went, or was answered without it: there are never two answers to one request. */
function dropLate(exchange: ActiveExchange, answer: Answer): void {
  cancelBody(answer.body)
  if (!exchange.answer) report(exchange, answer, false, exchange.connection.server.clock.elapsedMs())
}

function fail(exchange: ActiveExchange, error: unknown): void {
  const { connection } = exchange
  const { method, path } = exchange.request
  // What fails because its client left is no failure.
  if (!exchange.gone)
    connection.server.logger.error('a request failed', { method, path: withoutToken(path), error: toText(error) })
  const answer = toProblemAnswer(HANDLER_FAILED)
  if (exchange.over || (exchange.answer && exchange.gone)) {
    dropLate(exchange, answer)
    return
  }
  if (exchange.answer) {
    destroy(connection)
    return
  }
  writeAnswer(exchange, answer)
}

function toExchange(parts: {
  readonly connection: Connection
  readonly head: RequestHeadRead
  readonly body: BodyReader | null
  readonly nowMs: number
}): ActiveExchange {
  const { connection, head, body, nowMs } = parts
  const request = new ReadRequest(head, connection.address)
  const exchange: ActiveExchange = {
    connection,
    head,
    body,
    request,
    startedMs: nowMs,
    takenBefore: connection.takenBytes,
    answer: null,
    overheadBytes: 0,
    over: false,
    gone: false,
    controller: null,
    reader: null,
  }
  request.exchange = exchange
  return exchange
}

/** A class for its accessors: those of an object literal are made anew with each request, at half a microsecond. */
class ReadRequest implements ServerRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fields: ServerRequest['fields']
  readonly clientAddress: string
  exchange: ActiveExchange | null = null

  constructor({ method, host, path, query, fields }: RequestHeadRead, clientAddress: string) {
    this.method = method
    this.host = host
    this.path = path
    this.query = query
    this.fields = fields
    this.clientAddress = clientAddress
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.exchange?.body?.stream() ?? null
  }

  get signal(): CancelSignal {
    return this.exchange ? toSignal(this.exchange) : NEVER_CANCELLED
  }
}

function toSignal(exchange: ActiveExchange): CancelSignal {
  if (!exchange.controller) {
    exchange.controller = createCanceller()
    if (exchange.gone) exchange.controller.abort()
  }
  return exchange.controller.signal
}

function toBody(connection: Connection, { framing }: RequestHeadRead): BodyReader | null {
  if (framing === null || (framing.kind === 'length' && framing.bytes === 0)) return null
  const { limits } = connection.server
  const body: BodyReader = createBodyReader({
    framing,
    limits,
    onRead: () => askForContent(connection, body),
    onCancel: () => {
      if (connection.body === body) resumeReading(connection)
    },
  })
  return body
}

/** RFC 9110, 10.1.1: a 100 when the content is first wanted, unless it comes already; never after the answer's head. */
function askForContent(connection: Connection, body: BodyReader): void {
  if (connection.body !== body) return
  if (connection.continueOwed && connection.exchange && !connection.exchange.answer) {
    connection.continueOwed = false
    connection.exchange.overheadBytes += CONTINUE.length
    sendText(connection, CONTINUE)
  }
  if (body.queuedBytes() <= connection.server.limits.edgeHeadBytesMax) resumeReading(connection)
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
