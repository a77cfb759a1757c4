import type { AnyEvent, EventDefinition, Registry } from '../../contracts/index.ts'
import { createId, Fault, type Limits } from '../../kernel/index.ts'
import type { Claim } from '../claims/index.ts'
import { findEnvelopeErrors, findPayloadErrors, findRepublishErrors } from '../registry/index.ts'

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
  /** CloudEvents extension attributes, such as `traceparent`. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>
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

/** Attributes that are not for whoever publishes to set as extensions: the event's own, the claim's, the delivery's. */
const OWN_ATTRIBUTES = new Set([
  ...['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'data', 'causedby'],
  ...['dataref', 'datasize', 'datadigest', 'replayid'],
])
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
  const definition = context.registry.get(event.type)
  const whole = { ...event.extensions, ...toEnvelope(event, context) }
  const errors = [
    ...findEnvelopeErrors(whole),
    ...checkSubject(event.subject, context.limits.hubKeyBytesMax),
    ...checkExtensions(event.extensions),
  ]
  if (!definition) {
    const detail = `expected a type of the registry, got ${show(event.type)}`
    return { ok: false, errors: [...errors.filter(({ path }) => path !== 'type'), { path: 'type', detail }] }
  }
  const { topic } = definition
  if (definition.data === null) {
    errors.push(...checkOpaque(event, definition))
    const draft = { topic, payload: event.payload ?? null, event: whole }
    return errors.length > 0 ? { ok: false, errors } : { ok: true, draft }
  }
  const checked = context.registry.check(event.type, event.data)
  if (!checked.ok) return { ok: false, errors: [...errors, ...checked.errors] }
  errors.push(...findRepublishErrors(context.registry, event.type, { given: event.data, checked: checked.data }))
  if (errors.length > 0) return { ok: false, errors }
  return { ok: true, draft: { topic, payload: null, event: { ...whole, data: checked.data } } }
}

function toEnvelope(event: NewEvent, { source, nowMs }: CheckContext): AnyEvent {
  return {
    specversion: '1.0',
    id: event.id ?? createId(nowMs),
    source: event.source ?? source,
    type: event.type,
    subject: event.subject,
    time: event.time ?? new Date(nowMs).toISOString(),
    datacontenttype: event.payload?.contentType ?? 'application/json',
    ...(event.causedby !== undefined && { causedby: event.causedby }),
  }
}

/** It is the log's key, too. */
function checkSubject(subject: unknown, bytesMax: number): readonly Found[] {
  const bytes = typeof subject === 'string' ? Buffer.byteLength(subject) : 0
  return bytes > bytesMax ? [{ path: 'subject', detail: `expected at most ${bytesMax} bytes, got ${bytes}` }] : []
}

function checkExtensions(extensions: NewEvent['extensions'] = {}): readonly Found[] {
  return Object.keys(extensions)
    .filter((name) => OWN_ATTRIBUTES.has(name))
    .map((path) => ({ path, detail: 'expected no extension of this name: the hub sets it' }))
}

function checkOpaque({ data, payload }: NewEvent, definition: EventDefinition): readonly Found[] {
  if (data !== undefined) return [{ path: 'data', detail: 'expected none: this type has an opaque payload' }]
  if (!payload) return [{ path: 'payload', detail: 'expected one: this type has an opaque payload, and no data' }]
  // The reference is yet to be made; what is left is whether the type may have such content.
  const referred = { datacontenttype: payload.contentType, dataref: '', datasize: 0, datadigest: '' }
  return findPayloadErrors(referred, definition)
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text
}
