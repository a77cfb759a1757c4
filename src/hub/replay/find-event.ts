import type { EventPosition } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import { type Clock, type Limits, systemClock } from '../../kernel/index.ts'
import type { ArchiveReader } from '../archive/index.ts'

export type EventFound = { readonly position: EventPosition; readonly record: LogRecord }
export type EventSearch = {
  readonly found: EventFound | null
  /** False when the limits ended the search before everything had been read: it may be there nevertheless. */
  readonly complete: boolean
  readonly recordsRead: number
}

export type FindEvent = (id: string) => Promise<EventSearch>

/**
 * Finds an event by its id in log and archive. A UUIDv7 says when it was made, and is looked for around that time first;
 * another id, or one that was appended much later, needs a look at everything, up to `hubSearchRecordsMax` and `hubSearchMs`.
 */
export function createFindEvent(options: {
  reader: ArchiveReader
  topics: readonly string[]
  limits: Pick<Limits, 'hubSearchSkewMs' | 'hubSearchRecordsMax' | 'hubSearchMs'>
  clock?: Clock
}): FindEvent {
  const { reader, topics, limits, clock = systemClock } = options

  const scan = async (id: string, budget: Budget, range: TimeRange): Promise<EventFound | null> => {
    for (const topic of topics)
      for (const name of Object.keys(await reader.bounds(topic))) {
        const wanted = { topic, partition: Number(name), skipDamaged: true, ...range }
        for await (const records of reader.read(wanted)) {
          const record = records.find((one) => isEvent(one, id))
          if (record) return { position: toPosition(record), record }
          budget.recordsRead += records.length
          if (budget.recordsRead >= limits.hubSearchRecordsMax || clock.elapsedMs() >= budget.deadlineMs) {
            budget.isSpent = true
            return null
          }
        }
      }
    return null
  }

  return async (id) => {
    const budget = { recordsRead: 0, deadlineMs: clock.elapsedMs() + limits.hubSearchMs, isSpent: false }
    const madeAtMs = timeOf(id)
    const skewMs = limits.hubSearchSkewMs
    const near = madeAtMs === null ? null : { fromMs: madeAtMs - skewMs, toMs: madeAtMs + skewMs }
    let found = near && (await scan(id, budget, near))
    if (!found && !budget.isSpent) found = await scan(id, budget, {})
    return { found, complete: found !== null || !budget.isSpent, recordsRead: budget.recordsRead }
  }
}

type Budget = { recordsRead: number; readonly deadlineMs: number; isSpent: boolean }
type TimeRange = { readonly fromMs?: number; readonly toMs?: number }

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/** When a UUIDv7 was made (RFC 9562, 5.7), ms since 1970; null for any other id. */
export function timeOf(id: string): number | null {
  const [, high, low] = UUID_V7.exec(id) ?? []
  return high === undefined ? null : Number.parseInt(`${high}${low}`, 16)
}

/** Few records hold the id's bytes at all, so few are parsed. */
function isEvent({ value }: LogRecord, id: string): boolean {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (!bytes.includes(id)) return false
  try {
    const event: unknown = JSON.parse(bytes.toString())
    return typeof event === 'object' && event !== null && 'id' in event && event.id === id
  } catch {
    return false
  }
}

const toPosition = ({ topic, partition, offset }: LogRecord): EventPosition => ({ topic, partition, offset })
