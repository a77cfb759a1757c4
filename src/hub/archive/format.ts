import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Codec, isCodec } from './compression.ts'
import type { ArchiveRange } from './key.ts'

/**
 * An archive object: head, blocks, index, tail. What a reader needs to know stands at both ends, so that damage at one
 * costs no records.
 *
 *     head   8 bytes magic, u32 length and u32 CRC-32 of what follows, the summary as JSON
 *     blocks one after another (`block.ts`)
 *     index  the summary, and where each block lies, as JSON
 *     tail   u32 length and u32 CRC-32 of the index, SHA-256 of everything before it, 8 bytes magic
 */
const HEAD_MAGIC = Buffer.from('TPARCHV1')
const TAIL_MAGIC = Buffer.from('TPARCEND')
const HEAD_FIXED_BYTES = 16
const SHA_256_BYTES = 32
export const TAIL_BYTES: number = 8 + SHA_256_BYTES + 8
export const SUMMARY_BYTES_MAX: number = 4 * 1024

export type ArchiveSummary = ArchiveRange & {
  readonly version: 1
  readonly codec: Codec
  readonly records: number
  /** Of the records, uncompressed. */
  readonly bytes: number
  readonly earliestMs: number
  readonly latestMs: number
}

/** Where a block lies: from which byte on, how many, and which offsets it covers. */
export type BlockPlace = { readonly at: number; readonly bytes: number; readonly from: number; readonly to: number }

export type ArchiveIndex = { readonly summary: ArchiveSummary; readonly blocks: readonly BlockPlace[] }

export function encodeHead(summary: ArchiveSummary): Uint8Array {
  const text = Buffer.from(JSON.stringify(summary))
  const head = Buffer.alloc(HEAD_FIXED_BYTES + text.byteLength)
  head.set(HEAD_MAGIC)
  head.writeUInt32BE(text.byteLength, 8)
  head.writeUInt32BE(crc32(text), 12)
  head.set(text, HEAD_FIXED_BYTES)
  return head
}

/** The summary and where it ends; null when it is damaged or another object's. */
export function decodeHead(
  bytes: Uint8Array,
  range: ArchiveRange,
): { readonly summary: ArchiveSummary; readonly bytes: number } | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (head.byteLength < HEAD_FIXED_BYTES || !head.subarray(0, 8).equals(HEAD_MAGIC)) return null
  const end = HEAD_FIXED_BYTES + head.readUInt32BE(8)
  if (end > head.byteLength) return null
  const summary = toSummary(parseChecked(head.subarray(HEAD_FIXED_BYTES, end), head.readUInt32BE(12)), range)
  return summary && { summary, bytes: end }
}

export function encodeIndex({ summary, blocks }: ArchiveIndex): Uint8Array {
  const places = blocks.map(({ at, bytes, from, to }) => [at, bytes, from, to])
  return Buffer.from(JSON.stringify({ ...summary, blocks: places }))
}

/** Null when it is damaged, another object's, or does not describe blocks that lie one after another. */
export function decodeIndex(bytes: Uint8Array, crc: number, range: ArchiveRange): ArchiveIndex | null {
  const parsed = parseChecked(bytes, crc)
  const summary = toSummary(parsed, range)
  const places = parsed?.['blocks']
  if (!summary || !Array.isArray(places)) return null
  const blocks: BlockPlace[] = []
  for (const place of places as unknown[]) {
    if (!Array.isArray(place) || place.length !== 4 || !place.every(Number.isSafeInteger)) return null
    const [at = 0, length = 0, from = 0, to = 0] = place as number[]
    const before = blocks.at(-1)
    if (from !== (before?.to ?? range.first) || to <= from || length <= 0) return null
    if (before && at !== before.at + before.bytes) return null
    blocks.push({ at, bytes: length, from, to })
  }
  return blocks.at(-1)?.to === range.end ? { summary, blocks } : null
}

/** `digest` is of everything up to the index's end. */
export function encodeTail(index: Uint8Array, digest: Uint8Array): Uint8Array {
  const tail = Buffer.alloc(TAIL_BYTES)
  tail.writeUInt32BE(index.byteLength, 0)
  tail.writeUInt32BE(crc32(index), 4)
  tail.set(digest, 8)
  tail.set(TAIL_MAGIC, 8 + SHA_256_BYTES)
  return tail
}

export function decodeTail(
  bytes: Uint8Array,
): { readonly indexBytes: number; readonly indexCrc: number; readonly digest: Uint8Array } | null {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (tail.byteLength !== TAIL_BYTES || !tail.subarray(8 + SHA_256_BYTES).equals(TAIL_MAGIC)) return null
  return {
    indexBytes: tail.readUInt32BE(0),
    indexCrc: tail.readUInt32BE(4),
    digest: tail.subarray(8, 8 + SHA_256_BYTES),
  }
}

/** SHA-256 over pieces as they come. */
export function createDigest(): { add(bytes: Uint8Array): void; done(): Uint8Array } {
  const hash = createHash('sha256')
  return { add: (bytes) => void hash.update(bytes), done: () => hash.digest() }
}

function parseChecked(bytes: Uint8Array, crc: number): Record<string, unknown> | null {
  if (crc32(bytes) !== crc) return null
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function toSummary(parsed: Record<string, unknown> | null, range: ArchiveRange): ArchiveSummary | null {
  if (parsed?.['version'] !== 1 || !isCodec(parsed['codec'])) return null
  for (const name of ['topic', 'partition', 'first', 'end'] as const) if (parsed[name] !== range[name]) return null
  const { codec } = parsed
  const [records, bytes, earliestMs, latestMs] = (['records', 'bytes', 'earliestMs', 'latestMs'] as const).map((name) =>
    Number(parsed[name]),
  )
  if (records === undefined || bytes === undefined || earliestMs === undefined || latestMs === undefined) return null
  const { topic, partition, first, end } = range
  return { version: 1, codec, topic, partition, first, end, records, bytes, earliestMs, latestMs }
}
