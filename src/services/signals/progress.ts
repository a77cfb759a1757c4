import { LRUCache } from 'lru-cache'
import type { CloudEvent, EventData } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { createView, defineView, type ViewDefinition } from '../../hub/index.ts'
import type { Limits, Logger } from '../../kernel/index.ts'

export type Watched = { readonly titleId: string; readonly positionMs: number; readonly ended: boolean }

/** How far viewers have come, from their signals on the log: the same in every cell. */
export type Progress = {
  /** Where to go on in a title, or null to begin at its start. */
  resumeMs(viewerId: string, title: { readonly id: string; readonly durationMs: number }): number | null
  /** What the viewer has begun, the latest first. */
  watched(viewerId: string): readonly Watched[]
  lag(): number
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  close(): Promise<void>
}

type Signal = EventData<'tentpole.playback.signal.v1'>
/** Per viewer by title, in the order of the last signal. */
type ProgressState = LRUCache<string, Map<string, Watched>>
type ProgressLimits = Pick<Limits, 'progressViewersMax' | 'progressTitlesPerViewerMax'>

export function createProgress(options: { log: LogPort; logger: Logger; limits: ProgressLimits }): Progress {
  const { log, logger, limits } = options
  const view = createView({ log, definition: progressView(limits), logger })
  return {
    resumeMs(viewerId, title) {
      const watched = view.state.peek(viewerId)?.get(title.id)
      return watched ? toResumeMs(watched, title.durationMs) : null
    },
    watched: (viewerId) => [...(view.state.peek(viewerId)?.values() ?? [])].reverse(),
    lag: view.lag,
    caughtUp: view.caughtUp,
    close: view.close,
  }
}

function progressView(limits: ProgressLimits): ViewDefinition<ProgressState> {
  return defineView<ProgressState>({
    name: 'progress',
    version: 1,
    topics: ['signals'],
    create: () => new LRUCache({ max: limits.progressViewersMax }),
    apply(viewers, event) {
      if (!isSignal(event)) return
      const titles = viewers.get(event.data.viewerId) ?? new Map<string, Watched>()
      const before = titles.get(event.data.titleId)
      // Deleted first, so that the map's order is the order of the last signal.
      titles.delete(event.data.titleId)
      titles.set(event.data.titleId, decideWatched(before, event.data))
      if (titles.size > limits.progressTitlesPerViewerMax) titles.delete(titles.keys().next().value as string)
      viewers.set(event.data.viewerId, titles)
    },
  })
}

/** A player says `started` before it has sought to where it goes on, so that signal never moves a known position. */
export function decideWatched(before: Watched | undefined, signal: Signal): Watched {
  const { titleId, positionMs, kind } = signal
  if (kind === 'started' && before) return before
  return { titleId, positionMs, ended: kind === 'ended' }
}

/**
 * Null at the start, after the end, and so near the end that only credits are left: the last 5%, and never less than
 * the last 10 s (of a clip under 100 s, its last tenth).
 */
export function toResumeMs(watched: Pick<Watched, 'positionMs' | 'ended'>, durationMs: number): number | null {
  if (watched.ended || watched.positionMs === 0) return null
  const creditsMs = Math.max(durationMs * 0.05, Math.min(10_000, durationMs * 0.1))
  return watched.positionMs >= durationMs - creditsMs ? null : watched.positionMs
}

function isSignal(event: CloudEvent): event is CloudEvent<'tentpole.playback.signal.v1'> {
  return event.type === 'tentpole.playback.signal.v1'
}
