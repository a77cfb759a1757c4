import { describeError, type Limits, pause } from '../../kernel/index.ts'
import { createClaimSweep, type SweepOptions } from './sweep.ts'

export type ClaimSweeper = {
  /** A sweep under way is broken off where it may be. */
  close(): Promise<void>
}

/** Sweeps every `hubClaimSweepMs` until it is closed; a sweep that fails is told, and the next one goes on from there. */
export function createClaimSweeper(
  options: SweepOptions & { readonly limits: Pick<Limits, 'hubClaimSweepMs'> },
): ClaimSweeper {
  const { limits, logger } = options
  const closing = new AbortController()
  const sweep = createClaimSweep(options)

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        const { removed, waiting } = await sweep(closing.signal)
        if (removed.length > 0)
          logger.info('payloads that nothing refers to were removed', { count: removed.length, waiting })
      } catch (error) {
        if (!closing.signal.aborted)
          logger.warn('claims could not be swept; tried again later', { error: describeError(error) })
      }
      await pause(limits.hubClaimSweepMs, closing.signal)
    }
  }
  const running = run()
  return {
    async close() {
      closing.abort()
      await running
    },
  }
}
