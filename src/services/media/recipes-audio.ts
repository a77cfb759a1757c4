import { audioSegmentCount, type Plan } from '../../contracts/index.ts'
import type { Recipe } from './plan.ts'
import { safeInput } from './probe.ts'
import { CMAF, PLAIN, QUIET } from './recipes.ts'

/** A part of the sound: whole segments. */
export type AudioSpan = { readonly firstSegment: number; readonly segments: number }

/** Two minutes: some two seconds of one core, short enough to wait for and long enough that starting costs little. */
const SEGMENTS_PER_CHUNK = 60

/** The parts a track is made in, of equal length; one for a short film. */
export function audioChunks(plan: Plan): readonly AudioSpan[] {
  if (!plan.audio) return []
  const total = audioSegmentCount(plan.audio)
  const chunks = Math.max(1, Math.round(total / SEGMENTS_PER_CHUNK))
  const segments = Math.ceil(total / chunks)
  return Array.from({ length: Math.ceil(total / segments) }, (_, at) => ({
    firstSegment: at * segments,
    segments: Math.min(segments, total - at * segments),
  }))
}

/**
 * Whole seconds between the sample the encoder is first fed and the first it is kept of: its rate control, its
 * psychoacoustics and the choice of its windows have settled by then, so that both sides of a seam overlap as one.
 */
const ENCODER_LEAD_SECONDS = 1
/** Decoders need some packets to settle, and sound may lie this much behind the keyframe that was sought in the file. */
const DECODER_LEAD_SECONDS = 5
/** A frame overlaps the next one: fed a little more than is kept, the last frame is no end. */
const TAIL_FRAMES = 2
/** Times of Matroska are rounded to milliseconds, the first packet's too: a packet this close to where counting puts it is where counting puts it. */
const ROUNDING_SECONDS = 0.0011
/** Times this far from where counting puts a packet are a gap or an overlap of the source; the resampler fills or cuts it. */
const GAP_SECONDS = 0.1

/**
 * A part of the sound as a stream of fragments on standard output, one per segment, as they are made. Frame n of the
 * track holds the same samples whichever part it is made in:
 * - Times are moved by whole seconds only, which are whole samples at every rate, before and behind the resampler.
 * - What is fed begins a whole number of frames ahead of the part, what is kept begins and ends exactly with it.
 */
export function audioArguments(options: {
  plan: Plan
  recipe: Recipe
  span: AudioSpan
  sourcePath: string
}): readonly string[] {
  const { plan, recipe, span, sourcePath } = options
  const audio = plan.audio
  if (!audio || recipe.audioIndex === null) throw new Error('audioArguments: the plan has no audio')
  const { sampleRate, samplesPerFrame } = audio
  const perSegment = audio.framesPerSegment * samplesPerFrame
  const total = Math.ceil(audio.samples / samplesPerFrame) * samplesPerFrame
  const first = span.firstSegment * perSegment
  const end = Math.min(total, first + span.segments * perSegment)
  const anchorSeconds = Math.max(0, Math.floor(first / sampleRate) - ENCODER_LEAD_SECONDS)
  const anchor = anchorSeconds * sampleRate
  const fedFrom = anchor + ((first - anchor) % samplesPerFrame)
  const fedTo = Math.min(total, end + TAIL_FRAMES * samplesPerFrame)
  const seekSeconds = Math.max(0, anchorSeconds + Math.floor(recipe.offsetSeconds) - DECODER_LEAD_SECONDS)
  const filters = [
    placeFilter(recipe, seekSeconds, anchorSeconds),
    'atrim=start=0',
    // 0 only: ffmpeg takes any other first_pts in samples of its input, whose rate is not known here.
    `aresample=${sampleRate}:async=1:min_comp=0.00001:first_pts=0`,
    'aformat=sample_fmts=fltp:channel_layouts=stereo',
    'apad',
    `atrim=start_sample=${fedFrom - anchor}:end_sample=${fedTo - anchor}`,
    // Counted, not carried along: silence behind the end of the source's sound has no times of its own.
    `asetpts=N+${fedFrom}`,
  ]
  const segmentMicros = Math.floor((perSegment * 1e6) / sampleRate)
  return [
    ...QUIET,
    ...['-threads', '1', ...(seekSeconds > 0 ? ['-noaccurate_seek', '-ss', String(seekSeconds)] : [])],
    ...[...safeInput(recipe.container), '-i', `file:${sourcePath}`],
    ...['-map', `0:${recipe.audioIndex}`, '-af', filters.join(','), ...PLAIN],
    ...['-c:a', 'aac', '-b:a', String(audio.bitrateBps), '-ar', String(sampleRate), '-ac', '2'],
    ...['-flags', '+bitexact', '-threads', '1'],
    // The encoder's delay is one packet ahead of what it is fed; dropped, like the lead and the tail.
    ...['-bsf:a', `noise=drop='lt(pts,${first})+gte(pts,${end})'`],
    // A little less than the segment: a fragment is cut at the first packet that reaches it, and rounding must not add one.
    ...['-frag_duration', String(segmentMicros - 2_000), '-flush_packets', '1'],
    ...CMAF.map((argument) => argument.replace('+frag_keyframe', '')),
    'pipe:1',
  ]
}

/**
 * Puts samples where they belong on the track, counted from the anchor: on by what was sought, back by where the picture
 * begins. Samples are counted on from the first packet, since the times of single packets may be rounded. Where a rounded
 * time is all there is, behind a seek, the first packet is put on the next multiple of its length.
 */
function placeFilter(recipe: Recipe, seekSeconds: number, anchorSeconds: number): string {
  const shift = `(${seekSeconds - anchorSeconds}*SR-${recipe.offsetSeconds.toFixed(6)}*SR)`
  const sinceStart = `(PTS+${seekSeconds}*SR-round(${recipe.audioOffsetSeconds.toFixed(6)}*SR))`
  const nearest = `(round(${sinceStart}/S)*S-${sinceStart})`
  const isRounded = recipe.container === 'matroska' && seekSeconds > 0
  const first = isRounded ? `PTS+if(lte(abs(${nearest}),${ROUNDING_SECONDS}*SR+1),${nearest},0)` : 'PTS'
  // Variable 0: where this frame begins; 1: where the next one is expected.
  const place = `st(0,if(eq(N,0),${first},if(gt(abs(PTS-ld(1)),${GAP_SECONDS}*SR),PTS,ld(1))))`
  return `asetpts='${place};st(1,ld(0)+S);floor(ld(0)+${shift}+0.5)'`
}
