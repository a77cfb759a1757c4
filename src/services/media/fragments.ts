import { type Box, findBoxes, parseBoxes, viewOf } from './boxes.ts'

/** A fragmented MP4 file of one track, taken apart: what goes into `init.mp4`, and one fragment per segment. */
export type FragmentedFile = {
  readonly init: Uint8Array
  readonly track: TrackHeader
  readonly fragments: readonly Fragment[]
}

export type TrackHeader = {
  readonly timescale: number
  /** RFC 6381, read from `avcC` or `esds`, never assumed. */
  readonly codec: string
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly sampleRate: number
}

export type Fragment = {
  /** `moof` and `mdat`, as they are. */
  readonly bytes: Uint8Array
  readonly decodeTicks: number
  readonly durationTicks: number
  readonly samples: number
  /** Earliest presentation time. */
  readonly presentationTicks: number
  readonly startsWithKeyframe: boolean
}

export type ParsedFragments =
  | ({ readonly ok: true } & FragmentedFile)
  | { readonly ok: false; readonly message: string }

/** Takes apart what ffmpeg wrote. Anything out of place is a message, never a guess. */
export function parseFragmented(bytes: Uint8Array): ParsedFragments {
  const boxes = parseBoxes(bytes)
  if (!boxes) return bad('its boxes do not add up to its size: it is cut off or damaged')
  const first = boxes.findIndex((box) => box.type === 'moof')
  const head = first < 0 ? boxes : boxes.slice(0, first)
  const headerEnd = head.filter((box) => box.type !== 'mfra').at(-1)?.end ?? 0
  if (head[0]?.type !== 'ftyp' || !head.some((box) => box.type === 'moov'))
    return bad('it has no ftyp and moov in front')
  const init = bytes.slice(0, headerEnd)
  const track = parseTrackHeader(init)
  if (typeof track === 'string') return bad(track)
  const fragments: Fragment[] = []
  const media = boxes.slice(head.length).filter((box) => box.type !== 'mfra')
  for (let index = 0; index < media.length; index += 2) {
    const fragment = parseFragment(bytes, media[index], media[index + 1])
    if (typeof fragment === 'string') return bad(`fragment ${index / 2}: ${fragment}`)
    fragments.push(fragment)
  }
  return { ok: true, init, track, fragments }
}

/** Splits one `moof`+`mdat` pair off a stream; null while it is not whole yet. */
export function parseFragment(bytes: Uint8Array, moof: Box | undefined, mdat: Box | undefined): Fragment | string {
  if (moof?.type !== 'moof' || mdat?.type !== 'mdat') {
    return `expected moof and mdat, got ${moof?.type ?? 'nothing'} and ${mdat?.type ?? 'nothing'}`
  }
  const view = viewOf(bytes)
  const trafs = findBoxes(bytes, 'traf', moof)
  const traf = trafs[0]
  if (!traf || trafs.length !== 1) return `expected one traf, got ${trafs.length}`
  const [tfhd] = findBoxes(bytes, 'tfhd', traf)
  const [tfdt] = findBoxes(bytes, 'tfdt', traf)
  const truns = findBoxes(bytes, 'trun', traf)
  if (!tfhd || !tfdt || truns.length === 0) return 'expected tfhd, tfdt and trun'
  const decodeTicks =
    bytes[tfdt.content] === 1 ? Number(view.getBigInt64(tfdt.content + 4)) : view.getUint32(tfdt.content + 4)
  const samples = truns.flatMap((trun) => parseSamples(view, trun, parseDefaults(view, tfhd)))
  const first = samples[0]
  if (!first) return 'expected samples, got none'
  const payload = samples.reduce((sum, sample) => sum + sample.size, 0)
  if (payload !== mdat.end - mdat.content) return `mdat holds ${mdat.end - mdat.content} bytes, its samples ${payload}`
  let clock = decodeTicks
  let presentationTicks = Number.POSITIVE_INFINITY
  for (const sample of samples) {
    presentationTicks = Math.min(presentationTicks, clock + sample.offset)
    clock += sample.duration
  }
  return {
    bytes: bytes.slice(moof.start, mdat.end),
    decodeTicks,
    durationTicks: clock - decodeTicks,
    samples: samples.length,
    presentationTicks,
    startsWithKeyframe: (first.flags & SAMPLE_IS_NON_SYNC) === 0,
  }
}

function bad(message: string): ParsedFragments {
  return { ok: false, message }
}

const SAMPLE_IS_NON_SYNC = 0x10000

type Defaults = { readonly duration: number; readonly size: number; readonly flags: number }
type Sample = { duration: number; size: number; flags: number; offset: number }

/** `tfhd`, 8.8.7: which fields are there is in its flags. */
function parseDefaults(view: DataView, tfhd: Box): Defaults {
  const flags = view.getUint32(tfhd.content) & 0xffffff
  let at = tfhd.content + 8
  const next = (present: number, bytes: number): number => {
    if ((flags & present) === 0) return 0
    at += bytes
    return view.getUint32(at - 4)
  }
  next(0x1, 8)
  next(0x2, 4)
  return { duration: next(0x8, 4), size: next(0x10, 4), flags: next(0x20, 4) }
}

/** `trun`, 8.8.8. */
function parseSamples(view: DataView, trun: Box, defaults: Defaults): Sample[] {
  const flags = view.getUint32(trun.content) & 0xffffff
  const signed = view.getUint8(trun.content) === 1
  const count = view.getUint32(trun.content + 4)
  let at = trun.content + 8
  const next = (present: number): number | null => {
    if ((flags & present) === 0) return null
    at += 4
    return view.getUint32(at - 4)
  }
  next(0x1)
  const firstFlags = next(0x4)
  const samples: Sample[] = []
  for (let index = 0; index < count; index++) {
    const duration = next(0x100) ?? defaults.duration
    const size = next(0x200) ?? defaults.size
    const own = next(0x400)
    const offset = next(0x800) ?? 0
    const sampleFlags = own ?? (index === 0 && firstFlags !== null ? firstFlags : defaults.flags)
    samples.push({ duration, size, flags: sampleFlags, offset: signed ? offset | 0 : offset })
  }
  return samples
}

/** The one track of an initialisation segment, or why it is none. */
export function parseTrackHeader(init: Uint8Array): TrackHeader | string {
  const view = viewOf(init)
  const traks = findBoxes(init, 'moov/trak')
  const trak = traks[0]
  if (!trak || traks.length !== 1) return `expected one track, got ${traks.length}`
  if (findBoxes(init, 'edts', trak).length > 0) return 'expected no edit list'
  const [mdhd] = findBoxes(init, 'mdia/mdhd', trak)
  const [stsd] = findBoxes(init, 'mdia/minf/stbl/stsd', trak)
  if (!mdhd || !stsd) return 'expected mdhd and stsd'
  const timescale = view.getUint32(mdhd.content + (init[mdhd.content] === 1 ? 20 : 12))
  const [entry] = parseBoxes(init, stsd.content + 8, stsd.end) ?? []
  if (entry?.type === 'avc1') return parseAvc(init, entry, timescale)
  if (entry?.type === 'mp4a') return parseAac(init, entry, timescale)
  return `expected avc1 or mp4a, got ${entry?.type ?? 'nothing'}`
}

function parseAvc(init: Uint8Array, entry: Box, timescale: number): TrackHeader | string {
  const view = viewOf(init)
  const avcC = parseBoxes(init, entry.content + 78, entry.end)?.find((box) => box.type === 'avcC')
  if (!avcC) return 'expected avcC'
  const codec = `avc1.${Buffer.from(init.subarray(avcC.content + 1, avcC.content + 4)).toString('hex')}`
  const width = view.getUint16(entry.content + 24)
  const height = view.getUint16(entry.content + 26)
  return { timescale, codec, width, height, channels: 0, sampleRate: 0 }
}

function parseAac(init: Uint8Array, entry: Box, timescale: number): TrackHeader | string {
  const view = viewOf(init)
  const esds = parseBoxes(init, entry.content + 28, entry.end)?.find((box) => box.type === 'esds')
  const config = esds ? audioConfigOf(init, esds) : null
  if (!config) return 'expected esds with an AudioSpecificConfig'
  return {
    timescale,
    codec: `mp4a.40.${config.objectType}`,
    width: 0,
    height: 0,
    channels: view.getUint16(entry.content + 16),
    sampleRate: view.getUint32(entry.content + 24) >>> 16,
  }
}

/** ISO/IEC 14496-1 descriptors: ES (3) holds decoder config (4) holds decoder specific info (5). */
function audioConfigOf(bytes: Uint8Array, esds: Box): { objectType: number } | null {
  let at = esds.content + 4
  const enter = (tag: number, skip: number): boolean => {
    if (bytes[at] !== tag) return false
    at += 1
    while (((bytes[at] ?? 0) & 0x80) !== 0) at += 1
    at += 1 + skip
    return at < esds.end
  }
  if (!enter(3, 3) || !enter(4, 13) || !enter(5, 0)) return null
  return { objectType: (bytes[at] ?? 0) >>> 3 }
}
