import type { CaptionsTrack, Plan, Rung } from '../../contracts/index.ts'
import type { Limits } from '../../kernel/index.ts'
import { chooseRate, type Rate, toFramesPerSecond, toTimescale } from './frame-rate.ts'
import { chooseRenditions, toDisplaySize } from './ladder.ts'
import { AUDIO_CODECS, CAPTION_CODECS, type Probe, type ProbedAudio, type ProbedVideo, VIDEO_CODECS } from './probe.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Container } from './sniff.ts'

/**
 * Two seconds: a player starts after one segment and switches at most that far from where it decided to, while the
 * keyframes still cost only some 5% of the bits. The grid is uniform, so start-up decides it.
 */
const SEGMENT_SECONDS = 2
/** Eight seconds a task: long enough that starting a process and seeking cost little, short enough to share out and to wait for. */
const SEGMENTS_PER_CHUNK = 4
const AUDIO_SAMPLE_RATE = 48_000
const AUDIO_SAMPLES_PER_FRAME = 1024
const AUDIO_BITRATE = 128_000
/** Packets may end this much before the declared end before a file counts as cut off. */
const TRUNCATION_SECONDS = 2

/** What the workers need to know of the source besides the plan; never leaves this service. */
export type Recipe = {
  readonly container: Container
  readonly videoIndex: number
  readonly audioIndex: number | null
  /** The film begins with its first picture: this long after what ffmpeg seeks from. */
  readonly offsetSeconds: number
  /** The sound begins with a packet this long after what ffmpeg seeks from. */
  readonly audioOffsetSeconds: number
  readonly interlaced: boolean
  readonly highDynamicRange: boolean
  readonly rate: Rate
  /** Where each captions track of the plan comes from. */
  readonly captions: readonly CaptionsSource[]
}

export type CaptionsSource =
  | { readonly track: string; readonly kind: 'embedded'; readonly streamIndex: number }
  | { readonly track: string; readonly kind: 'sidecar'; readonly objectKey: string }

export type Sidecar = { readonly objectKey: string; readonly language: string; readonly label: string }
export type Policy = { readonly ladder: readonly Rung[]; readonly limits: Limits }
export type Planned = { readonly ok: true; readonly plan: Plan; readonly recipe: Recipe }

/** Pure: the whole timeline and how to make it, or why the film is not taken. */
export function plan(probe: Probe, sidecars: readonly Sidecar[], policy: Policy): Planned | Refusal {
  const refusal = checkSource(probe, policy.limits)
  if (refusal) return refusal
  const { video, videoEndSeconds } = probe
  if (!video || videoEndSeconds === null) return refuseNoVideo()
  const rate = chooseRate(video.average, video.nominal)
  const framesPerSecond = toFramesPerSecond(rate)
  const seconds = videoEndSeconds - video.startSeconds
  const frames = Math.max(1, Math.round(seconds * framesPerSecond))
  const { timescale, frameTicks } = toTimescale(rate)
  const exactSeconds = (frames * frameTicks) / timescale
  const audio = chooseAudio(probe.audio)
  if (audio && !audio.ok) return audio
  const captions = chooseCaptions(probe, sidecars)
  return {
    ok: true,
    plan: {
      durationMs: Math.max(1, Math.round(exactSeconds * 1000)),
      video: {
        timescale,
        frameTicks,
        frames,
        framesPerSegment: Math.round(framesPerSecond * SEGMENT_SECONDS),
        segmentsPerChunk: SEGMENTS_PER_CHUNK,
      },
      renditions: [...chooseRenditions(policy.ladder, toDisplaySize(video), framesPerSecond)],
      audio: audio && {
        sampleRate: AUDIO_SAMPLE_RATE,
        channels: 2,
        samples: Math.max(1, Math.round(exactSeconds * AUDIO_SAMPLE_RATE)),
        samplesPerFrame: AUDIO_SAMPLES_PER_FRAME,
        framesPerSegment: Math.round((SEGMENT_SECONDS * AUDIO_SAMPLE_RATE) / AUDIO_SAMPLES_PER_FRAME),
        bitrateBps: AUDIO_BITRATE,
        language: audio.stream.language,
      },
      captions: captions.tracks,
    },
    recipe: {
      container: probe.container,
      videoIndex: video.index,
      audioIndex: audio ? audio.stream.index : null,
      offsetSeconds: Math.max(0, video.startSeconds - probe.startSeconds),
      audioOffsetSeconds: audio ? audio.stream.startSeconds - probe.startSeconds : 0,
      interlaced: video.interlaced,
      highDynamicRange: video.highDynamicRange,
      rate,
      captions: captions.sources,
    },
  }
}

function checkSource(probe: Probe, limits: Limits): Refusal | null {
  const { video, streamCount } = probe
  if (streamCount === 0) {
    return refuse(
      'source-unreadable',
      'The file names no tracks: expected a picture, got an index that cannot be read. Export the film again.',
    )
  }
  if (streamCount > limits.sourceStreamsMax) {
    return refuse(
      'source-streams',
      `The file has ${streamCount} streams: expected at most ${limits.sourceStreamsMax}. Export the film with fewer tracks.`,
    )
  }
  if (!video) return refuseNoVideo()
  return checkCodec(video) ?? checkSize(video, limits) ?? checkDuration(probe, video, limits)
}

function refuseNoVideo(): Refusal {
  return refuse('source-no-video', 'The file has no picture: expected a video track, got none. Upload the film itself.')
}

function checkCodec(video: ProbedVideo): Refusal | null {
  if (VIDEO_CODECS.includes(video.codec)) return null
  return refuse(
    'source-codec',
    `The picture is coded as ${video.codec}: expected one of ${VIDEO_CODECS.join(', ')}. Export the film as H.264.`,
  )
}

function checkSize(video: ProbedVideo, limits: Limits): Refusal | null {
  const size = `${video.width}x${video.height}`
  if (video.width < 16 || video.height < 16) {
    return refuse('source-dimensions', `The picture is ${size}: expected at least 16x16. Upload a larger film.`)
  }
  if (video.width * video.height <= limits.sourcePixelsMax) return null
  return refuse(
    'source-dimensions',
    `The picture is ${size}, over ${limits.sourcePixelsMax} pixels: expected at most that. Scale the film down.`,
  )
}

function checkDuration(probe: Probe, video: ProbedVideo, limits: Limits): Refusal | null {
  const { videoEndSeconds, endSeconds, declaredEndSeconds } = probe
  if (videoEndSeconds === null || endSeconds === null) {
    return refuse(
      'source-no-video',
      'The video track holds no pictures: expected frames, got none. Export the film again.',
    )
  }
  if (declaredEndSeconds !== null && endSeconds < declaredEndSeconds - TRUNCATION_SECONDS) {
    return refuse(
      'source-truncated',
      `The file is cut off: it says it lasts ${declaredEndSeconds.toFixed(1)} s, and ends after ${endSeconds.toFixed(1)} s. Upload the whole file.`,
    )
  }
  const durationMs = Math.round((videoEndSeconds - video.startSeconds) * 1000)
  if (durationMs <= limits.sourceDurationMsMax) return null
  return refuse(
    'source-duration',
    `The film lasts ${durationMs} ms: expected at most ${limits.sourceDurationMsMax} (sourceDurationMsMax). Upload it in parts.`,
  )
}

/** The default audio stream, else the first; null when the film is silent. */
function chooseAudio(streams: readonly ProbedAudio[]): { ok: true; stream: ProbedAudio } | Refusal | null {
  const first = streams[0]
  if (!first) return null
  const usable = streams.filter((stream) => AUDIO_CODECS.includes(stream.codec) && stream.channels > 0)
  const stream = usable.find((candidate) => candidate.isDefault) ?? usable[0]
  if (stream) return { ok: true, stream }
  return refuse(
    'source-codec',
    `The sound is coded as ${first.codec}: expected one of ${AUDIO_CODECS.join(', ')}. Export the film with AAC sound.`,
  )
}

/** Sidecars first, then text streams; picture-based captions are left out, since no text can be had from them. */
function chooseCaptions(
  probe: Probe,
  sidecars: readonly Sidecar[],
): { tracks: CaptionsTrack[]; sources: CaptionsSource[] } {
  const embedded = probe.captions.filter((stream) => CAPTION_CODECS.includes(stream.codec))
  const tracks = [
    ...sidecars.map(({ language, label }, at) => ({ id: `c${at}`, language, label })),
    ...embedded.map(({ language, title }, at) => ({
      id: `c${sidecars.length + at}`,
      language,
      label: title === '' ? language : title,
    })),
  ]
  const sources = [
    ...sidecars.map(({ objectKey }, at) => ({ track: `c${at}`, kind: 'sidecar' as const, objectKey })),
    ...embedded.map(({ index }, at) => ({
      track: `c${sidecars.length + at}`,
      kind: 'embedded' as const,
      streamIndex: index,
    })),
  ]
  return { tracks, sources }
}
