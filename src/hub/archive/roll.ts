import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { Fault, type Limits } from '../../kernel/index.ts'
import { PREFERRED_CODEC } from './compression.ts'
import type { ArchiveSummary } from './format.ts'
import { type ArchiveRange, toArchiveKey } from './key.ts'
import { verifyArchive } from './read-object.ts'
import type { Survey } from './survey.ts'
import { toStream, writeArchive } from './write.ts'

const READ_RECORDS = 512

export type RollPorts = {
  readonly log: Pick<LogPort, 'read'>
  readonly objects: ObjectsPort
  readonly limits: Pick<Limits, 'hubArchiveBlockBytes' | 'logRecordBytesMax'>
  /** Called between blocks and before a damaged object is deleted; what it throws ends the work, and no object is left of it. */
  readonly onBlock: () => Promise<void>
}

/**
 * Makes an object of the surveyed records and reads it back. An object that is there already (of an archiver that died, or
 * of another) is read as well and kept if it is whole; a damaged one makes room for a new one, as the log still has the records.
 */
export async function rollArchive(
  at: { readonly topic: string; readonly partition: number },
  survey: Survey,
  ports: RollPorts,
): Promise<ArchiveRange> {
  const { topic, partition } = at
  const range: ArchiveRange = { topic, partition, first: survey.from, end: survey.to }
  const { records, bytes, earliestMs, latestMs } = survey
  const summary: ArchiveSummary = { version: 1, codec: PREFERRED_CODEC, ...range, records, bytes, earliestMs, latestMs }
  const { objects, limits } = ports
  for (let attempt = 1; ; attempt++) {
    const chunks = writeArchive(readRange(range, ports), summary, limits.hubArchiveBlockBytes)
    await objects.put(toArchiveKey(range), toStream(chunks))
    const damage = await verifyArchive({ objects, range, limits })
    if (damage === null) return range
    // Another archiver may have made it, and good, since.
    await ports.onBlock()
    await objects.delete(toArchiveKey(range))
    if (attempt === 2)
      throw new Fault(
        'archive-damaged',
        `${toArchiveKey(range)} does not read back as it was written, twice: ${damage}; check the disk of the objects`,
        { detail: { ...range } },
      )
  }
}

/** The log's records of a range, batch by batch. */
async function* readRange(range: ArchiveRange, { log, onBlock }: RollPorts): AsyncGenerator<readonly LogRecord[]> {
  const { topic, partition } = range
  for (let from = range.first; from < range.end; ) {
    await onBlock()
    const records = await log.read({ topic, partition, from, max: READ_RECORDS })
    const last = records.at(-1)
    if (!last) return
    yield records.filter(({ offset }) => offset < range.end)
    from = last.offset + 1
  }
}
