import { describeError, Fault, faultCode, type Limits, type Logger, pause } from '../../kernel/index.ts'

export type RetryLimits = Pick<Limits, 'hubPipeRetryMinMs' | 'hubPipeRetryMaxMs'>

/** Full jitter below a cap that doubles with each attempt (from 1): those who failed together do not come back together. */
export function backoffMs(attempt: number, limits: RetryLimits, random: () => number = Math.random): number {
  return Math.min(limits.hubPipeRetryMaxMs, limits.hubPipeRetryMinMs * 2 ** attempt) * random()
}

/** What only the record itself can be blamed for: trying again would not help, and waiting would hold up all others. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  'event-invalid',
  'event-unknown',
  'event-too-large',
  'payload-too-large',
  'record-too-large',
  'claim-invalid',
  'claim-missing',
  'claim-damaged',
])

export function isFinal(error: unknown): boolean {
  return FINAL_CODES.has(faultCode(error))
}

/** Tries until it is done; rejects with what `isFinal` holds for, and with Fault `closed` when the pipe is closed first. */
export type Persist = <T>(
  what: string,
  act: () => Promise<T>,
  options?: { readonly isFinal?: (error: unknown) => boolean },
) => Promise<T>

export function createPersist(options: {
  readonly limits: RetryLimits
  readonly closed: AbortSignal
  readonly logger: Logger
  readonly onFailure: (reason: string) => void
}): Persist {
  const { limits, closed, logger, onFailure } = options
  return async (what, act, { isFinal: givesUp = () => false } = {}) => {
    for (let attempt = 1; ; attempt++) {
      if (closed.aborted) throw new Fault('closed', 'the pipe was closed; what it had in hand comes again')
      try {
        return await act()
      } catch (error) {
        if (givesUp(error)) throw error
        const reason = `${what}: ${describeError(error)}`
        onFailure(reason)
        // An outage is told at its beginning and now and then, not at each try.
        if (Number.isInteger(Math.log2(attempt)))
          logger.warn('a pipe waits and tries again', { reason, code: faultCode(error), attempt })
        await pause(Math.max(askedToWaitMs(error, limits), backoffMs(attempt, limits)), closed)
      }
    }
  }
}

/** What `hub-busy` asks for, within our own bound. */
function askedToWaitMs(error: unknown, limits: RetryLimits): number {
  const asked = error instanceof Fault ? error.detail['retryAfterMs'] : undefined
  return typeof asked === 'number' ? Math.min(asked, limits.hubPipeRetryMaxMs) : 0
}
