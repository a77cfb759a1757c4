import { findBoxes, parseBoxes, parseBoxHeader } from './boxes.ts'
import { type Refusal, refuse } from './refusal.ts'

/** The containers taken, by the name of their ffmpeg demuxer. Both carry an index of keyframes, which seeking by chunk needs. */
export type Container = 'mov' | 'matroska'

export type Sniffed = { readonly ok: true; readonly container: Container } | Refusal

/** Reads `length` bytes of the source at `offset`; fewer at its end. */
export type ReadSource = (offset: number, length: number) => Promise<Uint8Array>

const HEAD_BYTES = 4096
/** The index of a 12-hour film takes some 60 MiB; more than this is no film. */
const MOOV_BYTES_MAX = 256 * 1024 * 1024
/** Fragmented files have a box pair every few frames. */
const TOP_BOXES_MAX = 2_000_000
const NEXT = 'Export it again as MP4, MOV, MKV or WebM and upload that.'

/**
 * Looks at a source before any demuxer does: what it is by its first bytes, never by its name, and whether it is all
 * there. ffmpeg is then told the container, so nothing in the file can make it open another.
 */
export async function sniff(read: ReadSource, bytes: number): Promise<Sniffed> {
  if (bytes === 0) return refuse('source-empty', `The file is empty: expected a film, got 0 bytes. Upload it again.`)
  const head = await read(0, HEAD_BYTES)
  if (isIso(head)) return sniffIso(read, bytes)
  if (startsWith(head, [0x1a, 0x45, 0xdf, 0xa3])) return sniffMatroska(head, bytes)
  return refuseUnknown(head)
}

function refuseUnknown(head: Uint8Array): Refusal {
  const text = toText(head)
  if (text !== null && /^\uFEFF?\s*#EXTM3U/.test(text)) {
    return refuse('source-playlist', `The file is a playlist that names other files: expected a film itself. ${NEXT}`)
  }
  if (text !== null && /^\uFEFF?\s*(ffconcat version|file\s+\S)/.test(text)) {
    return refuse('source-script', `The file is a script that names other files: expected a film itself. ${NEXT}`)
  }
  if (text !== null) return refuse('source-text', `The file is text: expected a film. ${NEXT}`)
  const known = KNOWN.find(({ magic, at = 0 }) => startsWith(head, magic, at))
  if (known) return refuse(known.code, `The file is ${known.name}: expected a film as MP4, MOV, MKV or WebM. ${NEXT}`)
  return refuse('source-unknown', `The file is in no known film format: expected MP4, MOV, MKV or WebM. ${NEXT}`)
}

const KNOWN: readonly { magic: readonly number[]; at?: number; code: string; name: string }[] = [
  { magic: [0xff, 0xd8, 0xff], code: 'source-image', name: 'a picture (JPEG)' },
  { magic: [0x89, 0x50, 0x4e, 0x47], code: 'source-image', name: 'a picture (PNG)' },
  { magic: [0x47, 0x49, 0x46, 0x38], code: 'source-image', name: 'a picture (GIF)' },
  { magic: [0x57, 0x45, 0x42, 0x50], at: 8, code: 'source-image', name: 'a picture (WebP)' },
  { magic: [0x41, 0x56, 0x49, 0x20], at: 8, code: 'source-container', name: 'an AVI file' },
  { magic: [0x57, 0x41, 0x56, 0x45], at: 8, code: 'source-audio', name: 'sound only (WAV)' },
  { magic: [0x49, 0x44, 0x33], code: 'source-audio', name: 'sound only (MP3)' },
  { magic: [0x4f, 0x67, 0x67, 0x53], code: 'source-container', name: 'an Ogg file' },
  { magic: [0x46, 0x4c, 0x56], code: 'source-container', name: 'an FLV file' },
  { magic: [0x47], code: 'source-container', name: 'an MPEG transport stream' },
  { magic: [0x00, 0x00, 0x01, 0xba], code: 'source-container', name: 'an MPEG program stream' },
  { magic: [0x50, 0x4b, 0x03, 0x04], code: 'source-container', name: 'a ZIP archive' },
]

/** Walks the top-level boxes; only their headers are read, and `moov` for what it says of encryption. */
async function sniffIso(read: ReadSource, bytes: number): Promise<Sniffed> {
  let moov: { start: number; end: number } | null = null
  let media = false
  let at = 0
  for (let count = 0; at < bytes; count++) {
    if (count > TOP_BOXES_MAX) return refuse('source-damaged', `The MP4 has over ${TOP_BOXES_MAX} boxes. ${NEXT}`)
    const box = parseBoxHeader(await read(at, 16), 0, bytes - at)
    // A few stray bytes behind the last box are common and harmless; a box that says it goes on behind the end is not.
    if (!box) break
    if (box.end > bytes - at) {
      const missing = box.end - (bytes - at)
      return refuse(
        'source-truncated',
        `The file is cut off: its "${box.type}" part goes on for ${missing} bytes behind the end. Upload the whole file.`,
      )
    }
    if (box.type === 'moov') moov = { start: at, end: at + box.end }
    if (box.type === 'mdat') media = true
    at += box.end
  }
  if (!moov) {
    const got = media ? 'only media without its index (moov)' : 'neither index (moov) nor media'
    return refuse('source-truncated', `The MP4 is not whole: expected an index, got ${got}. Upload the whole file.`)
  }
  if (moov.end - moov.start > MOOV_BYTES_MAX) {
    return refuse('source-damaged', `The MP4's index exceeds ${MOOV_BYTES_MAX} bytes, which no film needs. ${NEXT}`)
  }
  return checkEncryption(await read(moov.start, moov.end - moov.start))
}

function checkEncryption(moov: Uint8Array): Sniffed {
  const entries = findBoxes(moov, 'moov/trak/mdia/minf/stbl/stsd').flatMap(
    (stsd) => parseBoxes(moov, stsd.content + 8, stsd.end) ?? [],
  )
  return entries.some(({ type }) => type === 'encv' || type === 'enca' || type === 'drmi')
    ? refuse(
        'source-encrypted',
        'The film is encrypted: expected one without copy protection. Upload the clear master.',
      )
    : { ok: true, container: 'mov' }
}

/** EBML header, then the Segment with its size, which muxers that could not go back leave unknown (all ones). */
function sniffMatroska(head: Uint8Array, bytes: number): Sniffed {
  const ebml = parseEbml(head, 0)
  const segment = ebml && ebml.end !== null ? parseEbml(head, ebml.end) : null
  if (segment?.id !== 0x18538067) {
    return refuse('source-damaged', `The Matroska file has no segment behind its header. ${NEXT}`)
  }
  if (segment.end !== null && segment.end > bytes) {
    const missing = segment.end - bytes
    return refuse('source-truncated', `The file is cut off: ${missing} bytes are missing. Upload the whole file.`)
  }
  return { ok: true, container: 'matroska' }
}

/** RFC 8794: an element's id and size are variable-length integers. `end` is null for an unknown size. */
function parseEbml(bytes: Uint8Array, at: number): { id: number; end: number | null } | null {
  const idLength = Math.clz32(bytes[at] ?? 0) - 23
  const sizeAt = at + idLength
  const sizeLength = Math.clz32(bytes[sizeAt] ?? 0) - 23
  if (idLength > 4 || sizeLength > 8 || sizeAt + sizeLength > bytes.length) return null
  let id = 0
  for (let index = 0; index < idLength; index++) id = id * 256 + (bytes[at + index] ?? 0)
  let size = (bytes[sizeAt] ?? 0) & (0xff >>> sizeLength)
  let unknown = size === 0xff >>> sizeLength
  for (let index = 1; index < sizeLength; index++) {
    const byte = bytes[sizeAt + index] ?? 0
    size = size * 256 + byte
    unknown &&= byte === 0xff
  }
  return { id, end: unknown ? null : sizeAt + sizeLength + size }
}

/** MP4 and MOV begin with one of these boxes. */
function isIso(head: Uint8Array): boolean {
  const type = String.fromCharCode(...head.subarray(4, 8))
  return ['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'styp'].includes(type)
}

function startsWith(head: Uint8Array, magic: readonly number[], at = 0): boolean {
  return magic.every((byte, index) => head[at + index] === byte)
}

/** The head as text when it is text: valid UTF-8 (cut anywhere) or Latin-1 without control characters. */
function toText(head: Uint8Array): string | null {
  const control = head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return control ? null : new TextDecoder('utf-8').decode(head)
}
