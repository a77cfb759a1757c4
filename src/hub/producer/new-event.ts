import type { AnyEvent, EventDefinition, Registry } from '../../contracts/index.ts'
import { createId, Fault, type Limits } from '../../kernel/index.ts'
import type { Claim } from '../claims/index.ts'

/** What somebody asks to be published. */
export type NewEvent = {
  /** Of the registry, version included. */
  readonly type: string
  /** What it is about; events of one subject keep their order. */
  readonly subject: string
  /** Either this, */
  readonly data?: unknown
  /**
   * or a payload: what an opaque type has, or the data of any other type as JSON. A claim is passed on as it is: something
   * on the log refers to it already.
   */
  readonly payload?: NewPayload
  /** Given by whoever must be able to say the same thing twice without effect; else a fresh UUIDv7. */
  readonly id?: string
  /** Else the producer's own. */
  readonly source?: string
  /** RFC 3339; else now. */
  readonly time?: string
  readonly causedby?: string
}
export type NewPayload = {
  readonly body: Uint8Array | ReadableStream<Uint8Array> | Claim
  readonly contentType: string
}

/** `path` is parted by dots, from the event on: `data.source.bytes`. */
export type EventError = { readonly index: number; readonly path: string; readonly detail: string }

/** An event that passed, with its data whole in it, or none yet where its payload is opaque. */
export type Draft = {
  readonly topic: string
  readonly event: AnyEvent
  readonly payload: NewPayload | null
}

export type CheckContext = {
  readonly registry: Registry
  readonly source: string
  readonly nowMs: number
  readonly limits: Pick<Limits, 'hubKeyBytesMax'>
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}(\s*;[ -~]{1,200})?$/
const ERRORS_MAX = 100

/** All of them as drafts. Fault `event-invalid`, whose `detail.errors` names each field at fault (of the first hundred). */
export function checkNewEvents(events: readonly NewEvent[], context: CheckContext): readonly Draft[] {
  const drafts: Draft[] = []
  const errors: EventError[] = []
  for (const [index, event] of events.entries()) {
    const checked = checkNewEvent(event, context)
    if (checked.ok) drafts.push(checked.draft)
    else for (const error of checked.errors) errors.push({ index, ...error })
    if (errors.length >= ERRORS_MAX) break
  }
  if (errors.length > 0) throw toInvalid(errors.slice(0, ERRORS_MAX))
  return drafts
}

export function toInvalid(errors: readonly EventError[]): Fault {
  const sentences = errors.map(({ index, path, detail }) => `events.${index}.${path}: ${detail}`)
  return new Fault('event-invalid', `${sentences.slice(0, 10).join('; ')}; nothing was published`, {
    detail: { errors },
  })
}

type Found = Omit<EventError, 'index'>
type Checked = { readonly ok: true; readonly draft: Draft } | { readonly ok: false; readonly errors: readonly Found[] }

function checkNewEvent(event: NewEvent, context: CheckContext): Checked {
  const errors = checkAttributes(event, context.limits.hubKeyBytesMax)
  const definition = typeof event.type === 'string' ? context.registry.get(event.type) : undefined
  if (!definition) {
    const detail = `expected a type of the registry, got ${JSON.stringify(event.type) ?? 'nothing'}`
    return { ok: false, errors: [...errors, { path: 'type', detail }] }
  }
  if (definition.data === null) {
    errors.push(...checkOpaque(event, definition))
    return errors.length > 0 ? { ok: false, errors } : { ok: true, draft: toDraft(event, definition, context) }
  }
  const checked = context.registry.check(event.type, event.data)
  if (!checked.ok) errors.push(...checked.errors)
  if (errors.length > 0 || !checked.ok) return { ok: false, errors }
  return { ok: true, draft: toDraft({ ...event, data: checked.data }, definition, context) }
}

function checkAttributes(event: NewEvent, bytesMax: number): Found[] {
  const errors: Found[] = []
  const { subject, id, source, causedby, time } = event
  for (const [path, value] of Object.entries({ subject, id, source, causedby })) {
    if (value === undefined && path !== 'subject') continue
    if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= bytesMax) continue
    errors.push({ path, detail: `expected a text of 1 to ${bytesMax} bytes, got ${show(value)}` })
  }
  if (time !== undefined && !(DATE_TIME.test(time) && Number.isFinite(Date.parse(time))))
    errors.push({ path: 'time', detail: `expected a time as RFC 3339 has them, got ${show(time)}` })
  return errors
}

function checkOpaque({ data, payload }: NewEvent, { contentTypes }: EventDefinition): readonly Found[] {
  if (data !== undefined) return [{ path: 'data', detail: 'expected none: this type has an opaque payload' }]
  if (!payload) return [{ path: 'payload', detail: 'expected one: this type has an opaque payload, and no data' }]
  const { contentType } = payload
  if (!MEDIA_TYPE.test(contentType))
    return [{ path: 'datacontenttype', detail: `expected a media type, got ${show(contentType)}` }]
  const essence = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!contentTypes || contentTypes.includes(essence)) return []
  return [{ path: 'datacontenttype', detail: `expected one of ${contentTypes.join(', ')}, got ${show(essence)}` }]
}

function toDraft(event: NewEvent, { topic, data }: EventDefinition, { source, nowMs }: CheckContext): Draft {
  const opaque = data === null
  return {
    topic,
    payload: opaque ? (event.payload ?? null) : null,
    event: {
      specversion: '1.0',
      id: event.id ?? createId(nowMs),
      source: event.source ?? source,
      type: event.type,
      subject: event.subject,
      time: event.time ?? new Date(nowMs).toISOString(),
      datacontenttype: opaque ? (event.payload?.contentType ?? '') : 'application/json',
      ...(event.causedby !== undefined && { causedby: event.causedby }),
      ...(!opaque && { data: event.data }),
    },
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
}
