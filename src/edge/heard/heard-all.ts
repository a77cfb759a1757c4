import type { LogSubscription } from '../../engines/log/index.ts'

type Offsets = Readonly<Record<number, number>>

/**
 * To be asked again and again: when, of all those moments, all that was there had certainly been heard. On a busy log a reader
 * that keeps up is hardly ever at its end, so what counts is when it passes where the end was at an earlier look.
 */
export function createHeardAllAt(
  subscription: Pick<LogSubscription, 'position'>,
  startedAtMs: number,
): (nowMs: number) => number {
  let heardAllAtMs = startedAtMs
  let mark: { readonly end: Offsets; readonly atMs: number } | null = null
  return (nowMs) => {
    const { next, end } = subscription.position()
    if (reaches(next, end)) heardAllAtMs = nowMs
    else if (mark !== null && reaches(next, mark.end)) heardAllAtMs = mark.atMs
    else if (mark !== null) return heardAllAtMs
    mark = { end, atMs: nowMs }
    return heardAllAtMs
  }
}

function reaches(next: Offsets, end: Offsets): boolean {
  for (const [partition, offset] of Object.entries(end)) if ((next[Number(partition)] ?? 0) < offset) return false
  return true
}
