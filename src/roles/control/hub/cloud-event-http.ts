import { EVENT_ID_CHARACTERS_MAX } from '../../../contracts/index.ts'
import { Fault, isJsonTextDeep, PATTERN_LIMITS } from '../../../kernel/index.ts'
import type { EventToPublish } from './ports.ts'

/**
 * CloudEvents 1.0 over HTTP, read by hand where the specification leaves no choice: which attributes there are and what
 * kind each is. What they must hold is the registry's to say.
 */
export type AttributeError = { readonly index?: number; readonly path: string; readonly detail: string }

const ATTRIBUTES = ['id', 'source', 'type', 'subject', 'time'] as const
const TAKEN: ReadonlySet<string> = new Set([...ATTRIBUTES, 'specversion', 'datacontenttype', 'data'])

/** One event in JSON format, or an array of them. Fault `event-invalid` names every attribute at fault. */
export function parseStructured(
  text: string,
  options: { isBatch: boolean; eventsMax: number },
): readonly EventToPublish[] {
  const json = parseJson(text)
  if (!options.isBatch) return throwIfAny(readEvent(json))
  if (!Array.isArray(json)) throw invalid([{ path: '', detail: 'expected an array of events' }])
  if (json.length > options.eventsMax)
    throw new Fault(
      'payload-too-large',
      `Expected at most ${options.eventsMax} events, got ${json.length}; send them in parts.`,
    )
  return throwIfAny(...json.map((event: unknown, index) => readEvent(event, index)))
}

/** Binary mode: attributes in `ce-` headers, percent-encoded; the body is the data. */
export function parseBinary(headers: Headers, body: ReadableStream<Uint8Array>): EventToPublish {
  const attributes: Record<string, unknown> = {}
  headers.forEach((value, name) => {
    if (name.startsWith('ce-')) attributes[name.slice(3)] = decodeHeader(value)
  })
  const [event] = throwIfAny(readEvent(attributes))
  const contentType = headers.get('content-type') ?? 'application/octet-stream'
  return { type: '', subject: '', ...event, payload: { body, contentType } }
}

/** What is wrong a million times is told in few words. */
const EVENT_ERRORS_MAX = 20
const ERRORS_MAX = 100
const NAME_CHARACTERS_MAX = 100

function charactersMax(name: string): number {
  return name === 'id' ? EVENT_ID_CHARACTERS_MAX : 1_000
}

/** RFC 6901. */
function toPointerPart(name: string): string {
  return name.slice(0, NAME_CHARACTERS_MAX).replaceAll('~', '~0').replaceAll('/', '~1')
}

type ReadEvent = { readonly event: EventToPublish; readonly errors: readonly AttributeError[] }

function readEvent(json: unknown, index?: number): ReadEvent {
  const at = index === undefined ? {} : { index }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return {
      event: { type: '', subject: '' },
      errors: [{ ...at, path: '', detail: 'expected an event as a JSON object' }],
    }
  const given = json as Record<string, unknown> // any object can be looked at by name
  const errors: AttributeError[] = []
  const refuse = (path: string, detail: string): void => {
    if (errors.length < EVENT_ERRORS_MAX) errors.push({ ...at, path: `/${path}`, detail })
  }
  if (given['specversion'] !== '1.0') refuse('specversion', `expected "1.0", got ${show(given['specversion'])}`)
  for (const name of ATTRIBUTES) {
    const value = given[name]
    const isNeeded = name === 'type' || name === 'subject'
    if (value === undefined && !isNeeded) continue
    if (typeof value !== 'string' || value === '') refuse(name, `expected a text that is not empty, got ${show(value)}`)
    else if (value.length > charactersMax(name))
      refuse(name, `expected at most ${charactersMax(name)} characters, got ${value.length}`)
  }
  const contentType = given['datacontenttype']
  if (contentType !== undefined && contentType !== 'application/json')
    refuse('datacontenttype', `expected "application/json", got ${show(contentType)}; other data goes in binary mode`)
  for (const name of Object.keys(given)) {
    if (TAKEN.has(name)) continue
    refuse(toPointerPart(name), 'expected no other attribute; put it into the data')
    if (errors.length >= EVENT_ERRORS_MAX) break
  }
  const text = (name: string): { [name: string]: string } =>
    typeof given[name] === 'string' ? { [name]: given[name] } : {}
  const event = {
    type: '',
    subject: '',
    ...text('type'),
    ...text('subject'),
    ...text('id'),
    ...text('source'),
    ...text('time'),
  }
  return { event: Object.hasOwn(given, 'data') ? { ...event, data: given['data'] } : event, errors }
}

function throwIfAny(...read: readonly ReadEvent[]): readonly EventToPublish[] {
  const errors = read.flatMap((each) => each.errors)
  if (errors.length > 0) throw invalid(errors.slice(0, ERRORS_MAX))
  return read.map(({ event }) => event)
}

function parseJson(text: string): unknown {
  if (isJsonTextDeep(text, PATTERN_LIMITS.eventDepthMax))
    throw new Fault(
      'event-invalid',
      `Expected at most ${PATTERN_LIMITS.eventDepthMax} objects and arrays inside one another; send flatter data, or a payload of an opaque type.`,
    )
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Fault('event-invalid', `Expected JSON: ${cause instanceof Error ? cause.message : cause}.`, { cause })
  }
}

function invalid(errors: readonly AttributeError[]): Fault {
  const places = errors
    .slice(0, 20)
    .map(({ index, path, detail }) => `${index === undefined ? '' : `/${index}`}${path || ' the event'}: ${detail}`)
  return new Fault('event-invalid', places.join('; '), { detail: { errors } })
}

/** CloudEvents HTTP binding, 3.1.3.2: what is no printable ASCII is percent-encoded. */
function decodeHeader(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 80)
}
