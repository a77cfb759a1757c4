import { describeError, type Limits, type Logger } from '../../kernel/index.ts'

export type SnapshotWriterLimits = Pick<Limits, 'hubViewSnapshotEvents' | 'hubViewSnapshotMs'>

/** Decides when snapshots are written, one at a time. */
export type SnapshotWriter = {
  /** So many more events are in the view. */
  applied(events: number): void
  /** Begins no more; one under way is awaited. */
  close(): Promise<void>
}

/** After `hubViewSnapshotEvents` events, or `hubViewSnapshotMs` after the first that is in none. A failure is told, and tried again after that time. */
export function createSnapshotWriter(options: {
  /** Takes what is to be written before it returns. */
  write: () => Promise<void>
  limits: SnapshotWriterLimits
  logger: Logger
}): SnapshotWriter {
  const { write, limits, logger } = options
  let pending = 0
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> | null = null
  let isFailing = false
  let isClosed = false

  const run = async (): Promise<void> => {
    const events = pending
    pending = 0
    try {
      await write()
      isFailing = false
    } catch (error) {
      isFailing = true
      pending += events
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
    if (isClosed || writing || pending === 0) return
    if (pending >= limits.hubViewSnapshotEvents && !isFailing) begin()
    else timer ??= setTimeout(begin, limits.hubViewSnapshotMs)
  }

  return {
    applied(events) {
      pending += events
      schedule()
    },
    async close() {
      isClosed = true
      if (timer) clearTimeout(timer)
      await writing
    },
  }
}
