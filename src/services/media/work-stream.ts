import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from './decide.ts'
import { createFragmentStream, type StreamedFragments } from './fragment-stream.ts'
import type { Fragment, TrackHeader } from './fragments.ts'
import { decodeArguments } from './recipes.ts'
import { isUrgent } from './task.ts'
import type { Complaint } from './verify.ts'
import { badOutput, putInit, putSegments, type WorkContext, withSource } from './work.ts'

/** Reports are at most this often, and this large: each is a durable write, and a film of two hours has 3600 segments. */
const REPORT_PERIOD_MS = 500
const REPORT_SEGMENTS_MAX = 240
/** Two seconds of the highest rung are some megabytes. */
const FRAGMENT_BYTES_MAX = 64 * 1024 * 1024

/** Consecutive segments of one track, made by one process that writes them to its standard output. */
export type SegmentRun = {
  readonly track: string
  readonly firstSegment: number
  readonly segments: number
  /** The first report waits for this many. */
  readonly ahead: number
  /** ffmpeg's, given the source. */
  arguments(sourcePath: string): readonly string[]
  checkHeader(header: TrackHeader): Complaint
  checkFragment(index: number, fragment: Fragment): Complaint
}

type SegmentsOutcome = Extract<Outcome, { kind: 'segments' }>

/** Makes a run of segments; each is checked, stored and reported while the process goes on. */
export async function streamSegments(context: WorkContext, run: SegmentRun): Promise<SegmentsOutcome> {
  const { task, ffmpeg, directory, signal } = context
  const { track } = run
  const end = run.firstSegment + run.segments
  const stream = createFragmentStream(FRAGMENT_BYTES_MAX)
  let header: StreamedFragments['header'] = null
  let next = run.firstSegment
  let waiting: Fragment[] = []
  let lastReportMs = Number.NEGATIVE_INFINITY

  /** Decodes, stores and takes what waits; `final` when it is the last of the run. */
  const takeWaiting = async (final: boolean): Promise<SegmentsOutcome> => {
    if (!header) throw badOutput(track, 'it has no header')
    const fragments = waiting
    waiting = []
    if (fragments.length > 0) await checkDecodes(context, header.init, fragments)
    const [objectKey, segments] = await Promise.all([
      putInit(context, track, header.init),
      putSegments(context, track, next - fragments.length, fragments),
    ])
    const init = { objectKey, codec: header.track.codec }
    return { kind: 'segments', final, tracks: [{ track, init, segments }] }
  }

  const isDue = (): boolean =>
    waiting.length >= REPORT_SEGMENTS_MAX ||
    (waiting.length > 0 && next - run.firstSegment >= run.ahead && performance.now() - lastReportMs >= REPORT_PERIOD_MS)

  const onBytes = async (bytes: Uint8Array): Promise<void> => {
    const streamed = stream.push(bytes)
    if (typeof streamed === 'string') throw badOutput(track, streamed)
    if (streamed.header && !header) {
      header = streamed.header
      const complaint = run.checkHeader(header.track)
      if (complaint) throw badOutput(track, complaint)
    }
    for (const fragment of streamed.fragments) {
      const complaint = next < end ? run.checkFragment(next, fragment) : `segment ${next} is one too many`
      if (complaint) throw badOutput(track, complaint)
      waiting.push(fragment)
      next += 1
    }
    if (next < end && isDue()) {
      await context.report(await takeWaiting(false))
      lastReportMs = performance.now()
    }
  }

  await withSource(context, (sourcePath) =>
    ffmpeg.stream(
      { program: 'ffmpeg', arguments: run.arguments(sourcePath), signal, directory, urgent: isUrgent(task) },
      onBytes,
    ),
  )
  if (next !== end || stream.pending() > 0) {
    throw badOutput(track, `expected ${run.segments} segments, got ${next - run.firstSegment}`)
  }
  return takeWaiting(true)
}

async function checkDecodes(context: WorkContext, init: Uint8Array, fragments: readonly Fragment[]): Promise<void> {
  const { task, ffmpeg, directory, signal } = context
  const path = join(directory, 'streamed.mp4')
  await writeFile(path, Buffer.concat([init, ...fragments.map((fragment) => fragment.bytes)]))
  const decode = decodeArguments([path])
  await ffmpeg.run({ program: 'ffmpeg', arguments: decode, signal, directory, urgent: isUrgent(task) })
}
