import type { ViewerHabits } from './habits.ts'

/**
 * How long a viewer waits who is lost before `share` of all others: the curve read backwards, straight lines between its
 * points. `share` is from 0 up to 1; beyond the curve's last point the answer is Infinity.
 */
export function patienceMs(curve: ViewerHabits['patience'], share: number): number {
  let [beforeMs, beforeShare] = curve[0] ?? [0, 0]
  if (share < beforeShare) return beforeMs
  for (const [waitedMs, lostShare] of curve) {
    if (share < lostShare) {
      return beforeMs + ((share - beforeShare) / (lostShare - beforeShare)) * (waitedMs - beforeMs)
    }
    beforeMs = waitedMs
    beforeShare = lostShare
  }
  return Number.POSITIVE_INFINITY
}
