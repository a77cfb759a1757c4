import type { z } from 'zod'
import { type CloudEvent, EVENTS, type EventType } from '../contracts/index.ts'
import { createId, Fault } from '../kernel/index.ts'
import { decodeRecord, parseEvent, platformRegistry } from './registry/index.ts'

export type EventOrigin = {
  /** CloudEvents `source`: the process that says it, such as `cell-a`. */
  readonly source: string
  /** Given by whoever must be able to say the same thing twice without effect; else a fresh UUIDv7. */
  readonly id?: string
  readonly nowMs?: number
}

/**
 * An event of the platform whose data has passed its schema (what the schema does not know is dropped). Fault
 * `event-invalid`, with the path of each field at fault in the message and in `detail.errors`.
 */
export function toEvent<T extends EventType>(
  type: T,
  subject: string,
  data: z.input<(typeof EVENTS)[T]['data']>,
  origin: EventOrigin,
): CloudEvent<T> {
  const nowMs = origin.nowMs ?? Date.now()
  return parseEvent(platformRegistry, {
    specversion: '1.0',
    id: origin.id ?? createId(nowMs),
    source: origin.source,
    type,
    subject,
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
    data,
  }) as unknown as CloudEvent<T> // checked against the schema of just this type, which TypeScript cannot follow
}

export function encodeEvent(event: CloudEvent): Uint8Array {
  return Buffer.from(JSON.stringify(event))
}

export function topicOf(type: EventType): string {
  return EVENTS[type].topic
}

/**
 * The platform's event in a log record, envelope and data checked, in its newest version. Faults: `event-invalid` says
 * what is wrong and where; `event-unknown` when the type is none of ours, which a reader skips: a newer release may
 * write it, or a user's hub module.
 */
export function decodeEvent(record: { readonly value: Uint8Array }): CloudEvent {
  const event = decodeRecord(platformRegistry, record)
  if (event.dataref !== undefined)
    throw new Fault(
      'event-invalid',
      `${event.type}: data: expected it in the event, got a reference to ${event.dataref}`,
    )
  return event as unknown as CloudEvent // checked against the schema of just this type
}
