import { draw, seedOf } from '../random.ts'
import { SIGNALS_MAX } from './limits.ts'
import type { Failure } from './protocol.ts'
import { judgeFailure, retryDelayMs } from './retry.ts'
import { toSignalId } from './signal-id.ts'
import { type Signal, type Turn, tell, type Viewer } from './state.ts'

/** Ids have draws of their own: how many signals a slow server causes must not change what a viewer does. */
const SIGNAL_SALT = 0x5167

/** Puts a signal into the outbox, to be sent as soon as the viewer's connection is free. */
export function addSignal(viewer: Viewer, kind: Signal['kind'], atMs: number): void {
  const { player, titleId, origin, outbox } = viewer
  if (player === null || titleId === null) return
  const sequence = viewer.signalsMade
  viewer.signalsMade += 1
  const chance = draw(seedOf(seedOf(origin.seed ^ SIGNAL_SALT, origin.index), sequence)).value
  const id = toSignalId(player.signalIds, { sequence, chance, sinceMs: atMs - player.beganMs })
  const positionMs = Math.max(0, Math.round(player.positionMs))
  const signal: Signal = { id, sessionId: player.sessionId, titleId, kind, positionMs }
  if (outbox.length >= SIGNALS_MAX && !dropOldest(viewer)) return
  viewer.outbox = [...viewer.outbox, signal]
  if (viewer.outboxAttempts === 0) viewer.outboxDueMs = atMs
}

/** The newest say where the film stands, so the oldest goes that is not on its way. */
function dropOldest(viewer: Viewer): boolean {
  const underWay = viewer.request?.kind === 'signals' ? viewer.request.index : 0
  if (underWay >= viewer.outbox.length) return false
  viewer.outbox = viewer.outbox.toSpliced(underWay, 1)
  if (viewer.outboxTold > underWay) viewer.outboxTold -= 1
  return true
}

/** Tells the journal of those that are sent for the first time. */
export function tellSent(turn: Turn, count: number): void {
  const { viewer } = turn
  if (count <= viewer.outboxTold) return
  tell(turn, { type: 'signals-sent', ids: idsOf(viewer.outbox.slice(viewer.outboxTold, count)) })
  viewer.outboxTold = count
}

export function onSignalsAnswered(turn: Turn, count: number): void {
  tell(turn, { type: 'signals-acknowledged', ids: idsOf(turn.viewer.outbox.slice(0, count)) })
  take(turn.viewer, count)
}

/** Nobody waits for a signal: what is refused is dropped, what could not be delivered is sent again. */
export function onSignalsFailed({ viewer, habits }: Turn, count: number, failure: Failure, atMs: number): void {
  if (judgeFailure(failure) !== 'again') {
    take(viewer, count)
    return
  }
  viewer.outboxDueMs = atMs + retryDelayMs(habits.player.retryMs, viewer.outboxAttempts, failure)
  viewer.outboxAttempts += 1
}

function take(viewer: Viewer, count: number): void {
  viewer.outbox = viewer.outbox.slice(count)
  viewer.outboxTold = Math.max(0, viewer.outboxTold - count)
  viewer.outboxAttempts = 0
  viewer.outboxDueMs = 0
}

function idsOf(signals: readonly Signal[]): readonly string[] {
  return signals.map((signal) => signal.id)
}
