import type { ObjectsPort } from '../../engines/objects/index.ts'
import { BLOCK_HEADER_BYTES, readBlockHeader, saltOf } from './block.ts'
import { type Codec, PREFERRED_CODEC } from './compression.ts'
import {
  type ArchiveSummary,
  type BlockPlace,
  decodeHead,
  decodeIndex,
  decodeTail,
  SUMMARY_BYTES_MAX,
  TAIL_BYTES,
} from './format.ts'
import { type ArchiveRange, toArchiveKey } from './key.ts'

/** What is known of an object before a block of it is read. */
export type OpenedArchive = {
  readonly range: ArchiveRange
  /** Null when neither end can be read. */
  readonly summary: ArchiveSummary | null
  readonly codec: Codec
  /** In order, from the first on; they may end before the range does, and what is missing is lost. */
  readonly blocks: readonly BlockPlace[]
  /** Of the whole; null when it is not known any more. */
  readonly digest: Uint8Array | null
  /** What the digest is made of besides the blocks. */
  readonly headBytes: Uint8Array
  readonly indexBytes: Uint8Array
  /** What is wrong with the ends of it, for people; empty when nothing is. */
  readonly damage: readonly string[]
}

const NOTHING = new Uint8Array(0)

/** Reads both ends of an object, or, where its index is damaged, the heads of its blocks. Never faults for damage. */
export async function openArchive(objects: ObjectsPort, range: ArchiveRange): Promise<OpenedArchive> {
  const key = toArchiveKey(range)
  const size = (await objects.head(key))?.sizeBytes ?? 0
  const read = (start: number, end: number): Promise<Uint8Array> => readPart(objects, key, { start, end, size })
  const headPart = await read(0, SUMMARY_BYTES_MAX)
  const head = decodeHead(headPart, range)
  const tail = decodeTail(await read(Math.max(0, size - TAIL_BYTES), size))
  const indexAt = tail ? size - TAIL_BYTES - tail.indexBytes : -1
  const indexPart = tail && indexAt >= 0 ? await read(indexAt, size - TAIL_BYTES) : NOTHING
  const index = tail && decodeIndex(indexPart, tail.indexCrc, range)
  const summary = head?.summary ?? index?.summary ?? null
  const codec = summary?.codec ?? PREFERRED_CODEC
  if (index) {
    const damage = head ? [] : ['its head is damaged']
    const last = index.blocks.at(-1)
    if (head && index.blocks[0]?.at !== head.bytes) damage.push('its blocks do not follow its head')
    if (last && last.at + last.bytes !== indexAt) damage.push('its index does not follow its blocks')
    const headBytes = headPart.subarray(0, index.blocks[0]?.at ?? 0)
    return {
      range,
      summary,
      codec,
      blocks: index.blocks,
      digest: tail?.digest ?? null,
      headBytes,
      indexBytes: indexPart,
      damage,
    }
  }
  const blocks = head ? await walkBlocks(read, { range, at: head.bytes, size }) : []
  const damage = [size === 0 ? 'it is missing or empty' : 'its index is damaged', ...(head ? [] : ['so is its head'])]
  return { range, summary, codec, blocks, digest: null, headBytes: NOTHING, indexBytes: NOTHING, damage }
}

/** A part of an object, cut at its end. */
export async function readPart(
  objects: ObjectsPort,
  key: string,
  part: { start: number; end: number; size: number },
): Promise<Uint8Array> {
  const end = Math.min(part.end, part.size)
  return part.start >= end ? NOTHING : ((await objects.read(key, { start: part.start, end })) ?? NOTHING)
}

/** The blocks as their own heads tell, up to the first that does not. */
async function walkBlocks(
  read: (start: number, end: number) => Promise<Uint8Array>,
  { range, at, size }: { range: ArchiveRange; at: number; size: number },
): Promise<BlockPlace[]> {
  const salt = saltOf(range)
  const blocks: BlockPlace[] = []
  let next = at
  while (next < size) {
    const header = readBlockHeader(await read(next, next + BLOCK_HEADER_BYTES), salt)
    const from = blocks.at(-1)?.to ?? range.first
    if (!header || header.index !== blocks.length || header.from !== from || header.to > range.end) break
    const bytes = BLOCK_HEADER_BYTES + header.bodyBytes
    blocks.push({ at: next, bytes, from, to: header.to })
    next += bytes
  }
  return blocks
}
