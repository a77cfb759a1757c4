/** Where on the bar a pointer is, 0 to 1. */
export function shareAt(x: number, bar: { left: number; width: number }): number {
  return bar.width <= 0 ? 0 : Math.min(1, Math.max(0, (x - bar.left) / bar.width))
}

/** The part of the film buffered around the playhead, in shares of the whole; empty where nothing is. */
export function bufferedAround(
  ranges: readonly { startMs: number; endMs: number }[],
  positionMs: number,
  durationMs: number,
): { from: number; to: number } {
  const SLACK_MS = 250
  const range = ranges.find(({ startMs, endMs }) => startMs - SLACK_MS <= positionMs && positionMs <= endMs)
  if (range === undefined || durationMs <= 0) return { from: 0, to: 0 }
  return { from: range.startMs / durationMs, to: Math.min(1, range.endMs / durationMs) }
}

const STEP_MS = 10_000
const LEAP_MS = 60_000

/** Where a key on the bar leads, or null for a key that is not the bar's. */
export function seekByKey(key: string, positionMs: number, durationMs: number): number | null {
  const targets: Readonly<Record<string, number>> = {
    ArrowLeft: positionMs - STEP_MS,
    ArrowDown: positionMs - STEP_MS,
    ArrowRight: positionMs + STEP_MS,
    ArrowUp: positionMs + STEP_MS,
    PageDown: positionMs - LEAP_MS,
    PageUp: positionMs + LEAP_MS,
    Home: 0,
    End: durationMs,
  }
  const target = Object.hasOwn(targets, key) ? targets[key] : undefined
  return target === undefined ? null : Math.min(durationMs, Math.max(0, target))
}
