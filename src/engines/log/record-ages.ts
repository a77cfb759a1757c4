import type { LogPort, LogRecord, LogSubscribe } from './port.ts'

/** Per partition, what was there already when the first record came. */
type Past = { readonly ends: Readonly<Record<number, number>>; readonly newestAtMs: number }

/**
 * To be given as `onRecords` by who reads a topic from its beginning and needs to know what is long past. `ageMs` is how long
 * before the last record that was there at the start a record was appended, by the clock of who appended both: one's own may
 * be wrong at the start and be put right later. What comes afterwards has no age. Where the last record cannot be read nothing
 * has one: to take the past for the present costs time, the other way round something is missed for good.
 */
export function withRecordAges(
  options: { readonly log: Pick<LogPort, 'bounds' | 'read'>; readonly topic: string },
  onRecord: (record: LogRecord, ageMs: number) => void,
): LogSubscribe['onRecords'] {
  let past: Past | null = null
  const deliver = (records: readonly LogRecord[], { ends, newestAtMs }: Past): void => {
    for (const record of records) {
      const isPast = record.offset < (ends[record.partition] ?? 0)
      onRecord(record, isPast ? Math.max(0, newestAtMs - record.appendedAtMs) : 0)
    }
  }
  return (records) => {
    if (past !== null) return deliver(records, past)
    return findPast(options)
      .catch((): Past => ({ ends: {}, newestAtMs: 0 }))
      .then((found) => {
        past = found
        deliver(records, found)
      })
  }
}

async function findPast({ log, topic }: Parameters<typeof withRecordAges>[0]): Promise<Past> {
  const partitions = Object.entries(await log.bounds(topic)).map(([name, { end }]) => ({
    partition: Number(name),
    end,
  }))
  const lasts = await Promise.all(
    partitions.map(({ partition, end }) =>
      end > 0 ? log.read({ topic, partition, from: end - 1, max: 1 }) : Promise.resolve([]),
    ),
  )
  return {
    ends: Object.fromEntries(partitions.map(({ partition, end }) => [partition, end])),
    newestAtMs: Math.max(0, ...lasts.flat().map(({ appendedAtMs }) => appendedAtMs)),
  }
}
