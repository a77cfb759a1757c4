import { isUint8Array } from 'node:util/types'
import type { AnyEvent, DataError, Registry } from '../../contracts/index.ts'
import { Fault, isJsonTextDeep, PATTERN_LIMITS } from '../../kernel/index.ts'
import { findEnvelopeErrors, findPayloadErrors, type Unchecked } from './envelope.ts'
import { toEventFault } from './event-fault.ts'

/** A byte order mark is no JSON: bytes are read in one way only. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * An event of any registered type, envelope and data checked, extensions kept, in the version it has: from UTF-8 bytes,
 * from JSON text, or from what JSON.parse gave, which stays as it is. Data by reference is checked once it is loaded
 * (`checkClaimed`). Faults: `event-invalid` with every field at fault in the message and in `detail.errors`
 * (`{ path, detail }`); `event-unknown` when the type is not registered.
 */
export function parseEvent(registry: Registry, input: unknown): AnyEvent {
  const parsed = isUint8Array(input) || typeof input === 'string' ? parseJson(input) : input
  return checkEvent(registry, parsed === input && isRecord(parsed) ? { ...parsed } : parsed)
}

/** What the bus gives its subscribers: the event in a log record, checked and in its newest version. Faults as above. */
export function decodeRecord(registry: Registry, record: { readonly value: Uint8Array }): AnyEvent {
  return registry.upcast(checkEvent(registry, parseJson(record.value)))
}

/**
 * The event with the data its `dataref` names (JSON, already compared with `datadigest`), checked and in its newest
 * version. The reference stays beside data of that version; of an older one it goes, since it names other bytes. Of an
 * opaque type: the event without data, whatever the bytes. Fault `event-invalid`.
 */
export function checkClaimed(registry: Registry, event: AnyEvent, bytes: Uint8Array): AnyEvent {
  if (registry.get(event.type)?.data === null) return registry.upcast(event)
  const checked = registry.check(event.type, parseJson(bytes, 'data'))
  if (!checked.ok) throw toEventFault(event.type, checked.errors)
  return registry.upcast({ ...event, data: checked.data })
}

/** Takes `parsed` over: the checked data takes the place of what was there. */
function checkEvent(registry: Registry, parsed: unknown): AnyEvent {
  if (!isRecord(parsed)) throw new Fault('event-invalid', 'expected a CloudEvent as a JSON object')
  dropUnset(parsed)
  const wrong = findEnvelopeErrors(parsed)
  const type = typeof parsed['type'] === 'string' ? parsed['type'] : ''
  const definition = registry.get(type)
  if (!definition) {
    if (wrong.length > 0) throw toEventFault(null, wrong)
    throw new Fault('event-unknown', `type: ${JSON.stringify(type)} is no event this release knows`)
  }
  const errors: DataError[] = [...wrong, ...findPayloadErrors(parsed, definition)]
  if (parsed['dataref'] === undefined && definition.data !== null) {
    const checked = registry.check(type, parsed['data'])
    if (checked.ok) parsed['data'] = checked.data
    else errors.push(...checked.errors)
  }
  if (errors.length > 0) throw toEventFault(type, errors)
  return parsed as AnyEvent // every attribute of the type was checked just now
}

/** An attribute that is null is one that is not there (CloudEvents' JSON format, 2.2). */
function dropUnset(event: Unchecked): void {
  for (const name in event) if (event[name] === null && name !== 'data') delete event[name]
}

function parseJson(input: Uint8Array | string, path?: string): unknown {
  const refuse = (expected: string, cause?: unknown): Fault =>
    path === undefined
      ? new Fault('event-invalid', expected, { cause })
      : toEventFault(null, [{ path, detail: expected }], cause)
  const expected = path === undefined ? 'expected a CloudEvent as JSON' : 'expected JSON'
  let json: unknown
  let isDeep = false
  try {
    const text = typeof input === 'string' ? input : decoder.decode(input)
    isDeep = text.length > SMALL_TEXT_CHARS && isJsonTextDeep(text, PATTERN_LIMITS.eventDepthMax)
    if (!isDeep) json = JSON.parse(text)
  } catch (cause) {
    const unit = typeof input === 'string' ? 'characters' : 'bytes'
    throw refuse(`${expected}, got ${input.length} ${unit} that are not`, cause)
  }
  if (isDeep)
    throw refuse(`${expected} with at most ${PATTERN_LIMITS.eventDepthMax} objects and arrays inside one another`)
  return json
}

/** What such a text can nest is parsed in no time, and refused by the registry with the data it is in. */
const SMALL_TEXT_CHARS = 16_384

function isRecord(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
