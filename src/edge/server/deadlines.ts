import type { ServerLimits } from './options.ts'
import type { Phase } from './phase.ts'

/** What moved in the window that began at `sinceMs`; -1 while nothing is waited for. */
export type Progress = { sinceMs: number; bytes: number }

/** What of a connection decides about its deadlines. */
export type Watched = {
  readonly phase: Phase
  readonly sinceMs: number
  /** The client is the one to send content; not while the server holds it back or owes it a 100. */
  readonly awaitsContent: boolean
  /** The client is the one to read. */
  readonly awaitsReader: boolean
}
export type Late = 'idle' | 'head' | 'content' | 'answer' | 'linger' | null

/** Which deadline has passed. The windows are the connection's own and are moved on here; a handler's time is in none of them. */
export function decideLate(parts: {
  readonly watched: Watched
  readonly coming: Progress
  readonly going: Progress
  readonly nowMs: number
  readonly limits: ServerLimits
}): Late {
  const { watched, coming, going, nowMs, limits } = parts
  const windowMs = limits.edgeProgressWindowMs
  const tooLittleRead = isSlow(going, watched.awaitsReader, limits.edgeAnswerBytesPerWindowMin, nowMs, windowMs)
  const tooLittleSent = isSlow(coming, watched.awaitsContent, limits.edgeBodyBytesPerWindowMin, nowMs, windowMs)
  if (tooLittleRead) return 'answer'
  if (tooLittleSent) return 'content'
  const passedMs = nowMs - watched.sinceMs
  if (watched.phase === 'idle' && passedMs >= limits.edgeIdleTimeoutMs) return 'idle'
  if (watched.phase === 'head' && passedMs >= limits.edgeHeadTimeoutMs) return 'head'
  if (watched.phase === 'linger' && passedMs >= limits.edgeLingerMs) return 'linger'
  return null
}

/** Whether a whole window passed with fewer than `bytesMin`. Begins one when there is something to wait for. */
function isSlow(progress: Progress, awaits: boolean, bytesMin: number, nowMs: number, windowMs: number): boolean {
  if (!awaits) {
    progress.sinceMs = -1
    return false
  }
  if (progress.sinceMs < 0) {
    progress.sinceMs = nowMs
    progress.bytes = 0
    return false
  }
  if (nowMs - progress.sinceMs < windowMs) return false
  const slow = progress.bytes < bytesMin
  progress.sinceMs = nowMs
  progress.bytes = 0
  return slow
}

/** Often enough that a deadline is kept to a quarter of itself, and to half a second. */
export function toSweepMs(limits: ServerLimits): number {
  const shortest = Math.min(limits.edgeHeadTimeoutMs, limits.edgeIdleTimeoutMs, limits.edgeProgressWindowMs)
  return Math.max(5, Math.min(500, Math.floor(shortest / 4)))
}
