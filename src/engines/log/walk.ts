import { bodyChecksOut, findMagic, RECORD_HEADER_BYTES, type RecordHeader, readHeader } from './record.ts'

const WINDOW_BYTES = 256 * 1024

/** What a walk reads: `bytes` of a segment, by `read`. */
export type WalkSource = {
  readonly salt: number
  readonly bytes: number
  read(position: number, length: number): Promise<Buffer>
}

/** Bytes that are no valid record, and what they cost. */
export type WalkDamage = {
  readonly fromPosition: number
  readonly toPosition: number
  /** The offset that was expected there. */
  readonly from: number
  /** The next offset that is there again; null when nothing valid follows. */
  readonly to: number | null
  /** With `to: null`: an append that never finished (the file ends inside a record), which nobody was told of. */
  readonly incomplete: boolean
  /** The highest offset of a header that checks out among the damaged bytes, or -1. */
  readonly highestSeen: number
  /** Bytes behind the last header that checks out and its record, up to the end: nobody knows how many records they held. */
  readonly unexplainedBytes: number
}

export type WalkVisitor = {
  /** `buffer` holds the record at `at`; false ends the walk. */
  onRecord(buffer: Buffer, at: number, header: RecordHeader, position: number): boolean
  /** False ends the walk. */
  onDamage(damage: WalkDamage): boolean
}

/**
 * Visits the records of a segment in order from `start` on. Damaged bytes are stepped over by looking for the next
 * record whose header and body check out, and told of; a damaged record is never visited.
 */
export async function walkSegment(
  source: WalkSource,
  start: { readonly offset: number; readonly position: number },
  visitor: WalkVisitor,
): Promise<void> {
  const window = createWindow(source)
  let { offset: expected, position } = start
  while (position < source.bytes) {
    if (!window.covers(position, RECORD_HEADER_BYTES)) await window.fill(position, RECORD_HEADER_BYTES)
    const header = readHeader(window.buffer, position - window.start, source.salt)
    const size = header ? RECORD_HEADER_BYTES + header.bodyBytes : 0
    if (header && position + size <= source.bytes && header.offset >= expected) {
      if (!window.covers(position, size)) await window.fill(position, size)
      if (bodyChecksOut(window.buffer, position - window.start, header, source.salt)) {
        if (header.offset > expected && !visitor.onDamage(toGap(expected, header.offset, position))) return
        if (!visitor.onRecord(window.buffer, position - window.start, header, position)) return
        position += size
        expected = header.offset + 1
        continue
      }
    }
    const damage = await measureDamage(source, { expected, position, header })
    if (!visitor.onDamage(damage) || damage.to === null) return
    position = damage.toPosition
    expected = damage.to
  }
}

/** Offsets that are missing although no byte is damaged. */
function toGap(from: number, to: number, position: number): WalkDamage {
  return {
    fromPosition: position,
    toPosition: position,
    from,
    to,
    incomplete: false,
    highestSeen: to - 1,
    unexplainedBytes: 0,
  }
}

async function measureDamage(
  source: WalkSource,
  at: { expected: number; position: number; header: RecordHeader | null },
): Promise<WalkDamage> {
  const { expected, position, header } = at
  const remaining = source.bytes - position
  const incomplete =
    remaining < RECORD_HEADER_BYTES || (header !== null && RECORD_HEADER_BYTES + header.bodyBytes > remaining)
  const next = await resynchronise(source, position, expected)
  return {
    fromPosition: position,
    toPosition: next.found?.position ?? source.bytes,
    from: expected,
    to: next.found?.offset ?? null,
    incomplete: incomplete && next.found === null,
    highestSeen: next.highestSeen,
    unexplainedBytes: next.found === null ? source.bytes - next.explainedTo : 0,
  }
}

/** The first valid record at or after `from` whose offset is at least `expected`. */
async function resynchronise(
  source: WalkSource,
  from: number,
  expected: number,
): Promise<{ found: { position: number; offset: number } | null; highestSeen: number; explainedTo: number }> {
  const window = createWindow(source)
  let position = from
  let highestSeen = -1
  let explainedTo = from
  while (position + RECORD_HEADER_BYTES <= source.bytes) {
    if (!window.covers(position, RECORD_HEADER_BYTES)) await window.fill(position, RECORD_HEADER_BYTES)
    // The file is shorter than it should be: nothing can follow.
    if (window.buffer.byteLength < RECORD_HEADER_BYTES) break
    const found = findMagic(window.buffer, position - window.start)
    if (found < 0) {
      // The magic may straddle two windows: its first three bytes are looked at again.
      position = window.start + window.buffer.byteLength - 3
      continue
    }
    position = window.start + found
    if (!window.covers(position, RECORD_HEADER_BYTES)) await window.fill(position, RECORD_HEADER_BYTES)
    const header = readHeader(window.buffer, position - window.start, source.salt)
    const size = header ? RECORD_HEADER_BYTES + header.bodyBytes : 0
    if (!header || position + size > source.bytes) {
      if (header) highestSeen = Math.max(highestSeen, header.offset)
      position += 4
      continue
    }
    highestSeen = Math.max(highestSeen, header.offset)
    if (!window.covers(position, size)) await window.fill(position, size)
    if (header.offset >= expected && bodyChecksOut(window.buffer, position - window.start, header, source.salt))
      return { found: { position, offset: header.offset }, highestSeen, explainedTo }
    position += size
    explainedTo = position
  }
  return { found: null, highestSeen, explainedTo }
}

type Window = {
  buffer: Buffer
  start: number
  covers(position: number, length: number): boolean
  fill(position: number, length: number): Promise<void>
}

function createWindow(source: WalkSource): Window {
  const window: Window = {
    buffer: Buffer.alloc(0),
    start: 0,
    // What lies behind the source's end cannot be had: asking again would not help.
    covers: (position, length) =>
      position >= window.start && Math.min(position + length, source.bytes) <= window.start + window.buffer.byteLength,
    async fill(position, length) {
      window.buffer = await source.read(position, Math.min(Math.max(length, WINDOW_BYTES), source.bytes - position))
      window.start = position
    },
  }
  return window
}
