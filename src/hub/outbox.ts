import type { CloudEvent } from '../contracts/index.ts'
import type { Statement } from '../engines/tables/index.ts'
import { Fault } from '../kernel/index.ts'
import { topicOf } from './event.ts'

/** Name it in `notify` of the batch that carries outbox statements: the relay is woken by it. */
export const OUTBOX_CHANNEL = 'hub-outbox'

/** Larger events are refused here, where their maker hears of it, since a row the log refuses would hold up the relay. */
export const OUTBOX_EVENT_BYTES_MAX: number = 512 * 1024

/**
 * Statements that announce `events` if, and only if, the batch they are put in (last, with `notify: [OUTBOX_CHANNEL]`)
 * commits. Positions come from a counter row, so they rise in commit order in any engine; a plain identity column would
 * not promise that in PostgreSQL. Fault `event-too-large`.
 */
export function outboxStatements(events: readonly CloudEvent[]): Statement[] {
  if (events.length === 0) return []
  const inserts = events.map((event, index): Statement => {
    const text = JSON.stringify(event)
    if (Buffer.byteLength(text) > OUTBOX_EVENT_BYTES_MAX)
      throw new Fault(
        'event-too-large',
        `${event.type} of ${event.subject}: expected at most ${OUTBOX_EVENT_BYTES_MAX} bytes, got ${Buffer.byteLength(text)}; split it or put the bulk into an object`,
      )
    return {
      sql: `INSERT INTO hub_outbox (position, event_id, topic, event_key, event)
        SELECT value - ?, ?, ?, ?, ? FROM hub_sequences WHERE name = 'outbox'`,
      parameters: [events.length - 1 - index, event.id, topicOf(event.type), event.subject, text],
      expectRows: 1,
    }
  })
  return [
    {
      sql: "UPDATE hub_sequences SET value = value + ? WHERE name = 'outbox'",
      parameters: [events.length],
      expectRows: 1,
    },
    ...inserts,
  ]
}
