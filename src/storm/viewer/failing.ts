import { onSignalsFailed } from './beacons.ts'
import { onPoster, onTitleGone } from './browsing.ts'
import type { Job } from './job.ts'
import { giveUp } from './leaving.ts'
import { onHeartbeatFailed, renewToken } from './media.ts'
import type { Failure } from './protocol.ts'
import { judgeFailure, retryDelayMs } from './retry.ts'
import type { Turn } from './state.ts'

/** What a viewer makes of a request that failed. */
export function onFailed(turn: Turn, job: Job, failure: Failure, atMs: number): void {
  if (job.kind === 'signals') onSignalsFailed(turn, job.index, failure, atMs)
  else if (job.kind === 'art') onPoster(turn, atMs)
  else if (!isOver(turn, job)) onNeededFailed(turn, job, failure, atMs)
}

/** Without it the viewer cannot go on. */
function onNeededFailed(turn: Turn, job: Job, failure: Failure, atMs: number): void {
  const { viewer, habits } = turn
  const { player } = viewer
  const verdict = judgeFailure(failure)
  if (verdict === 'gone' && job.kind === 'title') onTitleGone(turn, atMs)
  else if (verdict === 'gone' || verdict === 'refused') giveUp(turn, 'refused', atMs)
  else if (job.kind === 'heartbeat') onHeartbeatFailed(turn, failure, atMs)
  else if (verdict === 'renew' && player !== null) renewToken(turn, player, failure, atMs)
  else {
    viewer.retryAtMs = atMs + retryDelayMs(habits.player.retryMs, viewer.attempts, failure)
    viewer.attempts += 1
  }
}

/** Whether it was for a film that the viewer has left meanwhile. */
function isOver({ viewer }: Turn, { kind }: Job): boolean {
  if (kind === 'playback') return viewer.phase !== 'watching'
  return kind !== 'session' && kind !== 'home' && kind !== 'title' && viewer.player === null
}
