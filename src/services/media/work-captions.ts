import { parseCaptions, toWebVtt } from './captions.ts'
import type { CaptionsSource } from './plan.ts'
import { captionsArguments } from './recipes.ts'
import { badOutput, planned, type Work, type WorkContext, withSource } from './work.ts'

/** One captions track as WebVTT on the film's own timeline. */
export const workCaptions: Work = async (context) => {
  const { recipe } = planned(context.title)
  const { task, title, attempt } = context
  const source = recipe.captions.find(({ track }) => track === task.input.track)
  if (!source) throw new Error(`${task.id}: the recipe names no source for it`)
  const parsed = parseCaptions(await readSource(context, source))
  if (!parsed.ok) throw badOutput(source.track, parsed.message)
  // ffmpeg counts from the start of the file, a film from its first picture; sidecars are written for the film.
  const shiftMs = source.kind === 'embedded' ? -Math.round(recipe.offsetSeconds * 1000) : 0
  const objectKey = `titles/${title.titleId}/${source.track}/${attempt}/captions.vtt`
  await context.put(objectKey, Buffer.from(toWebVtt(parsed.cues, shiftMs)))
  return { kind: 'captions', track: source.track, objectKey }
}

async function readSource(context: WorkContext, source: CaptionsSource): Promise<Uint8Array> {
  if (source.kind === 'sidecar') return (await context.objects.read(source.objectKey)) ?? new Uint8Array()
  const { recipe } = planned(context.title)
  const { ffmpeg, directory, signal, limits } = context
  return withSource(context, (path) =>
    ffmpeg.run({
      program: 'ffmpeg',
      arguments: captionsArguments(recipe, source.streamIndex, path),
      signal,
      directory,
      outputBytesMax: limits.captionBytesMax,
    }),
  )
}
