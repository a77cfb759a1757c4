import type { LogRecord } from '../../engines/log/index.ts'
import { Fault } from '../../kernel/index.ts'
import { encodeBlock, measureRecord, saltOf } from './block.ts'
import { type ArchiveSummary, type BlockPlace, createDigest, encodeHead, encodeIndex, encodeTail } from './format.ts'

type Block = { readonly records: readonly LogRecord[]; readonly from: number; readonly to: number }

/**
 * The bytes of an archive object, made as its records come: one block of them is in memory at a time. Fault
 * `archive-changed` when they are not the ones that the summary was made from.
 */
export async function* writeArchive(
  batches: AsyncIterable<readonly LogRecord[]>,
  summary: ArchiveSummary,
  blockBytes: number,
): AsyncGenerator<Uint8Array> {
  const digest = createDigest()
  const salt = saltOf(summary)
  const blocks: BlockPlace[] = []
  let at = 0
  let records = 0
  const add = (bytes: Uint8Array): Uint8Array => {
    digest.add(bytes)
    at += bytes.byteLength
    return bytes
  }
  yield add(encodeHead(summary))
  for await (const { records: of, from, to } of toBlocks(batches, summary, blockBytes)) {
    const bytes = await encodeBlock(of, { index: blocks.length, from, to, salt, codec: summary.codec })
    blocks.push({ at, bytes: bytes.byteLength, from, to })
    records += of.length
    yield add(bytes)
  }
  if (records !== summary.records)
    throw new Fault(
      'archive-changed',
      `topic ${summary.topic}: expected ${summary.records} records from ${summary.first} to before ${summary.end}, got ${records}; it is tried again`,
    )
  const index = encodeIndex({ summary, blocks })
  yield add(index)
  yield encodeTail(index, digest.done())
}

/** Records in portions of about `blockBytes`, which together cover the range without a hole. */
async function* toBlocks(
  batches: AsyncIterable<readonly LogRecord[]>,
  range: { first: number; end: number },
  blockBytes: number,
): AsyncGenerator<Block> {
  let records: LogRecord[] = []
  let bytes = 0
  let from = range.first
  for await (const batch of batches)
    for (const record of batch) {
      const recordBytes = measureRecord(record)
      if (records.length > 0 && bytes + recordBytes > blockBytes) {
        yield { records, from, to: record.offset }
        from = record.offset
        records = []
        bytes = 0
      }
      records.push(record)
      bytes += recordBytes
    }
  if (records.length > 0) yield { records, from, to: range.end }
}

/** As a stream that is pulled: nothing is made before it is wanted. */
export function toStream(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
