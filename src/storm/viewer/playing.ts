import { addSignal } from './beacons.ts'
import { endFilm, tellPlayed } from './leaving.ts'
import { PROGRESS_MS_MIN } from './limits.ts'
import { isReady, moveTo, type Player, playableUntilMs, settle } from './player.ts'
import { changeMode, drawOf, type Turn, tell, toExponential } from './state.ts'

const MINUTE_MS = 60_000

/** Begins or goes on playing as soon as enough is buffered. */
export function playIfReady(turn: Turn, player: Player, atMs: number): void {
  const { viewer, habits } = turn
  if (viewer.mode === 'playing' || !isReady(player, habits.player.startBufferMs)) return
  const waitedMs = atMs - viewer.waitSinceMs
  if (player.started) {
    tell(turn, { type: 'stalled', ms: waitedMs, cause: player.waitCause })
  } else {
    player.started = true
    player.progressAtMs = progressEveryMs(turn)
    player.seekAtMs = nextSeekMs(turn)
    tell(turn, { type: 'started', ms: waitedMs })
    addSignal(viewer, 'started', atMs)
  }
  viewer.waitSinceMs = Number.POSITIVE_INFINITY
  player.sinceMs = atMs
  changeMode(turn, 'playing')
}

/** The buffer has run dry. */
export function onDry(turn: Turn, player: Player, atMs: number): void {
  settle(player, atMs)
  player.positionMs = playableUntilMs(player)
  tellPlayed(turn, player)
  addSignal(turn.viewer, 'stalled', atMs)
  player.waitCause = 'dry'
  waitForPicture(turn, atMs)
}

/** To anywhere in the film; what was buffered is dropped. The player tells where it is then, as the watch page does. */
export function onSeek(turn: Turn, player: Player, atMs: number): void {
  settle(player, atMs)
  tellPlayed(turn, player)
  moveTo(player, drawOf(turn.viewer) * player.filmEndMs)
  player.seekAtMs = player.playedMs + nextSeekMs(turn)
  addSignal(turn.viewer, 'progress', atMs)
  player.waitCause = 'seek'
  waitForPicture(turn, atMs)
  playIfReady(turn, player, atMs)
}

function waitForPicture(turn: Turn, atMs: number): void {
  turn.viewer.waitSinceMs = atMs
  changeMode(turn, 'stalled')
}

export function onProgress(turn: Turn, player: Player, atMs: number): void {
  settle(player, atMs)
  tellPlayed(turn, player)
  player.progressAtMs = player.playedMs + progressEveryMs(turn)
  addSignal(turn.viewer, 'progress', atMs)
}

/** The film's last picture was shown. */
export function onFilmEnd(turn: Turn, player: Player, atMs: number): void {
  settle(player, atMs)
  player.positionMs = player.filmEndMs
  endFilm(turn, { signal: 'ended', goHome: turn.viewer.persona.returnsHome }, atMs)
}

/** Has watched for as long as they meant to. */
export function onWatchEnd(turn: Turn, atMs: number): void {
  endFilm(turn, { signal: 'progress', goHome: turn.viewer.persona.returnsHome }, atMs)
}

/** Film time this viewer will watch: a seek back must not make an evening endless, so never more than the film is long. */
export function watchLimitMs(turn: Turn, player: Readonly<Player>): number {
  const { watchMs } = turn.viewer.persona
  // The millisecond lets the film's own end come first for whoever watches it from the beginning.
  return Math.min(watchMs, player.filmEndMs + 1)
}

function nextSeekMs(turn: Turn): number {
  const { seeksPerMinute } = turn.habits
  const chance = drawOf(turn.viewer)
  return seeksPerMinute > 0 ? toExponential(MINUTE_MS / seeksPerMinute, chance) : Number.POSITIVE_INFINITY
}

function progressEveryMs(turn: Turn): number {
  return Math.max(PROGRESS_MS_MIN, turn.habits.player.progressEveryMs)
}
