import { type Connection, destroy, endNow, type Listener, pauseReading, resumeReading, writeTo } from './connection.ts'
import type { ExchangeAnswer, ExchangeFailure, OriginRequest } from './exchange-types.ts'
import type { OriginLimits } from './limits.ts'
import type { PhaseWatch } from './phases.ts'
import type { Pool, Seeker } from './pool.ts'
import { createResponseBody, QUEUED_BYTES_MAX, type ResponseBody } from './response-body.ts'
import type { ResponseHeadParser, ResponseHeadRead } from './response-head.ts'
import { createResponseReader } from './response-reader.ts'
import { startUpload, type Upload } from './send-body.ts'

export type CallOptions = {
  readonly request: OriginRequest
  /** The head of the request, and how much a streamed body must have; null when it is chunked or there is none. */
  readonly head: Uint8Array
  readonly lengthBytes: number | null
  readonly fresh: boolean
  readonly pool: Pool
  readonly limits: OriginLimits
  readonly watch: PhaseWatch
  readonly parseHead: ResponseHeadParser
  readonly resolve: (result: ExchangeAnswer | ExchangeFailure) => void
}

/** One request and its answer: resolved with the head, over with the last byte of the body, or when it is cut off. */
export function startCall(options: CallOptions): void {
  const { request, fresh, pool, limits, parseHead, resolve } = options
  const { method } = request
  const reader = createResponseReader({ method, headBytesMax: limits.edgeOriginHeadBytesMax, parseHead })
  let connection: Connection | null = null
  let isReused = false
  let hasBytes = false
  let isSent = false
  let isOver = false
  let upload: Upload | null = null
  let body: ResponseBody | null = null
  let persists = false

  const end = (): void => {
    isOver = true
    phases.end()
    request.signal.removeEventListener('abort', cancel)
    upload?.stop()
  }
  const fail = (code: ExchangeFailure['code'], why: string): void => {
    if (isOver) return
    const refused = connection === null && !pool.isOpening(seeker)
    end()
    if (connection) destroy(connection)
    else pool.leave(seeker)
    if (body) body.fail(Object.assign(new Error(why), { code }))
    else resolve({ ok: false, code, why, sent: connection !== null, reused: isReused && !hasBytes, refused })
  }
  const cancel = (): void => fail('cancelled', 'the client went away')
  const phases = options.watch.begin(({ code, why }) => fail(code, why))

  /** The answer has come whole. The connection carries another if nothing of this exchange is left on it. */
  const complete = (isClean: boolean): void => {
    const used = connection
    const keeps = isClean && persists && isSent
    end()
    if (!used) return
    resumeReading(used)
    if (keeps) pool.release(used)
    else endNow(used)
  }
  const answer = (head: ResponseHeadRead, data: readonly Uint8Array[], isWhole: boolean): void => {
    const { status, lines } = head
    if (isWhole) {
      const whole = head.framing.kind === 'none' ? null : toBytes(data)
      resolve({ ok: true, status, lines, body: whole, discard: nothing })
      return
    }
    if (isSent) phases.waitingForUs()
    body = createResponseBody({ onRead, onCancel: abandon })
    body.take(data)
    resolve({ ok: true, status, lines, body: body.stream, discard: abandon })
  }
  /** Nobody wants the rest. */
  const abandon = (): void => {
    if (isOver) return
    end()
    if (connection) destroy(connection)
    body?.fail(new Error('the exchange was ended'))
  }
  const onRead = (): void => {
    if (isOver || !connection || !body) return
    if (body.queuedBytes() < QUEUED_BYTES_MAX) resumeReading(connection)
    if (isSent && body.isHungry()) phases.awaitingBytes(FOR_BODY)
    else if (isSent) phases.waitingForUs()
  }
  const onSent = (): void => {
    isSent = true
    if (!body) phases.awaitingHead()
    else onRead()
  }

  const listener: Listener = {
    bytes(chunk) {
      if (isReused && !hasBytes && connection && pool.isSameTurn(connection)) {
        fail('origin-unreachable', 'something came before it was asked for')
        return
      }
      hasBytes = true
      const read = reader.push(chunk)
      if (!read.ok) {
        fail('origin-invalid', read.why)
        return
      }
      const { head, data, done } = read
      if (head) persists = head.persists
      // First, so that whoever is told of the answer finds the connection at rest.
      if (done) complete(!read.hasExtra)
      if (head) answer(head, data, done)
      else take(data, done)
    },
    drained() {
      if (upload) upload.drained()
      else onSent()
    },
    ended() {
      if (reader.end()) {
        complete(false)
        body?.complete()
        return
      }
      fail('origin-unreachable', body ? CUT_OFF : 'the origin closed the connection without an answer')
    },
    broken(error) {
      fail('origin-unreachable', `${body ? CUT_OFF : 'the connection failed'}: ${error?.message ?? 'it was closed'}`)
    },
  }
  const take = (data: readonly Uint8Array[], done: boolean): void => {
    if (!body) return
    const wasHungry = body.isHungry()
    body.take(data)
    if (done) {
      body.complete()
      return
    }
    if (connection && body.queuedBytes() >= QUEUED_BYTES_MAX) pauseReading(connection)
    if (wasHungry && isSent && !isOver) {
      if (body.isHungry()) phases.awaitingBytes(FOR_BODY)
      else phases.waitingForUs()
    }
  }

  const seeker: Seeker = {
    fresh,
    take(taken, reused) {
      connection = taken
      isReused = reused
      taken.listener = listener
      const { head, lengthBytes } = options
      const { body: content } = request
      if (content instanceof ReadableStream) {
        phases.waitingForUs()
        const onBroken = (why: string): void => fail('cancelled', why)
        upload = startUpload({ connection: taken, head, body: content, lengthBytes, phases, onSent, onBroken })
      } else if (writeTo(taken, content ? Buffer.concat([head, content]) : head)) onSent()
      else phases.awaitingBytes('sending the request')
    },
    failed: (error) => fail('origin-unreachable', error.message),
  }
  request.signal.addEventListener('abort', cancel)
  pool.seek(seeker)
  if (connection === null && !isOver) phases.connecting()
}

const nothing = (): void => {}
const CUT_OFF = "the origin's body was cut off"
const FOR_BODY = 'waiting for more of the body'

function toBytes(data: readonly Uint8Array[]): Uint8Array {
  return data.length === 1 && data[0] ? data[0] : Buffer.concat(data)
}
