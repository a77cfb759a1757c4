import { type DataError, EVENT_ID_CHARACTERS_MAX, type EventDefinition } from '../../contracts/index.ts'

/** An event as JSON gives it, nothing about it known yet. */
export type Unchecked = Record<string, unknown>

const ATTRIBUTE_CHARACTERS_MAX = 2_000
const SHOWN_CHARACTERS_MAX = 60
const ERRORS_MAX = 20
const INTEGER_MAX = 2_147_483_647

type Rule = (value: string) => string | null

/** Attributes every event must have (CloudEvents 1.0; `subject` and `time` are the hub's own demand). */
const REQUIRED: readonly (readonly [string, Rule])[] = [
  ['specversion', (value) => (value === '1.0' ? null : `expected "1.0", got ${show(value)}`)],
  ['id', expectId],
  ['source', expectUriReference],
  ['type', expectText],
  ['subject', expectText],
  ['time', expectTime],
]
const REQUIRED_NAMES = new Set(REQUIRED.map(([name]) => name))
const OPTIONAL: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['datacontenttype', expectMediaType],
  ['dataschema', expectUriReference],
  ['dataref', expectUriReference],
  [
    'datadigest',
    (value) => (/^sha-256=[0-9a-f]{64}$/.test(value) ? null : 'expected "sha-256=" and 64 digits 0-9 a-f'),
  ],
])
const EXTENSION = /^[a-z0-9]+$/

/**
 * What is wrong with an event apart from its data, by the rules of CloudEvents 1.0 in the JSON format; nothing for nearly
 * all, so nothing is allocated for those. `data` is a member, not an attribute, and not looked at.
 */
export function findEnvelopeErrors(event: Unchecked): readonly DataError[] {
  let errors: DataError[] | null = null
  const tell = (path: string, detail: string): void => {
    errors ??= []
    if (errors.length < ERRORS_MAX) errors.push({ path, detail })
  }
  for (const [name, rule] of REQUIRED) {
    const fault = findFault(event[name], rule)
    if (fault !== null) tell(name, fault)
  }
  for (const name in event) {
    if (name === 'data' || REQUIRED_NAMES.has(name)) continue
    const fault = findOptionalFault(name, event[name])
    if (fault !== null) tell(name.slice(0, SHOWN_CHARACTERS_MAX), fault)
  }
  return errors ?? []
}

/** What is wrong with how the event carries its payload, given what its type says about it. */
export function findPayloadErrors(event: Unchecked, definition: EventDefinition): readonly DataError[] {
  const referred = event['dataref'] !== undefined
  const errors: DataError[] = []
  if (referred) {
    for (const name of ['datasize', 'datadigest'])
      if (event[name] === undefined) errors.push({ path: name, detail: 'expected it beside dataref, got nothing' })
    if (event['data'] !== undefined) errors.push({ path: 'data', detail: 'expected none beside dataref' })
  } else if (definition.data === null)
    errors.push({ path: 'dataref', detail: 'expected the reference to the payload, which is opaque; got nothing' })
  const fault = findContentTypeFault(event['datacontenttype'], definition)
  return fault === null ? errors : [...errors, { path: 'datacontenttype', detail: fault }]
}

function findContentTypeFault(contentType: unknown, { data, contentTypes }: EventDefinition): string | null {
  if (data !== null && (contentType === JSON_TYPE || contentType === undefined)) return null
  const essence = typeof contentType === 'string' ? contentType.split(';', 1)[0]?.trim().toLowerCase() : undefined
  if (data !== null) {
    const json = essence === undefined || essence === 'application/json' || essence.endsWith('+json')
    return json ? null : `expected application/json, got ${show(contentType)}`
  }
  if (!contentTypes || (essence !== undefined && contentTypes.includes(essence))) return null
  return `expected one of ${contentTypes.join(', ')}, got ${show(contentType)}`
}

function findFault(value: unknown, rule: Rule): string | null {
  if (typeof value !== 'string' || value === '') return `expected a non-empty string, got ${show(value)}`
  return rule(value)
}

function findOptionalFault(name: string, value: unknown): string | null {
  if (name === 'data_base64') return 'expected binary data by reference (dataref), of an opaque type'
  const rule = OPTIONAL.get(name)
  if (rule) return findFault(value, rule)
  if (!EXTENSION.test(name)) return 'expected an attribute named in lower-case letters and digits'
  if (name === 'datasize') return Number.isSafeInteger(value) && Number(value) >= 0 ? null : 'expected a count of bytes'
  return findExtensionFault(value)
}

/** CloudEvents knows booleans, 32-bit integers and strings. */
function findExtensionFault(value: unknown): string | null {
  if (typeof value === 'boolean') return null
  if (typeof value === 'string') return value === '' ? null : expectText(value)
  if (Number.isInteger(value) && Math.abs(Number(value)) <= INTEGER_MAX) return null
  return `expected a string, a boolean or an integer of 32 bits, got ${show(value)}`
}

/** What CloudEvents allows in no string. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

function expectText(value: string): string | null {
  if (value.length > ATTRIBUTE_CHARACTERS_MAX)
    return `expected at most ${ATTRIBUTE_CHARACTERS_MAX} characters, got ${value.length}`
  return PLAIN.test(value) || !FORBIDDEN.test(value) ? null : `expected no control characters, got ${show(value)}`
}
/** Printable ASCII, as nearly all are: found out without the expression for the rest. */
const PLAIN = /^[ -~]*$/

/** Shorter than other texts: acknowledgements repeat it. */
function expectId(value: string): string | null {
  if (value.length <= EVENT_ID_CHARACTERS_MAX) return expectText(value)
  return `expected at most ${EVENT_ID_CHARACTERS_MAX} characters, got ${value.length}`
}

/** RFC 3986: its characters; what they refer to is not asked. */
function expectUriReference(value: string): string | null {
  if (value.length > ATTRIBUTE_CHARACTERS_MAX) return expectText(value)
  return PLAIN_URI_REFERENCE.test(value) || URI_REFERENCE.test(value)
    ? null
    : `expected a URI reference (RFC 3986), got ${show(value)}`
}
/** Nothing in it is encoded, as in nearly all: one class of characters is found out in a fraction of the time. */
const PLAIN_URI_REFERENCE = /^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]+$/
const URI_REFERENCE = /^(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/

/** RFC 3339. */
function expectTime(value: string): string | null {
  if (value.length <= TIME_CHARACTERS_MAX && COMMON_TIME.test(value)) return null
  const [, year, month, day] = (value.length <= TIME_CHARACTERS_MAX && TIME.exec(value)) || []
  if (day !== undefined && (Number(day) <= 28 || Number(day) <= daysIn(Number(year), Number(month)))) return null
  return `expected a time such as "2026-01-31T20:15:00Z" (RFC 3339), got ${show(value)}`
}
/** As everybody writes it, on a day that every month has: found out without taking it apart. */
const COMMON_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/
const TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i
const TIME_CHARACTERS_MAX = 64

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

const JSON_TYPE = 'application/json'

/** RFC 2046, parameters included. */
function expectMediaType(value: string): string | null {
  const fits = value === JSON_TYPE || (value.length <= MEDIA_TYPE_CHARACTERS_MAX && MEDIA_TYPE.test(value))
  return fits ? null : `expected a media type such as "application/json", got ${show(value)}`
}
const MEDIA_TYPE =
  /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\\p{Cc}]*"))*$/u
const MEDIA_TYPE_CHARACTERS_MAX = 200

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, SHOWN_CHARACTERS_MAX)
}
