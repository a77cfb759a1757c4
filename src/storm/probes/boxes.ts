/** The boxes that media files begin with (ISO/IEC 14496-12). */
const FIRST_BOXES: ReadonlySet<string> = new Set(['ftyp', 'styp', 'moov', 'moof', 'sidx', 'emsg', 'prft', 'mdat'])

/** Types of the outermost boxes; null when their sizes do not add up to exactly these bytes. */
export function listBoxes(bytes: Uint8Array): readonly string[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const types: string[] = []
  let at = 0
  while (at < bytes.length) {
    const length = lengthAt(view, at)
    if (length === null || at + length > bytes.length) return null
    types.push(typeAt(bytes, at))
    at += length
  }
  return types
}

/** 1 stands for a length of 64 bits behind the type, 0 for all there is. */
function lengthAt(view: DataView, at: number): number | null {
  if (at + 8 > view.byteLength) return null
  const size = view.getUint32(at)
  if (size === 0) return view.byteLength - at
  if (size !== 1) return size < 8 ? null : size
  return at + 16 > view.byteLength ? null : Math.max(16, Number(view.getBigUint64(at + 8)))
}

/** Whether these are the first bytes of a media file, however little of it there is. */
export function beginsAsMedia(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && FIRST_BOXES.has(typeAt(bytes, 0))
}

/** Why these bytes are not the whole header of a track; null when they are. */
export function checkInit(bytes: Uint8Array): string | null {
  return checkBoxes(bytes, ['ftyp', 'moov'])
}

/** Why these bytes are not one whole segment; null when they are. */
export function checkSegment(bytes: Uint8Array): string | null {
  return checkBoxes(bytes, ['moof', 'mdat'])
}

function checkBoxes(bytes: Uint8Array, needed: readonly string[]): string | null {
  const boxes = listBoxes(bytes)
  if (boxes === null) return `${bytes.length} bytes that are no whole ISO BMFF boxes`
  const missing = needed.filter((type) => !boxes.includes(type))
  return missing.length === 0 ? null : `boxes ${boxes.join(' ') || 'none'} without ${missing.join(' and ')}`
}

function typeAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8))
}
