import { addSignal } from './beacons.ts'
import { type Player, settle } from './player.ts'
import type { ViewerNote } from './protocol.ts'
import { changeMode, enterPhase, type Signal, type Turn, tell } from './state.ts'

/** Notes what was played since the last such note. */
export function tellPlayed(turn: Turn, player: Player): void {
  const ms = player.playedMs - player.playedToldMs
  player.playedToldMs = player.playedMs
  if (ms > 0) tell(turn, { type: 'played', ms })
}

/** Closes the account of a film: whatever was played or waited for is told. */
function tellWatched(turn: Turn, atMs: number): void {
  const { player, mode, waitSinceMs } = turn.viewer
  if (player === null) return
  if (mode === 'playing') settle(player, atMs)
  if (mode === 'stalled') tell(turn, { type: 'stalled', ms: atMs - waitSinceMs, cause: player.waitCause })
  tellPlayed(turn, player)
}

export function leave(turn: Turn, atMs: number): void {
  depart(turn, atMs, null)
}

/** Has had enough: of waiting, or of what was refused for good. */
export function giveUp(turn: Turn, why: 'waited' | 'refused', atMs: number): void {
  const { phase, player, waitSinceMs } = turn.viewer
  const waitedMs = waitSinceMs === Number.POSITIVE_INFINITY ? 0 : atMs - waitSinceMs
  const watching = player?.started === true ? 'stall' : 'startup'
  depart(turn, atMs, { type: 'gave-up', during: phase === 'watching' ? watching : 'browsing', why, waitedMs })
}

/** The storm is over: whatever is still being waited for is told as it stands. */
export function breakOff(turn: Turn, atMs: number): void {
  const { mode, waitSinceMs } = turn.viewer
  depart(turn, atMs, mode === 'starting' ? { type: 'unstarted', waitedMs: Math.max(0, atMs - waitSinceMs) } : null)
}

function depart(turn: Turn, atMs: number, reason: ViewerNote | null): void {
  const { viewer } = turn
  tellWatched(turn, atMs)
  if (reason !== null) tell(turn, reason)
  enterPhase(viewer, 'gone')
  viewer.player = null
  viewer.request = null
  changeMode(turn, 'gone')
  turn.effects.push({ type: 'leave' })
}

/** The film is over for this viewer: tells where they were, then goes home or away. */
export function endFilm(turn: Turn, end: { signal: Signal['kind']; goHome: boolean }, atMs: number): void {
  const { viewer } = turn
  tellWatched(turn, atMs)
  if (viewer.player?.started) addSignal(viewer, end.signal, atMs)
  // Whatever failed before, where the viewer stopped is told at once.
  viewer.outboxDueMs = atMs
  viewer.outboxAttempts = 0
  viewer.player = null
  viewer.filmOver = true
  viewer.premiereEndsMs = Number.POSITIVE_INFINITY
  // Who leaves a film breaks off what is still on the line.
  viewer.arriving = null
  viewer.lineFreeMs = 0
  enterPhase(viewer, end.goHome ? 'opening-home' : 'closing')
  changeMode(turn, 'browsing')
}
