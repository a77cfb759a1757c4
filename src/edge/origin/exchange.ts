import * as http from 'node:http'
import * as https from 'node:https'
import type { FieldLine } from '../http/message.ts'
import { frameRequest, frameResponse, type RequestBody } from './framing.ts'
import type { OriginLimits } from './limits.ts'
import { createPhases } from './phases.ts'
import { toBodyStream } from './response-body.ts'
import { sendBody } from './send-body.ts'

export type OriginRequest = {
  readonly method: string
  /** Origin-form, sent byte for byte. */
  readonly path: string
  readonly lines: readonly FieldLine[]
  readonly body: RequestBody
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
  /** Null when there is none: HEAD, 204, 304. Errors when it ends short of its framing: never taken for complete. */
  readonly body: ReadableStream<Uint8Array> | null
  /** Ends the exchange without reading the body. */
  readonly discard: () => void
}

export type Exchange = {
  /** `fresh`: on a connection of its own, so that a connection the origin is closing cannot swallow it. */
  send(request: OriginRequest, options: { readonly fresh: boolean }): Promise<ExchangeAnswer | ExchangeFailure>
  close(): void
}

/**
 * One HTTP/1.1 exchange after another with one origin.
 *
 * Over `node:http` and not `fetch`, which was measured to take a body cut off by a reset for complete when the
 * connection's end delimits it (RFC 9112, 8), to accept `Content-Length` beside `Transfer-Encoding`, to end lines at a
 * bare LF, to join repeated fields, to rewrite the path, and to hide when a connection stands and whether a byte was sent.
 */
export function createExchange(options: { readonly url: URL; readonly limits: OriginLimits }): Exchange {
  const { url, limits } = options
  const secure = url.protocol === 'https:'
  const agentOptions = {
    keepAlive: true,
    maxSockets: limits.edgeOriginConnectionsMax,
    maxFreeSockets: limits.edgeOriginConnectionsIdleMax,
  }
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
  const target = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 443 : 80)),
    maxHeaderSize: limits.edgeOriginHeadBytesMax,
    setHost: false,
  }

  const send = (
    request: OriginRequest,
    flatLines: string[],
    lengthBytes: number | null,
    fresh: boolean,
  ): Promise<ExchangeAnswer | ExchangeFailure> =>
    new Promise((resolve) => {
      const outgoing = (secure ? https : http).request({
        ...target,
        method: request.method,
        path: request.path,
        // The flat form keeps repeated lines apart; the type knows only the record.
        headers: flatLines as unknown as http.OutgoingHttpHeaders,
        agent: fresh ? false : agent,
      })
      const phases = createPhases({ outgoing, limits, signal: request.signal })
      const fail = (code: ExchangeFailure['code'], why: string): void => {
        phases.end()
        const refused = phases.verdict() !== null && !phases.begun()
        resolve({ ok: false, code, why, sent: phases.connected(), reused: outgoing.reusedSocket, refused })
        outgoing.destroy()
      }
      outgoing.on('error', (error) => fail(...toFailure(error, phases.verdict())))
      // A connection that stops speaking HTTP (RFC 9110, 7.8) was never asked for.
      outgoing.on('upgrade', (_message, socket) => {
        socket.destroy()
        fail('origin-invalid', 'the origin switched protocols without being asked')
      })
      outgoing.on('response', (message) => {
        const framed = frameResponse({
          status: message.statusCode ?? 0,
          httpVersion: message.httpVersion,
          rawLines: message.rawHeaders,
        })
        if (!framed.ok) return fail('origin-invalid', `${url.origin}: ${framed.why}`)
        phases.headArrived()
        const status = message.statusCode ?? 0
        const discard = (): void => {
          phases.end()
          outgoing.destroy()
        }
        const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304
        const body = hasBody ? toBodyStream({ message, outgoing, phases, idleMs: limits.edgeOriginSilenceMs }) : null
        if (!hasBody) message.on('error', ignore).resume().once('close', phases.end)
        resolve({ ok: true, status, lines: framed.lines, body, discard })
      })
      sendBody({ outgoing, body: request.body, lengthBytes, phases, idleMs: limits.edgeOriginSilenceMs })
    })

  return {
    async send(request, { fresh }) {
      if (request.signal.aborted) return notSent('cancelled', 'the client went away')
      const framed = frameRequest({ ...request, authority: url.host })
      if (!framed.ok) return notSent('origin-invalid', `not sent: ${framed.why}`)
      return await send(request, framed.flatLines, framed.lengthBytes, fresh)
    },
    close: () => agent.destroy(),
  }
}

/** Told elsewhere: without any listener it would end the process. */
const ignore = (): void => {}

const notSent = (code: ExchangeFailure['code'], why: string): ExchangeFailure => {
  return { ok: false, code, why, sent: false, reused: false, refused: true }
}

type Verdict = { readonly code: ExchangeFailure['code']; readonly why: string } | null

/** What cut the exchange off, if we did it; else what the connection or the parser reported. */
function toFailure(error: Error & { code?: string }, verdict: Verdict): [ExchangeFailure['code'], string] {
  if (verdict) return [verdict.code, verdict.why]
  const why = error.message || error.code || 'the connection failed'
  return [error.code?.startsWith('HPE_') ? 'origin-invalid' : 'origin-unreachable', why]
}
