import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AUDIO_TRACK_ID, audioSegmentCount } from '../../contracts/index.ts'
import type { Outcome } from './decide.ts'
import { audioSegmentsAhead } from './decide.ts'
import { createFragmentStream, type StreamedFragments } from './fragment-stream.ts'
import type { Fragment } from './fragments.ts'
import { audioArguments, decodeArguments } from './recipes.ts'
import { checkAudioFragment, checkAudioHeader } from './verify.ts'
import { badOutput, planned, putInit, putSegments, type Work, type WorkContext, withSource } from './work.ts'

/** Sound is reported at most this often: a film of two hours has 3600 segments, and each report is a durable write. */
const REPORT_PERIOD_MS = 500
const REPORT_SEGMENTS_MAX = 240
const FRAGMENT_BYTES_MAX = 4 * 1024 * 1024

type SegmentsOutcome = Extract<Outcome, { kind: 'segments' }>

/**
 * The whole sound in one process (encoders add a delay in front of whatever they begin with, so pieces would not join),
 * stored and reported while it runs. A second attempt makes the same bytes again and goes on where the first had reported.
 */
export const workAudio: Work = async (context) => {
  const { plan, recipe } = planned(context.title)
  const { task, ffmpeg, directory, signal } = context
  if (!plan.audio) throw new Error(`${task.id}: the plan has no audio`)
  const total = audioSegmentCount(plan.audio)
  const ahead = audioSegmentsAhead(plan)
  const stream = createFragmentStream(FRAGMENT_BYTES_MAX)
  let header: StreamedFragments['header'] = null
  let made = 0
  let reported = task.unitsDone
  let waiting: Fragment[] = []
  let lastReportMs = Number.NEGATIVE_INFINITY

  /** Decodes, stores and takes what waits; `final` when it is the last of the track. */
  const takeWaiting = async (final: boolean): Promise<SegmentsOutcome> => {
    if (!header) throw badOutput('a0', 'it has no header')
    const fragments = waiting
    waiting = []
    if (fragments.length > 0) await checkDecodes(context, header.init, fragments)
    const [objectKey, segments] = await Promise.all([
      putInit(context, AUDIO_TRACK_ID, header.init),
      putSegments(context, AUDIO_TRACK_ID, reported, fragments),
    ])
    reported += fragments.length
    const init = { objectKey, codec: header.track.codec }
    return { kind: 'segments', final, tracks: [{ track: AUDIO_TRACK_ID, init, segments }] }
  }

  const isDue = (): boolean =>
    waiting.length >= REPORT_SEGMENTS_MAX ||
    (reported + waiting.length >= ahead && performance.now() - lastReportMs >= REPORT_PERIOD_MS)

  const onBytes = async (bytes: Uint8Array): Promise<void> => {
    const streamed = stream.push(bytes)
    if (typeof streamed === 'string') throw badOutput('a0', streamed)
    if (streamed.header && !header) {
      header = streamed.header
      const complaint = checkAudioHeader(plan, header.track)
      if (complaint) throw badOutput('a0', complaint)
    }
    for (const fragment of streamed.fragments) {
      const complaint = made < total ? checkAudioFragment(plan, made, fragment) : `segment ${made} is one too many`
      if (complaint) throw badOutput('a0', complaint)
      if (made >= reported + waiting.length) waiting.push(fragment)
      made += 1
    }
    if (made < total && isDue()) {
      await context.report(await takeWaiting(false))
      lastReportMs = performance.now()
    }
  }

  await withSource(context, (sourcePath) =>
    ffmpeg.stream(
      { program: 'ffmpeg', arguments: audioArguments(plan, recipe, sourcePath), signal, directory },
      onBytes,
    ),
  )
  if (made !== total || stream.pending() > 0) throw badOutput('a0', `expected ${total} segments, got ${made}`)
  return takeWaiting(true)
}

async function checkDecodes(context: WorkContext, init: Uint8Array, fragments: readonly Fragment[]): Promise<void> {
  const { ffmpeg, directory, signal } = context
  const path = join(directory, 'sound.mp4')
  await writeFile(path, Buffer.concat([init, ...fragments.map((fragment) => fragment.bytes)]))
  await ffmpeg.run({ program: 'ffmpeg', arguments: decodeArguments([path]), signal, directory })
}
