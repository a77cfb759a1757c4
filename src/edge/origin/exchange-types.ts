import type { FieldLine } from '../http/message.ts'
import type { CancelSignal } from '../server/cancel.ts'
import type { Content } from './content.ts'

export type OriginRequest = {
  readonly method: string
  /** Origin-form, sent byte for byte. */
  readonly path: string
  readonly lines: readonly FieldLine[]
  readonly body: Content
  readonly signal: CancelSignal
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
