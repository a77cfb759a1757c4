const TICK_MS = 1
const SECOND_MS = 1_000

/**
 * Calls `onTick` about every millisecond and `onSecond` at the end of each second of storm time, until `durationMs` or until
 * `stop` is aborted. Seconds that passed while the process was held up are caught up with one by one, so that no second is missing.
 */
export function runClockwork(options: {
  readonly durationMs: number
  readonly nowMs: () => number
  readonly onTick: (nowMs: number) => void
  readonly onSecond: (atMs: number) => void
  readonly stop: AbortSignal
}): Promise<void> {
  const { durationMs, nowMs, onTick, onSecond, stop } = options
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let nextSecondMs = SECOND_MS

  const step = (): void => {
    const now = nowMs()
    try {
      // Once more at the end: what was due in the last millisecond belongs to the storm.
      if (!stop.aborted) onTick(now)
      for (; nextSecondMs <= now && nextSecondMs <= durationMs; nextSecondMs += SECOND_MS) onSecond(nextSecondMs)
    } catch (error) {
      // A defect of storm's own ends the storm; it must not go on half-blind.
      reject(error)
      return
    }
    if (now >= durationMs || stop.aborted) resolve()
    else setTimeout(step, TICK_MS)
  }
  step()
  return promise
}
