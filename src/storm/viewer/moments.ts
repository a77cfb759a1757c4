import { onClick } from './browsing.ts'
import { endFilm, giveUp } from './leaving.ts'
import { onArrived } from './media.ts'
import { fetchAtMs, type Player, playableUntilMs } from './player.ts'
import { onDry, onFilmEnd, onProgress, onSeek, onWatchEnd, watchLimitMs } from './playing.ts'
import type { Turn } from './state.ts'

export type MomentKind =
  | 'none'
  | 'arrived'
  | 'premiere-end'
  | 'film-end'
  | 'watch-end'
  | 'give-up'
  | 'click'
  | 'seek'
  | 'progress'
  | 'dry'
  | 'retry'
  | 'send'

/** What happens next in a viewer's life if nothing is heard from outside. */
export type Moment = { kind: MomentKind; atMs: number }

/**
 * The next moment. Of two at the same time the one asked for first wins: what arrives at the last instant is there, and a
 * film that ends has not run dry.
 */
export function nextMoment(turn: Turn): Moment {
  const { viewer } = turn
  const { player } = viewer
  const next: Moment = { kind: 'none', atMs: Number.POSITIVE_INFINITY }
  if (viewer.arriving !== null) offer(next, 'arrived', viewer.lineFreeMs)
  offer(next, 'premiere-end', viewer.premiereEndsMs)
  if (player !== null && viewer.mode === 'playing') offerPlaying(next, turn, player)
  offer(next, 'give-up', viewer.waitSinceMs + viewer.persona.patienceMs)
  offer(next, 'click', viewer.clickMs)
  if (viewer.request === null && viewer.arriving === null) offerSending(next, turn, player)
  return next
}

function offer(next: Moment, kind: MomentKind, atMs: number): void {
  if (atMs >= next.atMs) return
  next.kind = kind
  next.atMs = atMs
}

function offerPlaying(next: Moment, turn: Turn, player: Player): void {
  const { sinceMs, positionMs, playedMs } = player
  const untilMs = playableUntilMs(player)
  const stopMs = sinceMs + Math.max(0, untilMs - positionMs)
  if (untilMs >= player.filmEndMs) offer(next, 'film-end', stopMs)
  offer(next, 'watch-end', sinceMs + Math.max(0, watchLimitMs(turn, player) - playedMs))
  offer(next, 'seek', sinceMs + Math.max(0, player.seekAtMs - playedMs))
  offer(next, 'progress', sinceMs + Math.max(0, player.progressAtMs - playedMs))
  if (untilMs < player.filmEndMs) offer(next, 'dry', stopMs)
}

/** Only while the connection is free, and after what was due has been sent: what is left lies ahead. */
function offerSending(next: Moment, { viewer, habits }: Turn, player: Player | null): void {
  if (viewer.outbox.length > 0) offer(next, 'send', viewer.outboxDueMs)
  if (player !== null) offer(next, 'send', player.heartbeatDueMs)
  if (viewer.retryAtMs > 0) offer(next, 'retry', viewer.retryAtMs)
  else if (player !== null && viewer.mode === 'playing') offer(next, 'send', fetchAtMs(player, habits.player))
}

/** Lets a moment happen. Each one moves its own mark on, so that no moment comes twice. */
export function perform(turn: Turn, { kind, atMs }: Moment): void {
  const { viewer } = turn
  const { player } = viewer
  if (kind === 'arrived') onArrived(turn, atMs)
  else if (kind === 'premiere-end') endFilm(turn, { signal: 'ended', goHome: true }, atMs)
  else if (kind === 'give-up') giveUp(turn, 'waited', atMs)
  else if (kind === 'click') onClick(turn, atMs)
  else if (kind === 'retry') viewer.retryAtMs = 0
  else if (kind === 'watch-end') onWatchEnd(turn, atMs)
  else if (player === null) return
  else if (kind === 'film-end') onFilmEnd(turn, player, atMs)
  else if (kind === 'seek') onSeek(turn, player, atMs)
  else if (kind === 'progress') onProgress(turn, player, atMs)
  else if (kind === 'dry') onDry(turn, player, atMs)
}
