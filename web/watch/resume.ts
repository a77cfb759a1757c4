import { formatLength } from '../common/format.ts'

/** What this browser last saw of a title; the server's own figure may be a beacon behind. */
export type LocalPosition = { readonly positionMs: number; readonly atMs: number }

/** How long the local figure wins over the server's: a beacon sent by a page that closed has arrived by then. */
const LOCAL_WINS_MS = 30_000
/** Nearer to the end than this there is nothing left to resume. */
const CREDITS_MS = 5_000
/** Less than this was a glance. */
const GLANCE_MS = 1_000

/** Where to start: the fresher of what this browser and the server know; 0 when the title was hardly begun or all but done. */
export function decideResume(known: {
  serverMs: number | null
  local: LocalPosition | null
  durationMs: number
  nowMs: number
}): number {
  const { serverMs, local, durationMs, nowMs } = known
  const age = local === null ? Number.POSITIVE_INFINITY : nowMs - local.atMs
  const positionMs = local !== null && age >= 0 && age < LOCAL_WINS_MS ? local.positionMs : (serverMs ?? 0)
  if (positionMs < GLANCE_MS || positionMs > durationMs - CREDITS_MS) return 0
  return positionMs
}

/** A title with what this browser saw of it a moment ago, which the server may not know yet. */
export function withLocalPosition<T extends { resumeMs: number | null; durationMs: number }>(
  title: T,
  local: LocalPosition | null,
  nowMs: number,
): T {
  const resumeMs = decideResume({ serverMs: title.resumeMs, local, durationMs: title.durationMs, nowMs })
  return { ...title, resumeMs: resumeMs === 0 ? null : resumeMs }
}

/** How much of a title is behind the viewer, 0 to 1, or null when it was not begun. */
export function watchedShare(title: { resumeMs: number | null; durationMs: number }): number | null {
  if (title.resumeMs === null || title.resumeMs <= 0 || title.durationMs <= 0) return null
  return Math.min(1, title.resumeMs / title.durationMs)
}

/** `12 min left`. */
export function formatLeft(title: { resumeMs: number | null; durationMs: number }): string {
  return `${formatLength(Math.max(1_000, title.durationMs - (title.resumeMs ?? 0)))} left`
}

const key = (titleId: string): string => `tentpole.position.${titleId}`

/** Remembers where a title stands, for a reload that is faster than its beacon. */
export function rememberPosition(storage: Storage, titleId: string, position: LocalPosition): void {
  storage.setItem(key(titleId), JSON.stringify(position))
}

export function recallPosition(storage: Storage, titleId: string): LocalPosition | null {
  try {
    const kept = JSON.parse(storage.getItem(key(titleId)) ?? 'null') as Partial<LocalPosition> | null
    const { positionMs, atMs } = kept ?? {}
    return typeof positionMs === 'number' && typeof atMs === 'number' ? { positionMs, atMs } : null
  } catch {
    return null
  }
}
