import { type Clock, createQueue, type Limits } from '../../kernel/index.ts'

/** How many sessions viewers may end here: each ending is read and remembered by every edge and cell. */
export type EndingBound = {
  /** 0 when this viewer may end one now, which then counts; else the seconds after which it is worth asking again. */
  take(viewerId: string): number
}

/** One viewer within `keptMs`, which is as long as an ending is remembered; all of them a second. */
export function createEndingBound(options: {
  readonly limits: Pick<Limits, 'sessionEndsPerSecondMax' | 'viewerSessionEndsMax'>
  readonly keptMs: number
  readonly clock: Pick<Clock, 'elapsedMs'>
}): EndingBound {
  const { limits, keptMs, clock } = options
  const { sessionEndsPerSecondMax: perSecondMax, viewerSessionEndsMax } = limits
  const timesMs = new Map<string, number[]>()
  /** As many as `perSecondMax` lets in within `keptMs`. */
  const viewers = createQueue<{ readonly viewerId: string; readonly atMs: number }>()
  let left = perSecondMax
  let filledAtMs = clock.elapsedMs()

  const forget = (nowMs: number): void => {
    for (;;) {
      const first = viewers.first()
      if (first === undefined || nowMs - first.atMs <= keptMs) return
      viewers.shift()
      const times = timesMs.get(first.viewerId)
      times?.shift()
      if (times?.length === 0) timesMs.delete(first.viewerId)
    }
  }

  return {
    take(viewerId) {
      const nowMs = clock.elapsedMs()
      forget(nowMs)
      left = Math.min(perSecondMax, left + ((nowMs - filledAtMs) / 1_000) * perSecondMax)
      filledAtMs = nowMs
      const times = timesMs.get(viewerId) ?? []
      const [oldestMs = nowMs] = times
      if (times.length >= viewerSessionEndsMax) return Math.ceil((oldestMs + keptMs - nowMs) / 1_000) + 1
      if (left < 1) return 1
      left -= 1
      times.push(nowMs)
      timesMs.set(viewerId, times)
      viewers.push({ viewerId, atMs: nowMs })
      return 0
    },
  }
}
