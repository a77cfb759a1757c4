import type { Clock } from '../kernel/index.ts'
import { createAccessSampler } from './access-sampler.ts'
import { formatNetwork, networkOf, parseAddress } from './network/index.ts'
import type { Exchange } from './server/message.ts'
import { withoutToken } from './without-token.ts'

export type AccessLog = {
  /** To be given to the server as `onExchange`. Waits for nothing. */
  record(exchange: Exchange): void
}

export type AccessLogOptions = {
  /** Up to so many a second every request has its line. Beyond, one in k, of errors and of all others each. */
  readonly linesPerSecondMax: number
  /** Takes one line, without its end, at once. */
  readonly write: (line: string) => void
  readonly clock: Clock
  /** In [0, 1). */
  readonly random?: () => number
}

/** Of a client no more than this is written: enough to see where a crowd comes from, not who it is. */
const CLIENT_IPV4_BITS = 24
const CLIENT_IPV6_BITS = 64
const METHOD_CHARACTERS_MAX = 32
const HOST_CHARACTERS_MAX = 255
const PATH_CHARACTERS_MAX = 1_024

/**
 * One JSON line per request. Each stands for `sampled` requests that went as it did (an error, or not): a sum over it is
 * what all requests come to, but for chance. Errors are those of status 400 and above, and answers that did not end: up
 * to the rate all of them have a line, also when the others are sampled.
 */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  const { linesPerSecondMax, clock, write, random = Math.random } = options
  const served = createAccessSampler({ linesPerSecondMax, random })
  const errors = createAccessSampler({ linesPerSecondMax, random })
  return {
    record(exchange) {
      const isError = exchange.answer.status >= 400 || !exchange.complete
      const sampled = (isError ? errors : served).take(clock.elapsedMs())
      if (sampled > 0) write(toAccessLine(exchange, { nowMs: clock.nowMs(), sampled }))
    },
  }
}

/** Neither tokens, queries, fields nor addresses; JSON escapes what could end a line or move a terminal's cursor. */
export function toAccessLine(exchange: Exchange, at: { readonly nowMs: number; readonly sampled: number }): string {
  const { request, answer, bytes, durationMs, complete } = exchange
  const line = {
    time: new Date(at.nowMs).toISOString(),
    role: 'edge',
    message: 'request',
    method: request.method.slice(0, METHOD_CHARACTERS_MAX),
    host: request.host.slice(0, HOST_CHARACTERS_MAX),
    path: withoutToken(request.path).slice(0, PATH_CHARACTERS_MAX),
    status: answer.status,
    bytes,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    complete,
    cache: answer.report?.cache ?? 'none',
    cell: answer.report?.cell ?? null,
    client: toClientNetwork(request.clientAddress),
    sampled: at.sampled,
  }
  return JSON.stringify(line).replace(CONTROLS, toEscape)
}

function toClientNetwork(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === null) return 'unknown'
  return formatNetwork(networkOf(parsed, parsed.length === 4 ? CLIENT_IPV4_BITS : CLIENT_IPV6_BITS))
}

/** DEL and the C1 controls, which JSON lets through. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
