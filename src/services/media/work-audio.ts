import { AUDIO_TRACK_ID } from '../../contracts/index.ts'
import { audioSegmentsAhead, NOTHING_MADE } from './decide.ts'
import { type AudioSpan, audioArguments } from './recipes-audio.ts'
import { toSpan } from './task.ts'
import { checkAudioFragment, checkAudioHeader } from './verify.ts'
import { planned, type Work, type WorkContext } from './work.ts'
import { type SegmentRun, streamSegments } from './work-stream.ts'

/** A part of the sound. A later attempt goes on where an earlier one had reported: parts join wherever they begin. */
export const workAudio: Work = async (context) => {
  const { task, title } = context
  const { firstSegment, segments } = toSpan(task)
  const rest = { firstSegment: firstSegment + task.unitsDone, segments: segments - task.unitsDone }
  if (rest.segments <= 0) return NOTHING_MADE
  const { plan } = planned(title)
  const ahead = task.ordinal === 0 ? audioSegmentsAhead(plan) - task.unitsDone : 1
  return streamSegments(context, audioRun(context, rest, ahead))
}

export function audioRun(context: WorkContext, span: AudioSpan, ahead: number): SegmentRun {
  const { plan, recipe } = planned(context.title)
  return {
    ...span,
    track: AUDIO_TRACK_ID,
    ahead,
    arguments: (sourcePath) => audioArguments({ plan, recipe, span, sourcePath }),
    checkHeader: (header) => checkAudioHeader(plan, header),
    checkFragment: (index, fragment) => checkAudioFragment(plan, index, fragment),
  }
}
