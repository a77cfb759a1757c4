/** Where time comes from, injected so that tests own it. `nowMs` is wall time (never decides a conflict); `elapsedMs` is monotonic. */
export type Clock = {
  nowMs(): number
  elapsedMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() }

/** Waits, but not longer than until `closed` is aborted. */
export function pause(ms: number, closed: AbortSignal): Promise<void> {
  if (closed.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      closed.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    closed.addEventListener('abort', done)
  })
}
