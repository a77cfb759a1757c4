/** ISO base media file format (ISO/IEC 14496-12), as much of it as checking needs. */
export type Box = {
  readonly type: string
  /** Offset of the header in the bytes given. */
  readonly start: number
  /** Offset of the content behind the header. */
  readonly content: number
  readonly end: number
}

/** The boxes between `start` and `end`, in order; null when their sizes do not add up to exactly that span. */
export function parseBoxes(bytes: Uint8Array, start = 0, end: number = bytes.length): readonly Box[] | null {
  const boxes: Box[] = []
  let at = start
  while (at < end) {
    const header = parseBoxHeader(bytes, at, end)
    if (!header || header.end > end) return null
    boxes.push(header)
    at = header.end
  }
  return boxes
}

/** One box's header; its `end` may lie behind the bytes given. A size of 0 means up to `limit`. Null when it is cut off or impossible. */
export function parseBoxHeader(bytes: Uint8Array, at: number, limit: number): Box | null {
  if (at + 8 > bytes.length) return null
  const view = viewOf(bytes)
  const type = String.fromCharCode(bytes[at + 4] ?? 0, bytes[at + 5] ?? 0, bytes[at + 6] ?? 0, bytes[at + 7] ?? 0)
  const size = view.getUint32(at)
  if (size === 0) return { type, start: at, content: at + 8, end: limit }
  if (size !== 1) return size < 8 ? null : { type, start: at, content: at + 8, end: at + size }
  if (at + 16 > bytes.length) return null
  const large = Number(view.getBigUint64(at + 8))
  return large < 16 ? null : { type, start: at, content: at + 16, end: at + large }
}

/** The boxes at the end of a path such as `moov/trak/mdia`, of every parent along it. */
export function findBoxes(bytes: Uint8Array, path: string, within?: Box): readonly Box[] {
  const [first, ...rest] = path.split('/')
  const children = (within ? parseBoxes(bytes, within.content, within.end) : parseBoxes(bytes)) ?? []
  const found = children.filter((box) => box.type === first)
  return rest.length === 0 ? found : found.flatMap((box) => findBoxes(bytes, rest.join('/'), box))
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
