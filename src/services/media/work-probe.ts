import { faultCode } from '../../kernel/index.ts'
import { parseCaptions } from './captions.ts'
import type { Outcome } from './decide.ts'
import { plan } from './plan.ts'
import { probe as askFfprobe } from './probe.ts'
import { type Refusal, refuse } from './refusal.ts'
import { sniff } from './sniff.ts'
import { type Work, type WorkContext, withSource } from './work.ts'

/** From an upload to a plan, or to the reason why it is not taken. */
export const workProbe: Work = async (context) => {
  const { asset } = context.title
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const end = Math.min(asset.source.bytes, offset + length)
    if (offset >= end) return new Uint8Array()
    return (await context.objects.read(asset.source.objectKey, { start: offset, end })) ?? new Uint8Array()
  }
  const sniffed = await sniff(read, asset.source.bytes)
  if (!sniffed.ok) return toOutcome(sniffed)
  const captionsRefusal = await checkSidecars(context)
  if (captionsRefusal) return toOutcome(captionsRefusal)
  const ladder = await context.titles.ladder(context.title.titleId)
  return withSource(context, async (path) => {
    const { ffmpeg, directory, signal, limits } = context
    try {
      const probed = await askFfprobe(ffmpeg, { path, container: sniffed.container, directory, signal })
      const decided = plan(probed, asset.captions, { ladder, limits })
      return decided.ok ? { kind: 'planned', plan: decided.plan, recipe: decided.recipe } : toOutcome(decided)
    } catch (error) {
      // What ffprobe cannot read today it cannot read tomorrow: refused, not retried.
      if (faultCode(error) !== 'ffmpeg-failed') throw error
      return toOutcome(
        refuse(
          'source-unreadable',
          `The film cannot be read: expected a whole MP4, MOV, MKV or WebM. Export it again. (${lastLines(error)})`,
        ),
      )
    }
  })
}

function lastLines(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/file:\S*\/film-\d+:?\s*/g, '') : String(error)
}

async function checkSidecars(context: WorkContext): Promise<Refusal | null> {
  for (const sidecar of context.title.asset.captions) {
    const info = await context.objects.head(sidecar.objectKey)
    const bytes =
      info && info.sizeBytes > 0 && info.sizeBytes <= context.limits.captionBytesMax
        ? await context.objects.read(sidecar.objectKey)
        : null
    const parsed = parseCaptions(bytes ?? new Uint8Array())
    if (!parsed.ok) {
      return refuse(
        'captions-invalid',
        `The captions ${sidecar.fileName} cannot be used: ${parsed.message}. Correct the file and publish again.`,
      )
    }
  }
  return null
}

function toOutcome({ code, reason }: Refusal): Outcome {
  return { kind: 'refused', code, reason }
}
