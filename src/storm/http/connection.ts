import { Fault } from '../../kernel/index.ts'
import type { Target } from '../target.ts'
import { abortLink, endLink, type Link, type LinkOwner, openLink, sendOnLink } from './link.ts'
import { createResponseParser, type ParsedAnswer, type Unparsable } from './response-parser.ts'
import { parseRetryAfterMs } from './retry-after.ts'

export type ExchangeRequest = {
  /** Through its empty line, see `renderHead`. */
  readonly head: string
  readonly body: string | null
  /** Whether the answer's body is given, or only counted. That of a refusal is always given, as long as it is short. */
  readonly keepBody: boolean
  /** From the call of `exchange`, connecting included. */
  readonly timeoutMs: number
}

export type ExchangeResult =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: { readonly retryAfterMs: number | null; readonly cacheStatus: string | null }
      readonly body: Buffer | null
      /** Of the body. */
      readonly bytes: number
      /** From the first byte sent to the last received. */
      readonly tookMs: number
    }
  | { readonly ok: false; readonly failure: ExchangeFailure; readonly why: string }

/** `unreadable`: what came back is not HTTP/1.1, or more than HTTP_LIMITS. */
export type ExchangeFailure = 'timeout' | 'connection' | 'unreadable'

/**
 * One viewer's keep-alive connection, with at most one exchange under way. Made at the first exchange, and again at the
 * next one after it was lost. A GET on a connection that was used before, and which ends before a byte of the answer,
 * is sent once more on a new one (RFC 9112, section 9.3.1): the server had closed it while the request was on its way.
 */
export type Connection = {
  /**
   * `onDone` is called exactly once, never before this returns, unless `close` comes first; it may start the next
   * exchange. Throws (`exchange-out-of-turn`) when one is under way or the connection is closed: a bug of the caller.
   */
  exchange(request: ExchangeRequest, onDone: (result: ExchangeResult) => void): void
  /** Ends what is overdue. The owner of many calls it for each every now and then: a timer per request costs more. */
  sweep(nowMs: number): void
  /** For good. What is under way is given up without a word. */
  close(): void
}

export type ConnectionOptions = {
  readonly target: Target
  /** Of the clock that `sweep` is given; `performance.now` unless told. */
  readonly nowMs?: () => number
}

type Exchange = {
  readonly request: ExchangeRequest
  readonly onDone: (result: ExchangeResult) => void
  readonly deadlineMs: number
  sentAtMs: number
  answering: boolean
  /** It was sent again, or may not be. */
  isLastTry: boolean
}

export function createConnection({ target, nowMs = readClock }: ConnectionOptions): Connection {
  let link: Link | null = null
  let isOpen = false
  /** It has carried an exchange before. */
  let isReused = false
  let isClosed = false
  let current: Exchange | null = null
  let parser = createResponseParser()

  const drop = (discard: (link: Link) => void): void => {
    if (link) discard(link)
    link = null
    isOpen = false
  }
  const settle = (result: ExchangeResult): void => {
    const settled = current
    current = null
    settled?.onDone(result)
  }
  const fail = (failure: ExchangeFailure, why: string): void => {
    drop(abortLink)
    settle({ ok: false, failure, why })
  }
  const connect = (): void => {
    isReused = false
    link = openLink(target, owner)
  }
  const send = (exchange: Exchange, now: number): void => {
    if (!link) return
    const { head, body, keepBody } = exchange.request
    if (!isReused) parser = createResponseParser()
    parser.begin(keepBody)
    exchange.sentAtMs = now
    if (sendOnLink(link, body === null ? head : head + body)) return
    // It ended without our having heard of it yet. Nothing was sent, so that even a POST may go again.
    const wasReused = isReused
    drop(abortLink)
    if (wasReused) connect()
    else fail('connection', 'the connection was closed')
  }
  const finish = (exchange: Exchange, answer: ParsedAnswer): void => {
    const tookMs = nowMs() - exchange.sentAtMs
    // A server that answers before it has read everything does not want the rest.
    if (link?.unsent) drop(abortLink)
    else if (!answer.head.reusable) drop(endLink)
    isReused = true
    settle(toResult(answer, tookMs))
  }

  const owner: LinkOwner = {
    onOpen() {
      isOpen = true
      if (current) send(current, nowMs())
    },
    onData(_, bytes) {
      // The server speaks without having been asked.
      if (!current) {
        drop(abortLink)
        return
      }
      const parsed = parser.feed(bytes)
      current.answering = true
      if (!parsed) return
      if (parsed.ok) finish(current, parsed)
      else fail('unreadable', parsed.why)
    },
    onLost(lost) {
      const why = lost.why ?? 'the connection was closed'
      const wasOpen = isOpen
      link = null
      isOpen = false
      if (!current) return
      if (current.answering) endAnswer(current, lost.ended ? parser.end() : null, why)
      else if (wasOpen && isReused && !current.isLastTry) {
        current.isLastTry = true
        connect()
      } else fail('connection', why)
    },
  }
  const endAnswer = (exchange: Exchange, parsed: ParsedAnswer | Unparsable | null, why: string): void => {
    if (parsed?.ok) finish(exchange, parsed)
    else fail('connection', parsed?.why ?? why)
  }

  return {
    exchange(request, onDone) {
      if (current || isClosed) {
        throw new Fault(
          'exchange-out-of-turn',
          `A connection carries one exchange at a time, and none once it is closed; ${current ? 'one is under way' : 'it is closed'}. Wait for its result, or make another connection.`,
        )
      }
      const now = nowMs()
      const deadlineMs = now + request.timeoutMs
      const isLastTry = !request.head.startsWith('GET ')
      current = { request, onDone, deadlineMs, sentAtMs: 0, answering: false, isLastTry }
      if (!link) connect()
      else if (isOpen) send(current, now)
    },
    sweep(now) {
      if (!current || now < current.deadlineMs) return
      const doing = !isOpen ? 'connecting' : current.answering ? 'receiving the answer' : 'waiting for the answer'
      fail('timeout', `${current.request.timeoutMs} ms were over while ${doing}`)
    },
    close() {
      isClosed = true
      drop(current ? abortLink : endLink)
      current = null
    },
  }
}

function toResult({ head, body, bytes }: ParsedAnswer, tookMs: number): ExchangeResult {
  const { status, retryAfter, cacheStatus } = head
  const retryAfterMs = retryAfter === null ? null : parseRetryAfterMs(retryAfter, Date.now())
  return { ok: true, status, headers: { retryAfterMs, cacheStatus }, body, bytes, tookMs }
}

function readClock(): number {
  return performance.now()
}
