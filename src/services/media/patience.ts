import { faultCode } from '../../kernel/index.ts'

/** Faults of an engine that is away for a moment; anything else is an answer. */
const PASSING: readonly string[] = [
  'wire-lost',
  'draining',
  'timeout',
  'overloaded',
  'tables-unavailable',
  'log-unavailable',
]
const DELAY_MIN_MS = 50
const DELAY_MAX_MS = 2_000

/**
 * Asks again while an engine is away: an hour of encoding must not be lost to a restart of the store. What is asked may be
 * done twice, so it must be idempotent. Gives up after `waitMs`, with the last fault.
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  options: { waitMs: number; isClosed: () => boolean },
): Promise<T> {
  const deadlineMs = performance.now() + options.waitMs
  for (let delayMs = DELAY_MIN_MS; ; delayMs = Math.min(DELAY_MAX_MS, delayMs * 2)) {
    try {
      return await ask()
    } catch (error) {
      const over = performance.now() + delayMs > deadlineMs || options.isClosed()
      if (over || !PASSING.includes(faultCode(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, delayMs))
    }
  }
}
