import type { AnyEvent } from '../../contracts/index.ts'
import type { Row, Statement } from '../../engines/tables/index.ts'
import type { Item } from './item.ts'

/** Told when somebody else than the bus has parked something: a redriven dead letter. */
export const PARKED_CHANNEL = 'hub-parked'

/** Whose rows: those of an earlier subscription of its name are not. */
export type ParkedOf = { readonly name: string; readonly generation: number }

export type ParkedRow = {
  readonly deliveryId: string
  readonly key: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly replay: string | null
  readonly attempts: number
  readonly firstFailedAtMs: number | null
  readonly appendedAtMs: number
  readonly agedFromMs: number
  readonly reason: string | null
  readonly letter: string | null
  readonly claimRef: string | null
  readonly event: string
}

export function toParkedRow(item: Item): ParkedRow {
  const { deliveryId, key, position, replay, attempts, firstFailedAtMs, appendedAtMs, agedFromMs, letter, kept } = item
  return {
    deliveryId,
    key,
    ...position,
    replay,
    attempts,
    firstFailedAtMs,
    appendedAtMs,
    agedFromMs,
    letter,
    reason: null,
    claimRef: kept.dataref ?? null,
    event: toKeptText(kept),
  }
}

/** The mark of a replay is put on again when it is delivered. */
function toKeptText(event: AnyEvent): string {
  const { replayid: _, ...kept } = event
  return JSON.stringify(kept)
}

/**
 * Behind what is parked of its key already; due at `nextAtMs` if there is none. What is parked under its delivery id already stays as it
 * is: redelivered after a crash.
 */
export function insertStatement({ name, generation }: ParkedOf, row: ParkedRow, nextAtMs: number): Statement {
  return {
    sql: `INSERT INTO hub_parked (subscription, generation, delivery_id, seq, event_key, topic, partition_number, event_offset, replay,
        attempts, first_failed_at_ms, next_at_ms, appended_at_ms, aged_from_ms, reason, letter, claim_ref, event)
      VALUES (?, ?, ?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM hub_parked WHERE subscription = ? AND generation = ?), ?, ?, ?, ?, ?, ?, ?,
        CASE WHEN EXISTS (SELECT 1 FROM hub_parked WHERE subscription = ? AND generation = ? AND event_key = ?)
          THEN NULL ELSE CAST(? AS BIGINT) END, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (subscription, generation, delivery_id) DO NOTHING`,
    parameters: [
      ...[name, generation, row.deliveryId, name, generation],
      ...[row.key, row.topic, row.partition, row.offset, row.replay, row.attempts, row.firstFailedAtMs],
      ...[name, generation, row.key, nextAtMs],
      ...[row.appendedAtMs, row.agedFromMs, row.reason, row.letter, row.claimRef, row.event],
    ],
  }
}

export function retryStatement(
  { name, generation }: ParkedOf,
  row: Pick<ParkedRow, 'deliveryId' | 'attempts' | 'firstFailedAtMs' | 'reason'>,
  nextAtMs: number,
): Statement {
  return {
    sql: `UPDATE hub_parked SET attempts = ?, first_failed_at_ms = ?, reason = ?, next_at_ms = ?
      WHERE subscription = ? AND generation = ? AND delivery_id = ?`,
    parameters: [row.attempts, row.firstFailedAtMs, row.reason, nextAtMs, name, generation, row.deliveryId],
  }
}

/** Takes it away, and makes the next of its key due. */
export function removeStatements(
  { name, generation }: ParkedOf,
  { deliveryId, key }: Pick<Item, 'deliveryId' | 'key'>,
  nowMs: number,
): readonly Statement[] {
  return [
    {
      sql: 'DELETE FROM hub_parked WHERE subscription = ? AND generation = ? AND delivery_id = ?',
      parameters: [name, generation, deliveryId],
    },
    {
      sql: `UPDATE hub_parked SET next_at_ms = ? WHERE subscription = ? AND generation = ? AND event_key = ? AND next_at_ms IS NULL
        AND seq = (SELECT MIN(seq) FROM hub_parked WHERE subscription = ? AND generation = ? AND event_key = ?)`,
      parameters: [nowMs, name, generation, key, name, generation, key],
    },
  ]
}

/** Due, the longest first. */
export function dueStatement({ name, generation }: ParkedOf, options: { nowMs: number; max: number }): Statement {
  return {
    sql: `SELECT delivery_id, event_key, topic, partition_number, event_offset, replay, attempts, first_failed_at_ms,
        appended_at_ms, aged_from_ms, reason, letter, claim_ref, event
      FROM hub_parked WHERE subscription = ? AND generation = ? AND next_at_ms <= ? ORDER BY next_at_ms, seq LIMIT ?`,
    parameters: [name, generation, options.nowMs, options.max],
  }
}

export function keysStatement({ name, generation }: ParkedOf): Statement {
  return {
    sql: 'SELECT event_key, COUNT(*) AS events FROM hub_parked WHERE subscription = ? AND generation = ? GROUP BY event_key',
    parameters: [name, generation],
  }
}

export function parseParkedRow(row: Row): ParkedRow {
  const text = (column: string): string | null => (row[column] === null ? null : String(row[column]))
  const count = (column: string): number | null => (row[column] === null ? null : Number(row[column]))
  return {
    deliveryId: String(row['delivery_id']),
    key: String(row['event_key']),
    topic: String(row['topic']),
    partition: Number(row['partition_number']),
    offset: Number(row['event_offset']),
    replay: text('replay'),
    attempts: Number(row['attempts']),
    firstFailedAtMs: count('first_failed_at_ms'),
    appendedAtMs: Number(row['appended_at_ms']),
    agedFromMs: Number(row['aged_from_ms']),
    reason: text('reason'),
    letter: text('letter'),
    claimRef: text('claim_ref'),
    event: String(row['event']),
  }
}
