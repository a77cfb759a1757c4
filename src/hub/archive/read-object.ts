import type { LogRecord } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import type { Limits } from '../../kernel/index.ts'
import { decodeBlock, saltOf } from './block.ts'
import { createDigest } from './format.ts'
import { type ArchiveRange, toArchiveKey } from './key.ts'
import { type OpenedArchive, openArchive, readPart } from './open.ts'

/** What an object gives, in order: records, or which are lost. `from` equals `to` where it is damaged and no record is lost. */
export type ArchivePiece =
  | { readonly kind: 'records'; readonly records: readonly LogRecord[]; readonly next: number }
  | { readonly kind: 'lost'; readonly from: number; readonly to: number; readonly reason: string }

export type ReadArchiveOptions = {
  readonly objects: ObjectsPort
  readonly range: ArchiveRange
  readonly limits: Pick<Limits, 'hubArchiveBlockBytes' | 'logRecordBytesMax'>
}

/** Key and headers of a record, and what a block adds to it. */
const RECORD_EXTRA_BYTES_MAX = 512 * 1024

/** The records of one object from offset `from` on; a block is verified before one of its records is given, the whole where all of it is read. */
export async function* readArchive(options: ReadArchiveOptions, from: number): AsyncGenerator<ArchivePiece> {
  const { objects, range, limits } = options
  const opened = await openArchive(objects, range)
  const { blocks, codec } = opened
  const rawBytesMax = limits.hubArchiveBlockBytes + limits.logRecordBytesMax + RECORD_EXTRA_BYTES_MAX
  const key = toArchiveKey(range)
  const salt = saltOf(range)
  const digest = createDigest()
  digest.add(opened.headBytes)
  let isWhole = from <= range.first
  let next = Math.max(from, range.first)
  for (const [index, { at, bytes, from: blockFrom, to }] of blocks.entries()) {
    if (to <= next) continue
    const block = await readBlock(objects, key, { at, bytes, bytesMax: 2 * rawBytesMax })
    digest.add(block)
    const expected = { index, from: blockFrom, to, salt, codec, rawBytesMax }
    const records = await decodeBlock(block, expected, range)
    if (records) {
      yield { kind: 'records', records: records.filter(({ offset }) => offset >= next), next: to }
    } else {
      isWhole = false
      yield { kind: 'lost', from: next, to, reason: `block ${index} is damaged` }
    }
    next = to
  }
  if (next < range.end) yield { kind: 'lost', from: next, to: range.end, reason: opened.damage.join(', ') }
  else if (isWhole) yield* checkWhole(opened, digest)
}

/** Damage that no block told of. */
function* checkWhole(opened: OpenedArchive, digest: ReturnType<typeof createDigest>): Generator<ArchivePiece> {
  const { range, damage, indexBytes } = opened
  digest.add(indexBytes)
  const isGood = opened.digest !== null && Buffer.from(digest.done()).equals(opened.digest)
  if (damage.length === 0 && isGood) return
  const reason = damage.length > 0 ? damage.join(', ') : 'its digest does not hold'
  yield { kind: 'lost', from: range.end, to: range.end, reason }
}

/** Empty when it claims to be larger than any block: nothing is to be allocated on a damaged number's word. */
async function readBlock(
  objects: ObjectsPort,
  key: string,
  { at, bytes, bytesMax }: { at: number; bytes: number; bytesMax: number },
): Promise<Uint8Array> {
  if (bytes > bytesMax) return new Uint8Array(0)
  const size = (await objects.head(key))?.sizeBytes ?? 0
  return readPart(objects, key, { start: at, end: at + bytes, size })
}

/** Reads all of an object; what is wrong with it, for people, or null. */
export async function verifyArchive(options: ReadArchiveOptions): Promise<string | null> {
  for await (const piece of readArchive(options, options.range.first)) if (piece.kind === 'lost') return piece.reason
  return null
}
