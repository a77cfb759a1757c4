import {
  audioSegmentSpan,
  type Plan,
  type Rendition,
  videoSegmentCount,
  videoSegmentSpan,
} from '../../contracts/index.ts'
import type { Fragment, TrackHeader } from './fragments.ts'

/** `null` when all is as planned; else one sentence. */
export type Complaint = string | null

/** The init segment of a rendition says what the plan told the encoder. */
export function checkVideoHeader(plan: Plan, rendition: Rendition, track: TrackHeader): Complaint {
  const expected = `${rendition.codec} ${rendition.width}x${rendition.height} at ${plan.video.timescale} ticks`
  const got = `${track.codec} ${track.width}x${track.height} at ${track.timescale} ticks`
  return expected === got ? null : `${rendition.id}: expected ${expected}, got ${got}`
}

export function checkAudioHeader(plan: Plan, track: TrackHeader): Complaint {
  const audio = plan.audio
  if (!audio) return 'a0: the plan has no audio'
  const expected = `${AUDIO_CODEC} ${audio.channels} channels at ${audio.sampleRate}`
  const got = `${track.codec} ${track.channels} channels at ${track.sampleRate}`
  if (track.timescale !== audio.sampleRate)
    return `a0: expected a timescale of ${audio.sampleRate}, got ${track.timescale}`
  return expected === got ? null : `a0: expected ${expected}, got ${got}`
}

export const AUDIO_CODEC = 'mp4a.40.2'

/** The fragments are exactly the plan's segments from `first` on, each starting with a keyframe on the grid. */
export function checkVideoFragments(
  plan: Plan,
  first: number,
  count: number,
  fragments: readonly Fragment[],
): Complaint {
  if (fragments.length !== count) return `expected ${count} segments, got ${fragments.length}`
  for (const [at, fragment] of fragments.entries()) {
    const span = videoSegmentSpan(plan.video, first + at)
    const complaint =
      checkSpan(fragment, span.startTicks, span.durationTicks) ??
      checkSamples(fragment, span.durationTicks / plan.video.frameTicks) ??
      (fragment.presentationTicks === span.startTicks
        ? null
        : `is first shown at ${fragment.presentationTicks}, expected ${span.startTicks}`) ??
      (fragment.startsWithKeyframe ? null : 'does not start with a keyframe')
    if (complaint) return `segment ${first + at} ${complaint}`
  }
  return null
}

export function checkAudioFragment(plan: Plan, index: number, fragment: Fragment): Complaint {
  if (!plan.audio) return 'the plan has no audio'
  const span = audioSegmentSpan(plan.audio, index)
  const complaint =
    checkSpan(fragment, span.startSamples, span.durationSamples) ??
    checkSamples(fragment, span.durationSamples / plan.audio.samplesPerFrame)
  return complaint ? `segment ${index} ${complaint}` : null
}

/** What a finished task says of each segment; the whole title is checked from these. */
export type SegmentRecord = {
  readonly index: number
  readonly objectKey: string
  readonly bytes: number
  readonly start: number
  readonly duration: number
}

/** Every track whole, contiguous, on the grid and equally long; all in terms of what was recorded when each output was checked. */
export function checkTitle(plan: Plan, tracks: ReadonlyMap<string, readonly SegmentRecord[]>): Complaint {
  const video = plan.video
  const videoTicks = video.frames * video.frameTicks
  for (const rendition of plan.renditions) {
    const segments = tracks.get(rendition.id) ?? []
    const complaint = checkContiguous(segments, videoSegmentCount(video), videoTicks)
    if (complaint) return `${rendition.id}: ${complaint}`
    const off = segments.find((segment) => segment.start !== videoSegmentSpan(video, segment.index).startTicks)
    if (off) return `${rendition.id}: segment ${off.index} starts at ${off.start}, off the grid`
  }
  if (!plan.audio) return null
  const { samples, samplesPerFrame, framesPerSegment, sampleRate } = plan.audio
  const frames = Math.ceil(samples / samplesPerFrame)
  const audio = tracks.get('a0') ?? []
  const complaint = checkContiguous(audio, Math.ceil(frames / framesPerSegment), frames * samplesPerFrame)
  if (complaint) return `a0: ${complaint}`
  const apart = Math.abs(videoTicks / video.timescale - (frames * samplesPerFrame) / sampleRate)
  const frameSeconds = Math.max(video.frameTicks / video.timescale, samplesPerFrame / sampleRate)
  return apart <= frameSeconds ? null : `a0: ends ${apart.toFixed(3)} s apart from the picture, more than one frame`
}

function checkContiguous(segments: readonly SegmentRecord[], count: number, total: number): Complaint {
  if (segments.length !== count) return `expected ${count} segments, got ${segments.length}`
  let clock = 0
  for (const [at, segment] of segments.entries()) {
    if (segment.index !== at) return `segment ${at} is missing, ${segment.index} is in its place`
    if (segment.start !== clock) return `segment ${at} starts at ${segment.start}, the one before ends at ${clock}`
    clock += segment.duration
  }
  return clock === total ? null : `ends at ${clock}, expected ${total}`
}

function checkSpan(fragment: Fragment, start: number, duration: number): Complaint {
  if (fragment.decodeTicks !== start) return `starts at ${fragment.decodeTicks}, expected ${start}`
  return fragment.durationTicks === duration ? null : `lasts ${fragment.durationTicks}, expected ${duration}`
}

function checkSamples(fragment: Fragment, expected: number): Complaint {
  return fragment.samples === expected ? null : `has ${fragment.samples} frames, expected ${expected}`
}
