import { z } from 'zod'
import type { Ffmpeg } from './ffmpeg.ts'
import { parseRate, type Rate } from './frame-rate.ts'
import type { Container } from './sniff.ts'

/** What planning needs to know of a source, in seconds, degrees and square-pixel fractions. */
export type Probe = {
  readonly container: Container
  /** Of the whole file; ffmpeg counts its seeks from here. */
  readonly startSeconds: number
  readonly streamCount: number
  readonly video: ProbedVideo | null
  readonly audio: readonly ProbedAudio[]
  readonly captions: readonly ProbedCaptions[]
  /** When the last frame of the picture ends, measured on the packets themselves; null when there are none. */
  readonly videoEndSeconds: number | null
  /** When the file says it ends, if it does. */
  readonly declaredEndSeconds: number | null
  /** When the last packet of any kind really ends. */
  readonly endSeconds: number | null
}

export type ProbedVideo = {
  readonly index: number
  readonly codec: string
  readonly width: number
  readonly height: number
  readonly sampleAspect: number
  readonly rotation: number
  readonly interlaced: boolean
  /** PQ or HLG: brighter than a screen's standard range. */
  readonly highDynamicRange: boolean
  readonly average: Rate | null
  readonly nominal: Rate | null
  readonly startSeconds: number
}

export type ProbedAudio = {
  readonly index: number
  readonly codec: string
  readonly channels: number
  readonly language: string
  readonly isDefault: boolean
  readonly startSeconds: number
}

export type ProbedCaptions = {
  readonly index: number
  readonly codec: string
  readonly language: string
  readonly title: string
}

/** Seconds from the declared end at which the packets are looked at. */
const TAIL_SECONDS = 15
const JSON_BYTES_MAX = 16 * 1024 * 1024

/** Only what is named here is ever opened, whatever a file claims to hold. */
export const DEMUXERS: Readonly<Record<Container, string>> = { mov: 'mov', matroska: 'matroska,webm' }
export const SAFE_INPUT: readonly string[] = ['-protocol_whitelist', 'file,pipe']

export const VIDEO_CODECS: readonly string[] = [
  'h264',
  'hevc',
  'vp8',
  'vp9',
  'av1',
  'mpeg4',
  'mpeg2video',
  'prores',
  'dnxhd',
  'mjpeg',
  'ffv1',
]
export const AUDIO_CODECS: readonly string[] = [
  'aac',
  'mp3',
  'ac3',
  'eac3',
  'opus',
  'vorbis',
  'flac',
  'alac',
  'pcm_s16le',
  'pcm_s16be',
  'pcm_s24le',
  'pcm_s24be',
  'pcm_s32le',
  'pcm_f32le',
]
export const CAPTION_CODECS: readonly string[] = ['mov_text', 'subrip', 'webvtt', 'ass']
/** ffmpeg's decoders for the above where they go by other names. */
const DECODERS: readonly string[] = ['libdav1d', 'libaom-av1', 'mp3float', 'libopus', 'srt', 'ssa']

/** The input options every run on a source begins with. */
export function safeInput(container: Container): readonly string[] {
  const codecs = [...VIDEO_CODECS, ...AUDIO_CODECS, ...CAPTION_CODECS, ...DECODERS].join(',')
  return [
    ...SAFE_INPUT,
    '-format_whitelist',
    DEMUXERS[container],
    '-codec_whitelist',
    codecs,
    '-f',
    container === 'mov' ? 'mov' : 'matroska',
  ]
}

/** Runs ffprobe on a source whose container is known. Faults: those of the runner; `ffmpeg-failed` means it cannot be read. */
export async function probe(
  ffmpeg: Ffmpeg,
  source: { path: string; container: Container; directory: string; signal: AbortSignal },
): Promise<Probe> {
  const ask = async (options: readonly string[]): Promise<unknown> => {
    const bytes = await ffmpeg.run({
      program: 'ffprobe',
      arguments: [
        '-v',
        'error',
        ...safeInput(source.container),
        '-of',
        'json',
        ...options,
        '-i',
        `file:${source.path}`,
      ],
      signal: source.signal,
      directory: source.directory,
      urgent: true,
      outputBytesMax: JSON_BYTES_MAX,
    })
    return JSON.parse(Buffer.from(bytes).toString())
  }
  const shape = probedSchema.parse(await ask(['-show_streams', '-show_format']))
  const described = toProbe(shape, source.container)
  if (!described.video) return described
  const end = described.declaredEndSeconds
  const video = described.video
  const endsFrom = (from: number | null): Promise<Ends> => measureEnds(ffmpeg, source, video, from)
  let ends = await endsFrom(end === null ? null : Math.max(0, end - TAIL_SECONDS))
  // Sound that goes on long after the picture leaves no frame in the tail: then, and only then, all packets are read.
  if (ends.video === null && end !== null) ends = await endsFrom(null)
  return { ...described, videoEndSeconds: ends.video, endSeconds: ends.any }
}

type Ends = { readonly video: number | null; readonly any: number | null }
type ProbeSource = Parameters<typeof probe>[1]

/** Where the packets from `from` on (all, if null) really end. Read as they come: a long film has millions. */
async function measureEnds(
  ffmpeg: Ffmpeg,
  { path, container, directory, signal }: ProbeSource,
  video: ProbedVideo,
  from: number | null,
): Promise<Ends> {
  const frameSeconds = video.average ? video.average.denominator / video.average.numerator : 0
  let videoEnd: number | null = null
  let anyEnd: number | null = null
  let rest = ''
  const take = (line: string): void => {
    const [stream = '', at = '', lasts = ''] = line.split(',')
    const start = Number.parseFloat(at)
    if (Number.isNaN(start)) return
    const isVideo = Number(stream) === video.index
    const length = Number.parseFloat(lasts)
    const packetEnd = start + (Number.isNaN(length) ? (isVideo ? frameSeconds : 0) : length)
    anyEnd = Math.max(anyEnd ?? 0, packetEnd)
    if (isVideo) videoEnd = Math.max(videoEnd ?? 0, packetEnd)
  }
  const interval = from === null ? [] : ['-read_intervals', `${from.toFixed(3)}%`]
  const entries = ['-show_entries', 'packet=stream_index,pts_time,duration_time', '-of', 'csv=p=0']
  const options = ['-v', 'error', ...safeInput(container), ...interval, ...entries, '-i', `file:${path}`]
  await ffmpeg.stream({ program: 'ffprobe', arguments: options, signal, directory, urgent: true }, async (bytes) => {
    const lines = (rest + Buffer.from(bytes).toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  take(rest)
  return { video: videoEnd, any: anyEnd }
}

const secondsSchema = z.coerce.number().optional().catch(undefined)
const streamSchema = z.object({
  index: z.number(),
  codec_type: z.string().default('unknown'),
  codec_name: z.string().default('unknown'),
  width: z.number().default(0),
  height: z.number().default(0),
  sample_aspect_ratio: z.string().optional(),
  field_order: z.string().default('progressive'),
  color_transfer: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  start_time: secondsSchema,
  channels: z.number().default(0),
  disposition: z.record(z.string(), z.number()).default({}),
  tags: z.record(z.string(), z.string()).default({}),
  side_data_list: z.array(z.object({ rotation: z.coerce.number().optional().catch(undefined) })).default([]),
})
type ProbedStream = z.infer<typeof streamSchema>
const probedSchema = z.object({
  streams: z.array(streamSchema).default([]),
  format: z.object({ start_time: secondsSchema, duration: secondsSchema }),
})

/** Pure: what ffprobe printed, in our terms; the packets are not looked at yet. */
function toProbe(shape: z.infer<typeof probedSchema>, container: Container): Probe {
  const startSeconds = shape.format.start_time ?? 0
  const ofType = (type: string): ProbedStream[] => shape.streams.filter((stream) => stream.codec_type === type)
  const picture = ofType('video').find((stream) => (stream.disposition['attached_pic'] ?? 0) === 0)
  return {
    container,
    startSeconds,
    streamCount: shape.streams.length,
    video: picture ? toVideo(picture, startSeconds) : null,
    audio: ofType('audio').map((stream) => ({
      index: stream.index,
      codec: stream.codec_name,
      channels: stream.channels,
      language: languageOf(stream),
      isDefault: stream.disposition['default'] === 1,
      startSeconds: stream.start_time ?? startSeconds,
    })),
    captions: ofType('subtitle').map((stream) => ({
      index: stream.index,
      codec: stream.codec_name,
      language: languageOf(stream),
      title: stream.tags['title'] ?? '',
    })),
    videoEndSeconds: null,
    declaredEndSeconds: shape.format.duration === undefined ? null : startSeconds + shape.format.duration,
    endSeconds: null,
  }
}

function toVideo(stream: ProbedStream, formatStart: number): ProbedVideo {
  const [across, down] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number)
  return {
    index: stream.index,
    codec: stream.codec_name,
    width: stream.width,
    height: stream.height,
    sampleAspect: across && down ? across / down : 1,
    rotation: stream.side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0,
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order),
    highDynamicRange: ['smpte2084', 'arib-std-b67'].includes(stream.color_transfer ?? ''),
    average: parseRate(stream.avg_frame_rate),
    nominal: parseRate(stream.r_frame_rate),
    startSeconds: stream.start_time ?? formatStart,
  }
}

/** BCP 47 where a tag looks like one, else `und`. */
function languageOf(stream: ProbedStream): string {
  const tag = stream.tags['language'] ?? ''
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(tag) ? tag : 'und'
}
