import { join } from 'node:path'
import type { Rendition } from '../../contracts/index.ts'
import { NOTHING_MADE, type TrackOutput } from './decide.ts'
import { parseFragmented } from './fragments.ts'
import { type Chunk, chunkOf, decodeArguments, videoArguments } from './recipes.ts'
import { isUrgent } from './task.ts'
import { checkVideoFragments, checkVideoHeader } from './verify.ts'
import {
  badOutput,
  planned,
  putInit,
  putSegments,
  readOutput,
  type Work,
  type WorkContext,
  withSource,
} from './work.ts'

/** As many tasks run side by side as there are cores: one thread each made 18% more of two cores than two threads in one. */
const THREADS = 1

/** One chunk in the task's renditions, those left out that viewers had made before: one decode, checked, then stored segment by segment. */
export const workVideo: Work = async (context) => {
  const { plan, recipe } = planned(context.title)
  const { task, ffmpeg, directory, signal } = context
  const chunk = chunkOf(plan, task.ordinal)
  const renditions = await toMissing(
    context,
    plan.renditions.filter(({ id }) => task.input.renditions?.includes(id)),
    chunk,
  )
  if (renditions.length === 0) return NOTHING_MADE
  const urgent = isUrgent(task)
  const files = renditions.map((rendition) => ({ rendition, path: join(directory, `${rendition.id}.mp4`) }))
  await withSource(context, (sourcePath) =>
    ffmpeg.run({
      program: 'ffmpeg',
      arguments: videoArguments({ plan, recipe, chunk, renditions: files, sourcePath, threads: THREADS }),
      signal,
      directory,
      urgent,
    }),
  )
  const [tracks] = await Promise.all([
    Promise.all(renditions.map((rendition) => store(context, rendition, chunk))),
    ffmpeg.run({
      program: 'ffmpeg',
      arguments: decodeArguments(files.map(({ path }) => path)),
      signal,
      directory,
      urgent,
    }),
  ])
  return { kind: 'segments', final: true, tracks }
}

async function toMissing(
  { title, titles }: WorkContext,
  renditions: readonly Rendition[],
  { firstSegment, segments }: Chunk,
): Promise<readonly Rendition[]> {
  const counts = await Promise.all(
    renditions.map(({ id }) => titles.recordedIn(title.titleId, id, firstSegment, firstSegment + segments)),
  )
  return renditions.filter((_, at) => counts[at]?.size !== segments)
}

async function store(context: WorkContext, rendition: Rendition, chunk: Chunk): Promise<TrackOutput> {
  const { plan } = planned(context.title)
  const parsed = parseFragmented(await readOutput(context, `${rendition.id}.mp4`))
  const what = `${rendition.id}, chunk ${chunk.index}`
  if (!parsed.ok) throw badOutput(what, parsed.message)
  const complaint =
    checkVideoHeader(plan, rendition, parsed.track) ??
    checkVideoFragments(plan, chunk.firstSegment, chunk.segments, parsed.fragments)
  if (complaint) throw badOutput(what, complaint)
  const [objectKey, segments] = await Promise.all([
    putInit(context, rendition.id, parsed.init),
    putSegments(context, rendition.id, chunk.firstSegment, parsed.fragments),
  ])
  return { track: rendition.id, init: { objectKey, codec: parsed.track.codec }, segments }
}
