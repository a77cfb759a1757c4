import type { EdgeProblem } from '../problem.ts'
import type { RequestFields } from './message.ts'

/** How the content of a request ends (RFC 9112, 6.3); null when it has none. */
export type Framing = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' } | null

/** A head that can be read in one way only. */
export type RequestHeadRead = {
  readonly ok: true
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fields: RequestFields
  /** HTTP/1.0 or HTTP/1.1. */
  readonly minorVersion: 0 | 1
  readonly framing: Framing
  /** Whether the client lets the connection be used again (RFC 9112, 9.3). */
  readonly keepsAlive: boolean
  /** It waits for a 100 before it sends its content (RFC 9110, 10.1.1). */
  readonly expectsContinue: boolean
}
export type RequestHeadRefused = { readonly ok: false; readonly problem: EdgeProblem }
