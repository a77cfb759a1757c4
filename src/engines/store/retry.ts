import { Fault, faultCode } from '../../kernel/index.ts'

const RETRY_MS = 20

/** The store went away under a call, or is about to: it will be back shortly. */
export const isLoss = (error: unknown): boolean => ['wire-lost', 'draining'].includes(faultCode(error))

/**
 * Repeats `attempt` while it fails as `repeats` says (by default: the store went away) and there is time left, which it
 * is told. Only for what may be done twice.
 */
export async function retryLost<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  options: { timeoutMs: number; repeats?: (error: unknown) => boolean },
): Promise<T> {
  const { timeoutMs, repeats = isLoss } = options
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    try {
      return await attempt(Math.max(1, deadlineMs - performance.now()))
    } catch (error) {
      if (!repeats(error)) throw error
      if (performance.now() + RETRY_MS >= deadlineMs)
        throw new Fault('timeout', `the store did not come back within ${timeoutMs} ms; check that its process runs`, {
          cause: error,
        })
      await Bun.sleep(RETRY_MS)
    }
  }
}
