import { createHash } from 'node:crypto'
import { type CloudEvent, type DeadLetter, toPositionText } from '../../../contracts/index.ts'
import type { Row, SqlValue, Statement } from '../../../engines/tables/index.ts'
import { Fault } from '../../../kernel/index.ts'
import type { Claim } from '../../claims/claim.ts'
import { toEvent } from '../../event.ts'
import type { NewDeadLetter } from '../dead-letter.ts'
import type { ParkedOf } from '../parked-rows.ts'

/** A letter, with what a delivery needs to be tried again. */
export type LetterToAdd = NewDeadLetter & {
  readonly deliveryId?: string
  readonly replay?: string | null
  /** Of the record; for a pipe's letter the time it died serves. */
  readonly appendedAtMs?: number
  /** The claim that an event in `payload` names. */
  readonly claimRef?: string | null
}

/** Violates the primary key when the letter is there already, whatever has become of it. */
export function insertLetterStatement(letter: LetterToAdd, nowMs: number): Statement {
  const { payload } = letter
  const claim = payload instanceof Uint8Array ? null : payload
  return {
    sql: `INSERT INTO hub_dead_letters (id, kind, name, generation, event_id, type, event_key, topic, partition_number, event_offset,
        code, reason, path, attempts, bytes, first_failed_at_ms, dead_at_ms, state, headers, payload, claim_ref, claim,
        delivery_id, replay, appended_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?)`,
    parameters: [
      ...[letter.id, letter.kind, letter.name, letter.generation ?? null, letter.eventId, letter.type, letter.key],
      ...[letter.position.topic, letter.position.partition, letter.position.offset],
      ...[letter.code, letter.reason, letter.path, letter.attempts],
      claim?.size ?? (payload as Uint8Array).byteLength, // one of the two
      ...[letter.firstFailedAtMs, nowMs, JSON.stringify(letter.headers)],
      claim ? null : (payload as Uint8Array),
      claim?.ref ?? letter.claimRef ?? null,
      claim ? JSON.stringify(claim) : null,
      ...[letter.deliveryId ?? null, letter.replay ?? null, letter.appendedAtMs ?? nowMs],
    ],
    expectRows: 1,
  }
}

/** The same for the same delivery; another one when it was redriven from a letter and died again. */
export function toLetterId(of: ParkedOf, deliveryId: string, redrivenFrom: string | null): string {
  return createHash('sha256')
    .update(JSON.stringify([of.name, of.generation, deliveryId, redrivenFrom]))
    .digest('hex')
    .slice(0, ID_DIGITS)
}

const ID_DIGITS = 32
const ANNOUNCEMENT = 'tentpole.delivery.dead.v1'

/**
 * What is said of a letter. Nothing of the death of such an announcement itself: a subscription that fails at these would
 * never come to an end.
 */
export function toAnnouncements(letter: LetterToAdd): readonly CloudEvent[] {
  if (letter.type === ANNOUNCEMENT || letter.eventId === null || letter.type === null) return []
  const data = {
    letterId: letter.id,
    subscription: letter.name,
    eventId: letter.eventId,
    eventType: letter.type,
    position: toPositionText(letter.position),
    code: letter.code,
    reason: letter.reason,
    attempts: letter.attempts,
  }
  return [toEvent(ANNOUNCEMENT, letter.name, data, { source: 'bus' })]
}

export const LETTER_COLUMNS =
  'id, kind, name, event_id, type, event_key, topic, partition_number, event_offset, code, reason, path, attempts, bytes, first_failed_at_ms, dead_at_ms, state'

export function toDeadLetter(row: Row): DeadLetter {
  const text = (column: string): string | null => (row[column] === null ? null : String(row[column]))
  const position = {
    topic: String(row['topic']),
    partition: Number(row['partition_number']),
    offset: Number(row['event_offset']),
  }
  return {
    id: String(row['id']),
    kind: row['kind'] === 'pipe' ? 'pipe' : 'delivery',
    name: String(row['name']),
    eventId: text('event_id'),
    type: text('type'),
    key: String(row['event_key']),
    position: toPositionText(position),
    code: String(row['code']),
    reason: String(row['reason']),
    path: text('path'),
    attempts: Number(row['attempts']),
    bytes: Number(row['bytes']),
    firstFailedAtMs: Number(row['first_failed_at_ms']),
    deadAtMs: Number(row['dead_at_ms']),
    state: toState(row['state'] ?? null),
  }
}

function toState(value: SqlValue): DeadLetter['state'] {
  if (value === 'open' || value === 'redriven' || value === 'discarded') return value
  throw new Fault('tables-damaged', `expected the state of a dead letter, got ${JSON.stringify(value)}`)
}

/** What a letter holds: bytes, or the claim on them. */
export function toPayload(row: Row): Uint8Array | Claim {
  const { payload, claim } = row
  if (payload instanceof Uint8Array) return payload
  return JSON.parse(String(claim)) as Claim // written by insertLetterStatement
}
