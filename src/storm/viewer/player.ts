import type { PlaybackAnswer } from './answers.ts'
import type { PlayerHabits } from './habits.ts'
import type { Job } from './job.ts'
import { ABR_SAMPLE_BYTES_MIN, ABR_SAMPLE_WEIGHT, CREDITS_MS, SAME_MS } from './limits.ts'
import type { MainPlaylist, MediaPlaylist } from './protocol.ts'
import { type SignalIdSource, toSignalIdSource } from './signal-id.ts'

/** Buffer, playhead and choice of rendition of one film. Changed only within a turn, on that turn's own copy. */
export type Player = {
  sessionId: string
  signalIds: SignalIdSource
  beganMs: number
  token: string
  directory: string
  manifestFile: string
  heartbeatMs: number
  heartbeatDueMs: number
  heartbeatAttempts: number
  /** Playlists are shared by all who watch the film. */
  main: MainPlaylist | null
  /** Per variant, as far as they were fetched. */
  videos: readonly (MediaPlaylist | null)[]
  videoInits: readonly boolean[]
  audio: MediaPlaylist | null
  audioInit: boolean
  /** The variant that `videoNext` counts in. */
  variant: number
  videoNext: number
  audioNext: number
  /** Film time up to which each track is buffered without a gap. */
  videoEndMs: number
  audioEndMs: number
  filmEndMs: number
  epoch: number
  estimateBps: number
  started: boolean
  /** Why the viewer waits, while they do and the film has begun. */
  waitCause: 'dry' | 'seek'
  positionMs: number
  /** When the playhead was at `positionMs`; it has moved since only while the viewer is playing. */
  sinceMs: number
  playedMs: number
  playedToldMs: number
  /** Marks on `playedMs`. */
  progressAtMs: number
  seekAtMs: number
}

export function createPlayer(answer: PlaybackAnswer, nowMs: number, habits: PlayerHabits): Player {
  const { sessionId, token, directory, manifestFile, heartbeatMs, resumeMs, durationMs } = answer
  const startMs = resumeMs < durationMs - CREDITS_MS ? resumeMs : 0
  return {
    sessionId,
    signalIds: toSignalIdSource(sessionId),
    beganMs: nowMs,
    token,
    directory,
    manifestFile,
    heartbeatMs,
    heartbeatDueMs: nowMs + heartbeatMs,
    heartbeatAttempts: 0,
    main: null,
    videos: [],
    videoInits: [],
    audio: null,
    audioInit: false,
    variant: 0,
    videoNext: 0,
    audioNext: 0,
    videoEndMs: startMs,
    audioEndMs: startMs,
    filmEndMs: durationMs,
    epoch: 0,
    estimateBps: habits.abrInitialBps,
    started: false,
    waitCause: 'dry',
    positionMs: startMs,
    sinceMs: nowMs,
    playedMs: 0,
    playedToldMs: 0,
    progressAtMs: Number.POSITIVE_INFINITY,
    seekAtMs: Number.POSITIVE_INFINITY,
  }
}

type Settings = { readonly habits: PlayerHabits; readonly lineBps: number }

/** What is to be fetched with the playhead at `positionMs`, or null while enough is buffered. */
export function nextMediaJob(player: Readonly<Player>, positionMs: number, settings: Settings): Job | null {
  const { main } = player
  if (main === null) return mediaJob('playlist', 'main', 0, 0, player)
  const track = neediestTrack(player, positionMs + goalMs(settings.habits) + SAME_MS)
  if (track === null) return null
  const variant = track === 'video' ? chooseVariant(main, player.estimateBps, settings) : player.variant
  const missing = missingSetup(player, main, variant)
  if (missing !== null) return missing
  if (track === 'audio') return mediaJob('segment', 'audio', 0, player.audioNext, player)
  const index = variant === player.variant ? player.videoNext : indexAfter(player.videos[variant], player.videoEndMs)
  return mediaJob('segment', 'video', variant, index, player)
}

/** How far ahead is fetched; never less than what playing needs to begin. */
function goalMs(habits: PlayerHabits): number {
  return Math.max(habits.aheadMs, habits.startBufferMs)
}

/** The track that has less, if it ends before `untilMs`. */
function neediestTrack(player: Readonly<Player>, untilMs: number): 'video' | 'audio' | null {
  const videoMs = isVideoDone(player) ? Number.POSITIVE_INFINITY : player.videoEndMs
  const audioMs = isAudioDone(player) ? Number.POSITIVE_INFINITY : player.audioEndMs
  if (Math.min(videoMs, audioMs) >= untilMs) return null
  return videoMs <= audioMs ? 'video' : 'audio'
}

/** Each playlist and init once, playlists first. */
function missingSetup(player: Readonly<Player>, main: MainPlaylist, variant: number): Job | null {
  const video = player.videos[variant] ?? null
  if (video === null) return mediaJob('playlist', 'video', variant, 0, player)
  if (main.audioFile !== null && player.audio === null) return mediaJob('playlist', 'audio', 0, 0, player)
  if (video.initFile !== null && player.videoInits[variant] !== true) {
    return mediaJob('init', 'video', variant, 0, player)
  }
  if (player.audio !== null && player.audio.initFile !== null && !player.audioInit) {
    return mediaJob('init', 'audio', 0, 0, player)
  }
  return null
}

function mediaJob(
  kind: Job['kind'],
  track: Job['track'],
  variant: number,
  index: number,
  { epoch }: Readonly<Player>,
): Job {
  return { kind, track, variant, index, epoch }
}

/** The best rendition that what is measured can carry with some to spare, else the smallest. */
export function chooseVariant({ variants }: MainPlaylist, estimateBps: number, settings: Settings): number {
  const budgetBps = Math.min(estimateBps, settings.lineBps) * settings.habits.abrSafety
  let best = -1
  let smallest = 0
  for (let at = 0; at < variants.length; at += 1) {
    const bps = bandwidthOf(variants, at)
    if (bps <= budgetBps && (best < 0 || bps > bandwidthOf(variants, best))) best = at
    if (bps < bandwidthOf(variants, smallest)) smallest = at
  }
  return best < 0 ? smallest : best
}

function bandwidthOf(variants: MainPlaylist['variants'], at: number): number {
  return variants[at]?.bandwidthBps ?? Number.POSITIVE_INFINITY
}

/** An exponentially weighted mean of what segments came with; no faster than the line. */
export function measure(player: Player, answer: { bytes: number; tookMs: number }, lineBps: number): void {
  if (answer.bytes < ABR_SAMPLE_BYTES_MIN) return
  const sampleBps = Math.min(lineBps, (answer.bytes * 8_000) / Math.max(answer.tookMs, SAME_MS))
  player.estimateBps += ABR_SAMPLE_WEIGHT * (sampleBps - player.estimateBps)
}

export function takeMainPlaylist(player: Player, main: MainPlaylist): void {
  player.main = main
  player.videos = main.variants.map(() => null)
  player.videoInits = main.variants.map(() => false)
}

export function takeMediaPlaylist(player: Player, job: Job, playlist: MediaPlaylist): void {
  if (job.track === 'audio') {
    player.audio = playlist
    player.audioNext = indexAfter(playlist, player.audioEndMs)
    return
  }
  const first = player.videos.every((known) => known === null)
  player.videos = player.videos.with(job.variant, playlist)
  if (!first) return
  player.variant = job.variant
  player.filmEndMs = playlist.endsMs.at(-1) ?? player.filmEndMs
  // A position to resume at that the film does not have.
  if (player.positionMs >= player.filmEndMs) moveTo(player, 0)
  player.videoNext = indexAfter(playlist, player.videoEndMs)
}

export function takeInit(player: Player, job: Job): void {
  if (job.track === 'audio') player.audioInit = true
  else player.videoInits = player.videoInits.with(job.variant, true)
}

/** A segment is there; false when it belongs to what was dropped by a seek. */
export function takeSegment(player: Player, job: Job): boolean {
  if (job.epoch !== player.epoch) return false
  if (job.track === 'audio') {
    player.audioEndMs = player.audio?.endsMs[job.index] ?? player.audioEndMs
    player.audioNext = job.index + 1
  } else {
    player.variant = job.variant
    player.videoEndMs = player.videos[job.variant]?.endsMs[job.index] ?? player.videoEndMs
    player.videoNext = job.index + 1
  }
  return true
}

/** The first segment that ends after `positionMs`; the number of segments when none does. */
function indexAfter(playlist: MediaPlaylist | null | undefined, positionMs: number): number {
  const endsMs = playlist?.endsMs ?? []
  let low = 0
  let high = endsMs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((endsMs[middle] ?? 0) > positionMs + SAME_MS) high = middle
    else low = middle + 1
  }
  return low
}

function isVideoDone(player: Readonly<Player>): boolean {
  const playlist = player.videos[player.variant] ?? null
  return playlist !== null && player.videoNext >= playlist.segmentFiles.length
}

function isAudioDone({ main, audio, audioNext }: Readonly<Player>): boolean {
  if (main === null) return false
  return main.audioFile === null || (audio !== null && audioNext >= audio.segmentFiles.length)
}

/** How far the playhead may go: to where the shorter track's buffer ends. */
export function playableUntilMs(player: Readonly<Player>): number {
  const videoMs = isVideoDone(player) ? player.filmEndMs : Math.min(player.videoEndMs, player.filmEndMs)
  return isAudioDone(player) ? videoMs : Math.min(videoMs, player.audioEndMs)
}

/** Whether enough is buffered to play, or all there is. */
export function isReady(player: Readonly<Player>, startBufferMs: number): boolean {
  const wanted = Math.min(player.positionMs + Math.max(startBufferMs, SAME_MS), player.filmEndMs)
  return player.main !== null && playableUntilMs(player) >= wanted
}

/** When a playing viewer will have to fetch again, if nothing is missing now; Infinity when all is there. */
export function fetchAtMs(player: Readonly<Player>, habits: PlayerHabits): number {
  const videoMs = isVideoDone(player) ? Number.POSITIVE_INFINITY : player.videoEndMs
  const audioMs = isAudioDone(player) ? Number.POSITIVE_INFINITY : player.audioEndMs
  return player.sinceMs + Math.min(videoMs, audioMs) - goalMs(habits) - player.positionMs
}

/** Moves the playhead of a playing viewer to where it is at `atMs`. */
export function settle(player: Player, atMs: number): void {
  const playedMs = Math.max(0, atMs - player.sinceMs)
  player.positionMs = Math.min(player.positionMs + playedMs, playableUntilMs(player))
  player.playedMs += playedMs
  player.sinceMs = atMs
}

/** Drops the buffer and begins at another place. */
export function moveTo(player: Player, positionMs: number): void {
  player.epoch += 1
  player.positionMs = positionMs
  player.videoEndMs = positionMs
  player.audioEndMs = positionMs
  player.videoNext = indexAfter(player.videos[player.variant], positionMs)
  player.audioNext = indexAfter(player.audio, positionMs)
}
