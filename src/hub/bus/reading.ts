import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import type { Logger } from '../../kernel/index.ts'
import type { Cursor } from './cursor.ts'
import { lostUntil } from './start-offsets.ts'

/** What the log has forgotten and something else remembers: the archive. */
export type Past = {
  read(options: {
    readonly topic: string
    readonly partition: number
    readonly from: number
    /** To before which offset. */
    readonly until: number
    /** What is lost is told and passed over. */
    readonly skipDamaged: true
  }): AsyncGenerator<readonly LogRecord[]>
}

/** Reads at the cursors of one subscription: from the log, or from what is older than the log. */
export type Reading = {
  /** The next records; none at the end. */
  read(cursor: Cursor): Promise<readonly LogRecord[]>
  close(): Promise<void>
}

type OpenPast = { readonly generator: AsyncGenerator<readonly LogRecord[]>; batch: readonly LogRecord[] }

export function createReading(options: {
  log: Pick<LogPort, 'read'>
  past: Past | null
  recordsMax: number
  logger: Logger
}): Reading {
  const { log, past, recordsMax, logger } = options
  /** Kept open between two reads: an archive is read from front to back. */
  const open = new Map<Cursor, OpenPast>()

  const tellLost = ({ topic, partition, next: from }: Cursor, to: number): void =>
    logger.error('a subscription skips lost records', { topic, partition, from, to })

  const readLog = async (cursor: Cursor): Promise<readonly LogRecord[]> => {
    const { topic, partition, next: from } = cursor
    try {
      return await log.read({ topic, partition, from, max: recordsMax })
    } catch (error) {
      const next = lostUntil(error)
      if (next === null) throw error
      tellLost(cursor, next)
      cursor.next = next
      return readLog(cursor)
    }
  }
  const readPast = async (cursor: Cursor, { generator, batch }: OpenPast): Promise<readonly LogRecord[]> => {
    // There may have been no room for all of it.
    const left = batch.filter(({ offset }) => offset >= cursor.next)
    if (left.length > 0) return left
    const next = await generator.next()
    if (next.done) {
      open.delete(cursor)
      return []
    }
    open.set(cursor, { generator, batch: next.value })
    return next.value
  }

  return {
    async read(cursor) {
      const isOpen = open.get(cursor)
      const older = isOpen ? await readPast(cursor, isOpen) : []
      if (older.length > 0) return older
      const records = await readLog(cursor)
      const first = records[0]?.offset ?? cursor.next
      if (first <= cursor.next) return records
      const { topic, partition, next: from } = cursor
      const generator = past?.read({ topic, partition, from, until: first, skipDamaged: true })
      const found = generator ? await readPast(cursor, { generator, batch: [] }) : []
      if (found.length > 0) return found
      tellLost(cursor, first)
      return records
    },
    async close() {
      for (const { generator } of open.values()) await generator.return(undefined)
      open.clear()
    },
  }
}
