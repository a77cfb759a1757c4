import type { z } from 'zod'
import { type CloudEvent, EVENTS, type EventData, type EventType } from '../contracts/index.ts'
import { createId, Fault } from '../kernel/index.ts'

export type EventOrigin = {
  /** CloudEvents `source`: the process that says it, such as `cell-a`. */
  readonly source: string
  /** Given by whoever must be able to say the same thing twice without effect; else a fresh UUIDv7. */
  readonly id?: string
  readonly nowMs?: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * An event whose data has passed its schema (what the schema does not know is dropped). Fault `event-invalid`, with the
 * path of each field at fault in the message and in `detail.errors`.
 */
export function toEvent<T extends EventType>(
  type: T,
  subject: string,
  data: z.input<(typeof EVENTS)[T]['data']>,
  origin: EventOrigin,
): CloudEvent<T> {
  if (subject === '') throw new Fault('event-invalid', `${type}: subject: expected the id of what it is about, got ""`)
  const nowMs = origin.nowMs ?? Date.now()
  return {
    specversion: '1.0',
    id: origin.id ?? createId(nowMs),
    source: origin.source,
    type,
    subject,
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
    data: checkData(type, data),
  } as unknown as CloudEvent<T> // CloudEvent is a conditional type, which TypeScript cannot follow through a generic
}

export function encodeEvent(event: CloudEvent): Uint8Array {
  return Buffer.from(JSON.stringify(event))
}

export function topicOf(type: EventType): string {
  return EVENTS[type].topic
}

/**
 * The event in a log record, envelope and data checked. Faults: `event-invalid` says what is wrong and where;
 * `event-unknown` when the type is none of ours, which a reader skips: a newer release may write it.
 */
export function decodeEvent(record: { readonly value: Uint8Array }): CloudEvent {
  const event = parseEnvelope(record.value)
  const data = checkData(event.type, event.data)
  return { ...event, data } as unknown as CloudEvent // checked against the schema of just this type
}

function parseEnvelope(value: Uint8Array): Envelope {
  let parsed: unknown
  try {
    parsed = JSON.parse(decoder.decode(value))
  } catch (cause) {
    throw new Fault('event-invalid', `expected a CloudEvent as JSON, got ${value.byteLength} bytes that are not`, {
      cause,
    })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Fault('event-invalid', 'expected a CloudEvent as a JSON object')
  const event = parsed as Record<string, unknown>
  for (const field of ['id', 'source', 'type', 'subject', 'time'] as const) {
    if (typeof event[field] !== 'string' || event[field] === '')
      throw new Fault(
        'event-invalid',
        `${field}: expected a non-empty string, got ${JSON.stringify(event[field]) ?? 'nothing'}`,
      )
  }
  if (event['specversion'] !== '1.0')
    throw new Fault('event-invalid', `specversion: expected "1.0", got ${JSON.stringify(event['specversion'])}`)
  if (!Object.hasOwn(EVENTS, event['type'] as string))
    throw new Fault('event-unknown', `type: ${JSON.stringify(event['type'])} is no event this release knows`)
  return event as Envelope
}

type Envelope = Record<string, unknown> & { type: EventType; data: unknown }

function checkData<T extends EventType>(type: T, data: unknown): EventData<T> {
  const schema: z.ZodType = EVENTS[type].data
  const checked = schema.safeParse(data)
  if (checked.success) return checked.data as EventData<T>
  const errors = checked.error.issues.map((issue) => ({
    path: ['data', ...issue.path].join('.'),
    detail: issue.message,
  }))
  throw new Fault('event-invalid', `${type}: ${errors.map((error) => `${error.path}: ${error.detail}`).join('; ')}`, {
    detail: { type, errors },
  })
}
