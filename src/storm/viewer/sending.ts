import { tellSent } from './beacons.ts'
import { type Job, toJob } from './job.ts'
import { leave } from './leaving.ts'
import { SIGNALS_MAX } from './limits.ts'
import { nextMediaJob } from './player.ts'
import { toRequest } from './requests.ts'
import { type Turn, tell, type Viewer } from './state.ts'

/**
 * Sends what is due, if the viewer's connection and line are free. A request is due when its time has come *and* the
 * viewer can send it: what waits behind the viewer's own earlier request is in that one's latency already.
 */
export function sendNext(turn: Turn, atMs: number): void {
  const { viewer } = turn
  if (viewer.request !== null || viewer.arriving !== null || viewer.phase === 'gone') return
  // The last signals get one attempt: nobody sits before a closed film until they are through.
  if (viewer.phase === 'closing' && (viewer.outbox.length === 0 || viewer.outboxAttempts > 0)) {
    leave(turn, atMs)
    return
  }
  const job = dueBeacon(viewer, atMs) ?? dueJob(turn, atMs)
  if (job !== null) send(turn, job, atMs)
}

/** Signals and heartbeats go before the next segment. */
function dueBeacon({ outbox, outboxDueMs, player }: Readonly<Viewer>, atMs: number): Job | null {
  if (outbox.length > 0 && outboxDueMs <= atMs) return toJob('signals', Math.min(outbox.length, SIGNALS_MAX))
  if (player !== null && player.heartbeatDueMs <= atMs) return toJob('heartbeat')
  return null
}

function dueJob({ viewer, habits }: Turn, atMs: number): Job | null {
  if (viewer.retryAtMs > atMs) return null
  switch (viewer.phase) {
    case 'signing-in':
      return toJob('session')
    case 'opening-home':
      return toJob('home')
    case 'seeing-posters':
      return toJob('art', viewer.posterIndex)
    case 'opening-title':
      return toJob('title')
    case 'watching': {
      const { player } = viewer
      if (player === null) return toJob('playback')
      const positionMs = viewer.mode === 'playing' ? player.positionMs + atMs - player.sinceMs : player.positionMs
      const { lineBps } = viewer.origin.population
      return nextMediaJob(player, positionMs, { habits: habits.player, lineBps })
    }
    default:
      return null
  }
}

function send(turn: Turn, job: Job, dueMs: number): void {
  const { viewer } = turn
  viewer.request = job
  if (job.kind === 'signals') tellSent(turn, job.index)
  else if (job.kind !== 'heartbeat') viewer.retryAtMs = 0
  if (job.kind === 'playback') tell(turn, { type: 'playback-sent', viewerId: viewer.viewerId })
  // The wait for a page begins with its request; a film's and a title's began with the click.
  const isPage = job.kind === 'session' || job.kind === 'home'
  if (isPage && viewer.waitSinceMs === Number.POSITIVE_INFINITY) viewer.waitSinceMs = dueMs
  turn.effects.push({ type: 'request', request: toRequest(viewer, job, dueMs) })
}
