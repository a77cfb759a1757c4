import type { BatchResult, Statement } from '../engines/tables/index.ts'

/** Where the inbox statement belongs in its batch: first, so that a repeat is told apart from any other broken constraint. */
export const INBOX_STATEMENT_INDEX = 0

/**
 * Put it first in the batch that is the effect of an event: the batch then happens at most once per `group` and event,
 * however often the event is delivered. Check the answer with `isInboxRepeat`.
 */
export function inboxStatement(group: string, eventId: string): Statement {
  return {
    sql: 'INSERT INTO hub_inbox (subscriber, event_id, handled_at_ms) VALUES (?, ?, ?)',
    parameters: [group, eventId, Date.now()],
    expectRows: 1,
  }
}

/** True when a batch that began with `inboxStatement` did nothing because the event had its effect before: a success for the handler. */
export function isInboxRepeat(result: BatchResult): boolean {
  return !result.ok && result.code === 'constraint' && result.statement === INBOX_STATEMENT_INDEX
}
