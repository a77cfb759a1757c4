import { join } from 'node:path'
import { posterArguments } from './recipes.ts'
import { planned, readOutput, type Work, withSource } from './work.ts'

/** Where in the film a poster is looked for, in this order. Films begin with black and logos, and end with credits. */
const POSITIONS: readonly number[] = [0.2, 0.35, 0.5, 0.1, 0]
/** Of 255: darker than this on average, or flatter than that, is a fade or a blank, not a picture. */
const MEAN_MIN = 24
const DEVIATION_MIN = 12

/** A picture of the film that shows something. */
export const workPoster: Work = async (context) => {
  const { plan, recipe } = planned(context.title)
  const { title, ffmpeg, directory, signal, attempt } = context
  const path = join(directory, 'poster.jpg')
  const best = await withSource(context, async (sourcePath) => {
    let found: { bytes: Uint8Array; score: number } | null = null
    for (const position of POSITIONS) {
      const atSeconds = (position * plan.durationMs) / 1000
      const sample = await ffmpeg.run({
        program: 'ffmpeg',
        arguments: posterArguments({ plan, recipe, atSeconds, sourcePath, path }),
        signal,
        directory,
      })
      if (sample.length === 0) continue
      const { shows, score } = judge(sample)
      if (!found || score > found.score) found = { bytes: await readOutput(context, 'poster.jpg'), score }
      if (shows) break
    }
    return found
  })
  if (!best) throw new Error(`${title.titleId}: no picture could be taken anywhere in the film`)
  const objectKey = `titles/${title.titleId}/poster/${attempt}/poster.jpg`
  await context.put(objectKey, best.bytes)
  return { kind: 'poster', objectKey }
}

/** Pure: whether a grey raster shows something, and how much, to choose among those that hardly do. */
export function judge(sample: Uint8Array): { readonly shows: boolean; readonly score: number } {
  const mean = sample.reduce((sum, grey) => sum + grey, 0) / sample.length
  const variance = sample.reduce((sum, grey) => sum + (grey - mean) ** 2, 0) / sample.length
  const deviation = Math.sqrt(variance)
  return { shows: mean >= MEAN_MIN && deviation >= DEVIATION_MIN, score: Math.min(mean, 96) + 2 * deviation }
}
