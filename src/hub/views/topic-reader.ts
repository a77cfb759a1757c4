import type { LogPort, LogRecord, LogSubscription } from '../../engines/log/index.ts'
import { Fault } from '../../kernel/index.ts'
import type { ArchiveReader } from '../archive/index.ts'
import type { PartitionOffsets } from './positions.ts'

/** One topic's records in order, each once: from the log, and what the log does not have from the archive. */
export type TopicReader = {
  /** Reads what the log has forgotten already, then follows it. */
  start(): Promise<void>
  /** The next offset to be applied, per partition, and of one. */
  next(): PartitionOffsets
  nextOf(partition: number): number
  lag(): number
  /** Infinity before it has started. */
  silentForMs(): number
  /** When the oldest record was appended that is not applied; null when all are. */
  oldestAtMs(): Promise<number | null>
  caughtUp(options: { timeoutMs: number }): Promise<void>
  close(): Promise<void>
}

export type TopicReaderOptions = {
  readonly log: LogPort
  readonly archive: Pick<ArchiveReader, 'read'> | undefined
  readonly topic: string
  readonly from: PartitionOffsets
  /** A rejection has the record come again. */
  readonly apply: (record: LogRecord) => void | Promise<void>
  /** After so many records. */
  readonly onBatch: (records: number) => void
  readonly closed: AbortSignal
}

export function createTopicReader(options: TopicReaderOptions): TopicReader {
  const { log, archive, topic, apply, onBatch, closed } = options
  const next: Record<number, number> = { ...options.from }
  let subscription: LogSubscription | null = null
  let turn: Promise<unknown> = Promise.resolve()

  /** One at a time: a batch of the log, and what is fetched from the archive. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  /** A promise only where `apply` made one: waiting for each record would halve the speed of a rebuild. */
  const take = (record: LogRecord): Promise<void> | null => {
    if (record.offset < nextOf(record.partition)) return null
    const done = (): void => {
      next[record.partition] = record.offset + 1
    }
    const applying = apply(record)
    if (applying) return applying.then(done)
    done()
    return null
  }
  const nextOf = (partition: number): number => next[partition] ?? 0

  /** From the archive, to before `until`. What is in neither is told by the archive's reader, and left out. */
  const fill = async (partition: number, until: number): Promise<void> => {
    const from = nextOf(partition)
    if (!archive || from >= until) return
    for await (const records of archive.read({ topic, partition, from, until, skipDamaged: true })) {
      if (closed.aborted) throw new Fault('closed', `the view was closed while it read topic ${topic}`)
      for (const record of records) {
        const taking = take(record)
        if (taking) await taking
      }
      onBatch(records.length)
    }
    next[partition] = Math.max(nextOf(partition), until)
  }
  const fillTo = async (offsets: PartitionOffsets): Promise<void> => {
    for (const [partition, until] of Object.entries(offsets)) await fill(Number(partition), until)
  }
  const onRecords = (records: readonly LogRecord[]): Promise<void> =>
    inTurn(async () => {
      for (const record of records) {
        // Trimmed before it was read here, or damaged; engines whose offsets have holes find nothing there.
        if (archive && record.offset > nextOf(record.partition)) await fill(record.partition, record.offset)
        const taking = take(record)
        if (taking) await taking
      }
      onBatch(records.length)
    })

  return {
    async start() {
      if (archive) {
        const bounds = Object.entries(await log.bounds(topic))
        await inTurn(() => fillTo(Object.fromEntries(bounds.map(([partition, { first }]) => [partition, first]))))
      }
      if (closed.aborted) return
      const start = Object.keys(next).length === 0 ? 'beginning' : { offsets: { ...next } }
      subscription = log.subscribe({ topic, start, onRecords })
    },
    next: () => ({ ...next }),
    nextOf,
    lag: () => subscription?.lag() ?? 0,
    silentForMs: () => subscription?.silentForMs() ?? Number.POSITIVE_INFINITY,
    async oldestAtMs() {
      if (!subscription || subscription.lag() === 0) return null
      const ends = Object.entries(subscription.position().end).map(([name, end]) => ({ partition: Number(name), end }))
      const behind = ends.filter(({ partition, end }) => nextOf(partition) < end)
      const records = await Promise.all(
        behind.map(({ partition }) => log.read({ topic, partition, from: nextOf(partition), max: 1 })),
      )
      const times = records.flat().map(({ appendedAtMs }) => appendedAtMs)
      return times.length === 0 ? null : Math.min(...times)
    },
    async caughtUp(wait) {
      await subscription?.caughtUp(wait)
      // The end of the log may have been trimmed, or be damaged, without a record behind it that shows.
      const handled = subscription?.position().next ?? {}
      await inTurn(() => fillTo(handled))
    },
    close: async () => {
      await subscription?.close()
      await turn
    },
  }
}
