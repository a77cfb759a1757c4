import { Fault } from '../kernel/index.ts'

const SWEEP_MS = 250

/** One deadline for many promises, with one timer for them all: a timer for each would cost more than the work it guards. */
export type Deadlines = {
  /** As the promise, or fault `timeout` once it took too long (by at most a quarter of a second more). */
  within<T>(promise: Promise<T>): Promise<T>
  close(): void
}

export function createDeadlines(options: { timeoutMs: number }): Deadlines {
  const { timeoutMs } = options
  // All wait equally long, so the order of arrival is the order of expiry.
  const waiting = new Set<{ readonly atMs: number; readonly reject: (fault: Fault) => void }>()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const entry of waiting) {
      if (entry.atMs > now) return
      waiting.delete(entry)
      entry.reject(new Fault('timeout', `no answer within ${timeoutMs} ms`))
    }
  }, SWEEP_MS)
  timer.unref?.()
  return {
    within: (promise) =>
      new Promise((resolve, reject) => {
        const entry = { atMs: performance.now() + timeoutMs, reject }
        waiting.add(entry)
        promise.then(
          (value) => {
            waiting.delete(entry)
            resolve(value)
          },
          (error: unknown) => {
            waiting.delete(entry)
            reject(error)
          },
        )
      }),
    close: () => clearInterval(timer),
  }
}
