import { type Plan, type Rendition, videoSegmentCount } from '../../contracts/index.ts'
import { levelOf } from './avc.ts'
import type { Recipe } from './plan.ts'
import { safeInput } from './probe.ts'

/** ffmpeg's arguments, pure. Threads are pinned and outputs bit-exact, so that a retry gives the same bytes. */

/** A part of the film: which segments, which frames. */
export type Span = {
  readonly firstSegment: number
  readonly segments: number
  readonly firstFrame: number
  readonly frames: number
}

export type Chunk = Span & { readonly index: number }

export function chunkCount(plan: Plan): number {
  return Math.ceil(videoSegmentCount(plan.video) / plan.video.segmentsPerChunk)
}

export function chunkOf(plan: Plan, index: number): Chunk {
  const { segmentsPerChunk } = plan.video
  return { index, ...spanOf(plan, index * segmentsPerChunk, segmentsPerChunk) }
}

/** At most `segments` from `firstSegment` on; fewer where the film ends. */
export function spanOf(plan: Plan, firstSegment: number, segments: number): Span {
  const { framesPerSegment, frames } = plan.video
  const firstFrame = firstSegment * framesPerSegment
  return {
    firstSegment,
    segments: Math.min(segments, videoSegmentCount(plan.video) - firstSegment),
    firstFrame,
    frames: Math.min(segments * framesPerSegment, frames - firstFrame),
  }
}

export const QUIET: readonly string[] = ['-v', 'error', '-nostdin', '-y']
export const PLAIN: readonly string[] = ['-map_metadata', '-1', '-map_chapters', '-1', '-fflags', '+bitexact']
export const CMAF: readonly string[] = [
  '-f',
  'mp4',
  '-use_editlist',
  '0',
  '-avoid_negative_ts',
  'disabled',
  '-movflags',
  '+frag_keyframe+empty_moov+default_base_moof+frag_discont+cmaf',
]
/** Of the bitrate a manifest promises: a full buffer on top of two seconds at this rate is then exactly that promise. */
const SUSTAINED = 0.8
const BUFFER = 0.4
/** Frames ahead of a chunk to seek to: more than any rounding of a timestamp, so that its first frame is never lost. */
const LEAD_FRAMES = 2
/**
 * Of a frame. A source of twice the rate has every other picture just between two of ours, where a rounding of a
 * microsecond decides; moved by this much, none of any multiple is, and chunks agree on each.
 */
const PHASE = 0.07

export const STANDARD_OUTPUT: unique symbol = Symbol('standard output')

/** A part of the film in one or more renditions from one decode, each into its own file, or one to standard output as it is made. */
export function videoArguments(options: {
  plan: Plan
  recipe: Recipe
  chunk: Span
  renditions: readonly { readonly rendition: Rendition; readonly path: string | typeof STANDARD_OUTPUT }[]
  sourcePath: string
  threads: number
}): readonly string[] {
  const { plan, recipe, chunk, renditions, sourcePath, threads } = options
  const { timescale, frameTicks, framesPerSegment } = plan.video
  const startMicros = Math.round((chunk.firstFrame * frameTicks * 1e6) / timescale + recipe.offsetSeconds * 1e6)
  const leadMicros = Math.min(startMicros, Math.round((LEAD_FRAMES * frameTicks * 1e6) / timescale))
  const shiftMicros = leadMicros - Math.round((PHASE * frameTicks * 1e6) / timescale)
  const split = renditions.map((_, at) => `[s${at}]`).join('')
  const scaled = renditions.map(
    ({ rendition }, at) =>
      `[s${at}]scale=${rendition.width}:${rendition.height}:flags=bicubic:out_range=tv,setsar=1,format=yuv420p[o${at}]`,
  )
  const graph = [
    `[0:${recipe.videoIndex}]${pictureFilters(recipe)}settb=AVTB,setpts=PTS-(${shiftMicros}),` +
      // Frames from before the start are kept until here: the one still on screen then is the first of the chunk.
      `fps=${timescale}/${frameTicks}:start_time=0,` +
      `tpad=stop=-1:stop_mode=clone,trim=end_frame=${chunk.frames},split=${renditions.length}${split}`,
    ...scaled,
  ].join(';')
  return [
    ...QUIET,
    '-threads',
    String(threads),
    '-noaccurate_seek',
    '-ss',
    micros(startMicros - leadMicros),
    ...safeInput(recipe.container),
    '-i',
    `file:${sourcePath}`,
    '-filter_complex_threads',
    String(threads),
    '-filter_complex',
    graph,
    ...renditions.flatMap(({ rendition, path }, at) => [
      '-map',
      `[o${at}]`,
      ...PLAIN,
      ...encoderArguments(rendition, framesPerSegment, threads),
      '-video_track_timescale',
      String(timescale),
      '-output_ts_offset',
      micros(Math.round((chunk.firstFrame * frameTicks * 1e6) / timescale)),
      ...CMAF,
      ...(path === STANDARD_OUTPUT ? ['-flush_packets', '1', 'pipe:1'] : [`file:${path}`]),
    ]),
  ]
}

function encoderArguments(rendition: Rendition, gop: number, threads: number): readonly string[] {
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-threads', String(threads), '-flags', '+bitexact+cgop'],
    ...['-profile:v', 'high', '-level:v', levelOf(rendition.codec), '-crf', '23'],
    ...['-maxrate', String(Math.round(rendition.bitrateBps * SUSTAINED))],
    ...['-bufsize', String(Math.round(rendition.bitrateBps * BUFFER))],
    ...['-g', String(gop), '-keyint_min', String(gop), '-sc_threshold', '0', '-x264-params', 'stitchable=1'],
  ]
}

/** Deinterlacing and tone mapping where the source needs them. */
function pictureFilters(recipe: Recipe): string {
  const deinterlace = recipe.interlaced ? 'yadif=deint=interlaced,' : ''
  const toneMap = recipe.highDynamicRange
    ? 'zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=hable:desat=0,' +
      'zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv420p,'
    : ''
  return deinterlace + toneMap
}

/** A text stream as WebVTT on standard output. */
export function captionsArguments(recipe: Recipe, streamIndex: number, sourcePath: string): readonly string[] {
  return [
    ...QUIET,
    ...safeInput(recipe.container),
    ...['-i', `file:${sourcePath}`, '-map', `0:${streamIndex}`, ...PLAIN, '-f', 'webvtt', 'pipe:1'],
  ]
}

export const POSTER_SAMPLE: { readonly width: number; readonly height: number } = { width: 32, height: 18 }
const POSTER_HEIGHT_MAX = 720

/** A picture of the film near `atSeconds` into `path`, and the same as a tiny grey raster on standard output, to judge it by. */
export function posterArguments(options: {
  plan: Plan
  recipe: Recipe
  atSeconds: number
  sourcePath: string
  path: string
}): readonly string[] {
  const { plan, recipe, atSeconds, sourcePath, path } = options
  const top = plan.renditions.at(-1)
  const height = Math.min(POSTER_HEIGHT_MAX, top?.height ?? POSTER_HEIGHT_MAX)
  const width = 2 * Math.round(((top?.width ?? 0) * height) / (top?.height ?? 1) / 2)
  const graph =
    `[0:${recipe.videoIndex}]${pictureFilters(recipe)}thumbnail=12,split=2[a][b];` +
    `[a]scale=${width}:${height}:out_range=full,setsar=1,format=yuvj420p[picture];` +
    `[b]scale=${POSTER_SAMPLE.width}:${POSTER_SAMPLE.height}:out_range=full,format=gray[sample]`
  return [
    ...QUIET,
    ...['-threads', '1', '-noaccurate_seek', '-ss', micros(Math.round((atSeconds + recipe.offsetSeconds) * 1e6))],
    ...['-t', '3', ...safeInput(recipe.container), '-i', `file:${sourcePath}`],
    ...['-filter_complex', graph],
    ...['-map', '[picture]', '-frames:v', '1', ...PLAIN, '-q:v', '3', '-f', 'mjpeg', `file:${path}`],
    ...['-map', '[sample]', '-frames:v', '1', '-f', 'rawvideo', 'pipe:1'],
  ]
}

/**
 * Decodes what was just made, stopping at the first error. The loop filter is left out: it costs a third of the time and
 * cannot fail, while every bit of the stream is still read.
 */
export function decodeArguments(paths: readonly string[]): readonly string[] {
  return [
    ...QUIET,
    '-xerror',
    ...paths.flatMap((path) => [
      ...['-threads', '1', '-err_detect', 'explode', '-skip_loop_filter', 'all'],
      ...['-protocol_whitelist', 'file,pipe', '-f', 'mov', '-i', `file:${path}`],
    ]),
    ...paths.flatMap((_, at) => ['-map', String(at)]),
    ...['-f', 'null', '-'],
  ]
}

function micros(value: number): string {
  return (value / 1e6).toFixed(6)
}
