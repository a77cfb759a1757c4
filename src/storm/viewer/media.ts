import { readHeartbeat, readMainPlaylist, readMediaPlaylist, readPlayback } from './answers.ts'
import type { Job } from './job.ts'
import { HEARTBEAT_MS_MIN } from './limits.ts'
import {
  createPlayer,
  measure,
  type Player,
  takeInit,
  takeMainPlaylist,
  takeMediaPlaylist,
  takeSegment,
} from './player.ts'
import { playIfReady } from './playing.ts'
import type { Failure } from './protocol.ts'
import { retryDelayMs } from './retry.ts'
import { type Turn, tell } from './state.ts'

/** What a viewer's player does with answers. Each `on…Answered` says whether the answer could be read. */

export function onPlaybackAnswered(turn: Turn, content: unknown, atMs: number): boolean {
  const playback = readPlayback(content)
  if (playback === null) return false
  const { viewer, habits } = turn
  const { sessionId } = playback
  tell(turn, { type: 'playback-acknowledged', viewerId: viewer.viewerId, sessionId })
  if (viewer.phase !== 'watching') return true
  const heartbeatMs = Math.max(HEARTBEAT_MS_MIN, playback.heartbeatMs)
  viewer.player = createPlayer({ ...playback, heartbeatMs }, atMs, habits.player)
  viewer.attempts = 0
  return true
}

export function onHeartbeatAnswered({ viewer }: Turn, content: unknown, atMs: number): boolean {
  const renewed = readHeartbeat(content)
  if (renewed === null) return false
  const { player } = viewer
  if (player === null) return true
  player.token = renewed.token
  player.heartbeatMs = Math.max(HEARTBEAT_MS_MIN, renewed.heartbeatMs)
  player.heartbeatDueMs = atMs + player.heartbeatMs
  player.heartbeatAttempts = 0
  return true
}

export function onHeartbeatFailed({ viewer, habits }: Turn, failure: Failure, atMs: number): void {
  const { player } = viewer
  if (player === null) return
  player.heartbeatDueMs = atMs + retryDelayMs(habits.player.retryMs, player.heartbeatAttempts, failure)
  player.heartbeatAttempts += 1
}

export function onPlaylistAnswered(turn: Turn, job: Job, content: unknown, atMs: number): boolean {
  const { viewer } = turn
  const main = job.track === 'main' ? readMainPlaylist(content) : null
  const media = job.track === 'main' ? null : readMediaPlaylist(content)
  if (main === null && media === null) return false
  const { player } = viewer
  if (player === null) return true
  if (main !== null) takeMainPlaylist(player, main)
  if (media !== null) takeMediaPlaylist(player, job, media)
  viewer.attempts = 0
  playIfReady(turn, player, atMs)
  return true
}

export function onInitAnswered({ viewer }: Turn, job: Job): void {
  if (viewer.player === null) return
  takeInit(viewer.player, job)
  viewer.attempts = 0
}

/** A segment is in the buffer once the viewer's line has carried it, however near the server is. */
export function onSegmentAnswered(turn: Turn, job: Job, answer: { bytes: number; tookMs: number }, atMs: number): void {
  const { viewer } = turn
  if (viewer.player === null) return
  viewer.attempts = 0
  const { lineBps } = viewer.origin.population
  measure(viewer.player, answer, lineBps)
  const carriedMs = atMs - answer.tookMs + (answer.bytes * 8_000) / lineBps
  if (carriedMs > atMs) {
    viewer.arriving = job
    viewer.lineFreeMs = carriedMs
  } else {
    receive(turn, viewer.player, job, atMs)
  }
}

/** The line has carried it. */
export function onArrived(turn: Turn, atMs: number): void {
  const { viewer } = turn
  const { arriving, player } = viewer
  viewer.arriving = null
  viewer.lineFreeMs = 0
  if (arriving !== null && player !== null) receive(turn, player, arriving, atMs)
}

function receive(turn: Turn, player: Player, job: Job, atMs: number): void {
  if (takeSegment(player, job)) playIfReady(turn, player, atMs)
}

/** Media that was refused because its token is too old: a new one first, then the same again, the first time at once. */
export function renewToken({ viewer, habits }: Turn, player: Player, failure: Failure, atMs: number): void {
  player.heartbeatDueMs = atMs
  const delayMs = retryDelayMs(habits.player.retryMs, viewer.attempts, failure)
  viewer.retryAtMs = viewer.attempts === 0 ? 0 : atMs + delayMs
  viewer.attempts += 1
}
