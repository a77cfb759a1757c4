import { describeError, type Limits, type Logger } from '../../kernel/index.ts'

export type SnapshotWriterLimits = Pick<Limits, 'hubViewSnapshotEvents' | 'hubViewSnapshotMs'>

/** Decides when snapshots are written, one at a time. */
export type SnapshotWriter = {
  /** The view has passed so many more records of its topics, and so many events in them changed it. */
  passed(records: number, applied: number): void
  /** Begins no more; one under way is awaited. */
  close(): Promise<void>
}

/**
 * After `hubViewSnapshotEvents` records, which is the tail that a start has to read, or `hubViewSnapshotMs` after the first change
 * that is in none. A failure is told, and tried again after that time.
 */
export function createSnapshotWriter(options: {
  /** Takes what is to be written before it returns. */
  write: () => Promise<void>
  limits: SnapshotWriterLimits
  logger: Logger
}): SnapshotWriter {
  const { write, limits, logger } = options
  let records = 0
  let applied = 0
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> | null = null
  let isFailing = false
  let isClosed = false

  const run = async (): Promise<void> => {
    const taken = { records, applied }
    records = 0
    applied = 0
    try {
      await write()
      isFailing = false
    } catch (error) {
      isFailing = true
      records += taken.records
      applied += taken.applied
      logger.error('a snapshot of a view could not be written; tried again later', {
        error: describeError(error),
        inMs: limits.hubViewSnapshotMs,
      })
    }
    writing = null
    schedule()
  }
  const begin = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    writing = run()
  }
  const schedule = (): void => {
    if (isClosed || writing) return
    const isFull = records >= limits.hubViewSnapshotEvents
    if (isFull && !isFailing) begin()
    else if (isFull || applied > 0) timer ??= setTimeout(begin, limits.hubViewSnapshotMs)
  }

  return {
    passed(moreRecords, moreApplied) {
      records += moreRecords
      applied += moreApplied
      schedule()
    },
    async close() {
      isClosed = true
      if (timer) clearTimeout(timer)
      await writing
    },
  }
}
