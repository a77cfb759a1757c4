import { AUDIO_TRACK_ID, type Rendition } from '../../contracts/index.ts'
import { NOTHING_MADE } from './decide.ts'
import { STANDARD_OUTPUT, spanOf, videoArguments } from './recipes.ts'
import { toSpan } from './task.ts'
import { checkVideoFragments, checkVideoHeader } from './verify.ts'
import { planned, type Work, type WorkContext } from './work.ts'
import { audioRun } from './work-audio.ts'
import { type SegmentRun, streamSegments } from './work-stream.ts'

/** What a viewer waits for: some segments of one track from the wanted one on, each reported as soon as it is made. */
export const workWanted: Work = async (context) => {
  const { task, title } = context
  const { firstSegment, segments } = toSpan(task)
  const rest = { firstSegment: firstSegment + task.unitsDone, segments: segments - task.unitsDone }
  if (rest.segments <= 0) return NOTHING_MADE
  const { plan } = planned(title)
  if (task.input.track === AUDIO_TRACK_ID) return streamSegments(context, audioRun(context, rest, 1))
  const rendition = plan.renditions.find(({ id }) => id === task.input.track)
  if (!rendition) throw new Error(`${task.id}: the plan has no ${task.input.track}`)
  return streamSegments(context, videoRun(context, rendition, rest))
}

function videoRun(
  context: WorkContext,
  rendition: Rendition,
  span: { readonly firstSegment: number; readonly segments: number },
): SegmentRun {
  const { plan, recipe } = planned(context.title)
  const chunk = spanOf(plan, span.firstSegment, span.segments)
  const renditions = [{ rendition, path: STANDARD_OUTPUT } as const]
  return {
    ...span,
    track: rendition.id,
    ahead: 1,
    arguments: (sourcePath) => videoArguments({ plan, recipe, chunk, renditions, sourcePath, threads: 1 }),
    checkHeader: (header) => checkVideoHeader(plan, rendition, header),
    checkFragment: (index, fragment) => checkVideoFragments(plan, index, 1, [fragment]),
  }
}
