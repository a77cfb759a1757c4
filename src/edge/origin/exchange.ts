import type { FieldLine } from '../http/message.ts'
import { startCall } from './call.ts'
import type { Content } from './content.ts'
import { frameRequest, toRequestHead } from './framing.ts'
import type { OriginLimits } from './limits.ts'
import { createPool } from './pool.ts'
import { createResponseHeadParser } from './response-head.ts'

export type OriginRequest = {
  readonly method: string
  /** Origin-form, sent byte for byte. */
  readonly path: string
  readonly lines: readonly FieldLine[]
  readonly body: Content
  readonly signal: AbortSignal
}

export type ExchangeFailure = {
  readonly ok: false
  readonly code: 'origin-unreachable' | 'origin-timeout' | 'origin-invalid' | 'cancelled'
  readonly why: string
  /** Bytes of the request may have reached the origin. */
  readonly sent: boolean
  /** It failed on a kept connection before anything came back: perhaps only that connection was at its end. */
  readonly reused: boolean
  /** We did not send it, or found every connection in use: says nothing about the origin. */
  readonly refused: boolean
}

export type ExchangeAnswer = {
  readonly ok: true
  readonly status: number
  readonly lines: readonly FieldLine[]
  /** Bytes when all of it came with the head. Null when there is none: HEAD, 204, 304. What ends short is never taken for complete. */
  readonly body: Content
  /** Ends the exchange without reading the body. */
  readonly discard: () => void
}

export type Exchange = {
  /** `fresh`: on a connection of its own, so that a connection the origin is closing cannot swallow it. */
  send(request: OriginRequest, options: { readonly fresh: boolean }): Promise<ExchangeAnswer | ExchangeFailure>
  close(): void
}

/**
 * One HTTP/1.1 exchange after another with one origin, over sockets of our own: `fetch` was measured to take a body cut off
 * by a reset for complete when the connection's end delimits it (RFC 9112, 8), to accept `Content-Length` beside
 * `Transfer-Encoding`, to end lines at a bare LF and to rewrite the path; `node:http` is right, at five times the cost.
 */
export function createExchange(options: { readonly url: URL; readonly limits: OriginLimits }): Exchange {
  const { url, limits } = options
  const secure = url.protocol === 'https:'
  const pool = createPool({
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    secure,
    connectionsMax: limits.edgeOriginConnectionsMax,
    idleMax: limits.edgeOriginConnectionsIdleMax,
  })
  const parseHead = createResponseHeadParser()
  return {
    send(request, { fresh }) {
      if (request.signal.aborted) return notSent('cancelled', 'the client went away')
      const framed = frameRequest({ ...request, authority: url.host })
      if (!framed.ok) return notSent('origin-invalid', `not sent: ${framed.why}`)
      const head = toRequestHead(request, framed.flatLines)
      const { lengthBytes } = framed
      return new Promise((resolve) =>
        startCall({ request, head, lengthBytes, fresh, pool, limits, parseHead, resolve }),
      )
    },
    close: pool.close,
  }
}

function notSent(code: ExchangeFailure['code'], why: string): Promise<ExchangeFailure> {
  return Promise.resolve({ ok: false, code, why, sent: false, reused: false, refused: true })
}
