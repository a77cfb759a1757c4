import {
  AUDIO_TRACK_ID,
  audioSegmentCount,
  audioSegmentSpan,
  type Plan,
  videoSegmentCount,
  videoSegmentSpan,
} from '../../contracts/index.ts'

/** A track's segments on the title's timeline: how many, and where each ends, in seconds. */
export type TrackTimeline = {
  readonly count: number
  /** Seconds from the track's start to the end of segment `index`; -1 gives 0. */
  readonly endS: (index: number) => number
}

/** The timeline of a rendition or of `a0`, or null when the plan has no such track. */
export function timelineOf(plan: Plan, track: string): TrackTimeline | null {
  const { audio, video } = plan
  if (track === AUDIO_TRACK_ID) {
    if (!audio) return null
    return {
      count: audioSegmentCount(audio),
      endS: (index) => {
        if (index < 0) return 0
        const span = audioSegmentSpan(audio, index)
        return (span.startSamples + span.durationSamples) / audio.sampleRate
      },
    }
  }
  if (!plan.renditions.some((rendition) => rendition.id === track)) return null
  return {
    count: videoSegmentCount(video),
    endS: (index) => {
      if (index < 0) return 0
      const span = videoSegmentSpan(video, index)
      return (span.startTicks + span.durationTicks) / video.timescale
    },
  }
}

/** Length of the picture, seconds. */
export function videoDurationS(plan: Plan): number {
  return (plan.video.frames * plan.video.frameTicks) / plan.video.timescale
}
