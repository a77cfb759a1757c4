import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import type { Answer, Exchange, ServerRequest } from './message.ts'

/** What of the limits the server keeps to; each is explained in kernel/limits.ts. */
export type ServerLimits = Pick<
  Limits,
  | 'edgeHeadBytesMax'
  | 'edgeFieldsMax'
  | 'edgeTargetBytesMax'
  | 'edgeBodyBytesMax'
  | 'edgeConnectionsMax'
  | 'edgeHeadTimeoutMs'
  | 'edgeIdleTimeoutMs'
  | 'edgeBodyBytesPerWindowMin'
  | 'edgeAnswerBytesPerWindowMin'
  | 'edgeProgressWindowMs'
  | 'edgeDiscardBytesMax'
  | 'edgeLingerMs'
  | 'edgeLingerBytesMax'
>

/** Who may connect and ask; `clients/` has the one that counts by network. */
export type Admission = {
  /** False refuses the connection. What was opened is closed once. */
  open(address: string): boolean
  close(address: string): void
  /** 0 lets the request in, else how long to wait, ms. `nowMs` is the clock's `elapsedMs()`. */
  take(address: string, nowMs: number): number
}

export type ServerOptions = {
  /** 0 picks a free one. */
  readonly port: number
  readonly hostname?: string
  readonly limits: ServerLimits
  readonly logger: Logger
  readonly clock?: Clock
  readonly admission?: Admission
  /** Throws or rejects only by a bug: the client gets a 500 that says nothing of it. */
  readonly handle: (request: ServerRequest) => Answer | Promise<Answer>
  /** After each exchange, also of those the server refused by itself once it had read a request. */
  readonly onExchange?: (exchange: Exchange) => void
}

export type HttpServer = {
  readonly port: number
  /** Requests not answered to their end. */
  inFlight(): number
  connections(): number
  /** What the server refused by itself, by problem code: heads that are none, clients too slow, too many. */
  refusals(): Readonly<Record<string, number>>
  /** Takes no new connections, lets go those at rest, waits `drainMs` for the others, then cuts them. */
  close(options: { readonly drainMs: number }): Promise<void>
}
