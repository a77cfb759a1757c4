import { describeError, Fault, type Logger, pause } from '../../kernel/index.ts'

const RETRY_MIN_MS = 20
const RETRY_MAX_MS = 2_000

/** Tries until it is done; fault `closed` when `closed` is aborted first. */
export async function persist<T>(
  act: () => Promise<T>,
  { logger, closed }: { logger: Logger; closed: AbortSignal },
): Promise<T> {
  for (let waitMs = RETRY_MIN_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
    if (closed.aborted) throw new Fault('closed', 'the view was closed')
    try {
      return await act()
    } catch (error) {
      if (closed.aborted) throw error
      logger.warn('a view cannot be opened yet; it is tried again', { error: describeError(error), inMs: waitMs })
      await pause(waitMs, closed)
    }
  }
}

/** What `work` comes to, or fault `timeout` with this message. */
export async function within<T>(work: Promise<T>, timeoutMs: number, message: string): Promise<T> {
  const over = Promise.withResolvers<never>()
  const timer = setTimeout(() => over.reject(new Fault('timeout', message)), timeoutMs)
  try {
    return await Promise.race([work, over.promise])
  } finally {
    clearTimeout(timer)
  }
}
