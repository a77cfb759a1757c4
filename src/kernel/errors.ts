/**
 * An expected failure, as a value or thrown across a boundary that only knows exceptions. Compare `code`, never the
 * class: errors cross queues, sockets and replays. `message` says what, expected, got, and what to do next.
 */
export class Fault extends Error {
  readonly code: string
  readonly detail: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, options: { cause?: unknown; detail?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Fault'
    this.code = code
    this.detail = options.detail ?? {}
  }
}

/** The stable code of any thrown value; `internal` for what nobody expected. */
export function faultCode(error: unknown): string {
  return error instanceof Fault ? error.code : 'internal'
}

/** A one-line description of any thrown value, for logs and reasons. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : ` (because: ${describeError(error.cause)})`
  return `${error.message}${cause}`
}
