import { z } from 'zod'

/**
 * A title's timeline, fixed before the first frame is encoded, so that a manifest is full-length VOD from its first
 * second. All video renditions share one segment grid; audio has its own, in whole AAC frames. A track's segments are
 * numbered from 0.
 */
export const videoTimelineSchema = z.object({
  /** Ticks per second of the video tracks; a frame lasts `frameTicks` of them (24/1 → 24000 and 1000; 30000/1001 → 30000 and 1001). */
  timescale: z.int().positive(),
  frameTicks: z.int().positive(),
  frames: z.int().positive(),
  /** A segment is one GOP of this many frames; the last may be shorter. */
  framesPerSegment: z.int().positive(),
  /** A chunk (one encoding task) is this many segments; the last may be shorter. */
  segmentsPerChunk: z.int().positive(),
})

export const audioTimelineSchema = z.object({
  sampleRate: z.int().positive(),
  channels: z.int().positive(),
  /** Samples in the track, encoder delay not counted. */
  samples: z.int().positive(),
  samplesPerFrame: z.int().positive(),
  framesPerSegment: z.int().positive(),
  bitrateBps: z.int().positive(),
  language: z.string(),
})

export const renditionSchema = z.object({
  /** `v` and the height: `v360`. */
  id: z.string().regex(/^v\d+$/),
  width: z.int().positive(),
  height: z.int().positive(),
  /** Peak, as the encoder is told and as the manifest says. */
  bitrateBps: z.int().positive(),
  /** RFC 6381, as the encoder is told: `avc1.64001e`. */
  codec: z.string(),
})

export const captionsTrackSchema = z.object({
  /** `c0`, `c1` … */
  id: z.string().regex(/^c\d+$/),
  language: z.string(),
  label: z.string(),
})

export const planSchema = z.object({
  durationMs: z.int().positive(),
  video: videoTimelineSchema,
  /** From lowest to highest. */
  renditions: z.array(renditionSchema).min(1),
  /** One stereo AAC track, id `a0`, or none. */
  audio: audioTimelineSchema.nullable(),
  captions: z.array(captionsTrackSchema),
})

export type VideoTimeline = z.infer<typeof videoTimelineSchema>
export type AudioTimeline = z.infer<typeof audioTimelineSchema>
export type Rendition = z.infer<typeof renditionSchema>
export type CaptionsTrack = z.infer<typeof captionsTrackSchema>
export type Plan = z.infer<typeof planSchema>

export const AUDIO_TRACK_ID = 'a0'

/** How many segments the video tracks have. */
export function videoSegmentCount(video: VideoTimeline): number {
  return Math.ceil(video.frames / video.framesPerSegment)
}

export function audioSegmentCount(audio: AudioTimeline): number {
  return Math.ceil(Math.ceil(audio.samples / audio.samplesPerFrame) / audio.framesPerSegment)
}

/** Start and length of a video segment in ticks of `timescale`. */
export function videoSegmentSpan(video: VideoTimeline, index: number): { startTicks: number; durationTicks: number } {
  const first = index * video.framesPerSegment
  const frames = Math.min(video.framesPerSegment, video.frames - first)
  return { startTicks: first * video.frameTicks, durationTicks: frames * video.frameTicks }
}

/** Start and length of an audio segment in samples. */
export function audioSegmentSpan(
  audio: AudioTimeline,
  index: number,
): { startSamples: number; durationSamples: number } {
  const frames = Math.ceil(audio.samples / audio.samplesPerFrame)
  const first = index * audio.framesPerSegment
  const count = Math.min(audio.framesPerSegment, frames - first)
  return { startSamples: first * audio.samplesPerFrame, durationSamples: count * audio.samplesPerFrame }
}
