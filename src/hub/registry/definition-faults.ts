import { type EventDefinition, type EventDefinitions, topicNameSchema } from '../../contracts/index.ts'
import { findSchemaFaults } from './schema-faults.ts'

/** Reverse DNS, then the version. */
const TYPE = /^([a-z][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+)\.v([1-9]\d{0,3})$/
const TYPE_CHARACTERS_MAX = 200
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/

/** `com.example.order.placed` and 2; null when it is no type of an event. */
export function parseEventType(type: string): { readonly name: string; readonly version: number } | null {
  const [, name, version] = TYPE.exec(type) ?? []
  if (name === undefined || type.length > TYPE_CHARACTERS_MAX) return null
  return { name, version: Number(version) }
}

/** A sentence for each thing wrong with definitions from several sources. They may be a user's own JavaScript. */
export function findDefinitionFaults(sources: readonly EventDefinitions[]): readonly string[] {
  const faults: string[] = []
  const known = new Map<string, EventDefinition>()
  for (const [type, definition] of sources.flatMap((source) => Object.entries(source))) {
    if (known.has(type)) faults.push(`${type}: expected one definition, got two`)
    else known.set(type, definition)
    faults.push(...findOwnFaults(type, definition).map((fault) => `${type}: ${fault}`))
  }
  if (faults.length > 0) return faults
  for (const [type, definition] of known) {
    const before = toPrevious(type, known)
    const fault = before === null ? findFirstFault(definition.upcasts) : findStepFault(before, { definition, known })
    if (fault !== null) faults.push(`${type}: ${fault}`)
  }
  return faults
}

function findOwnFaults(type: string, definition: EventDefinition): readonly string[] {
  const faults: string[] = []
  if (parseEventType(type) === null)
    faults.push('expected a type such as "com.example.order.placed.v1": reverse DNS in lower case, then its version')
  const { topic, data, contentTypes } = definition
  if (!topicNameSchema.safeParse(topic).success)
    faults.push(`topic: expected 1 to 100 characters a-z 0-9 . _ -, got ${JSON.stringify(topic) ?? 'nothing'}`)
  if (data !== null && typeof data?.safeParse !== 'function')
    faults.push('data: expected a Zod schema, or null for an opaque payload')
  else if (data !== null) faults.push(...findSchemaFaults(data))
  if (contentTypes === undefined) return faults
  if (data !== null) faults.push('contentTypes: expected none beside a schema, whose data is application/json')
  for (const contentType of contentTypes)
    if (!MEDIA_TYPE.test(contentType))
      faults.push(`contentTypes: expected a media type in lower case, got ${JSON.stringify(contentType)}`)
  return faults
}

/** The nearest lower version that is defined; null for an event's first. */
function toPrevious(type: string, known: ReadonlyMap<string, EventDefinition>): string | null {
  const { name, version } = parseEventType(type) ?? { name: '', version: 0 }
  for (let lower = version - 1; lower > 0; lower -= 1) if (known.has(`${name}.v${lower}`)) return `${name}.v${lower}`
  return null
}

function findFirstFault(upcasts: EventDefinition['upcasts']): string | null {
  return upcasts ? `upcasts.from: "${upcasts.from}" is no version before it that is defined` : null
}

type Step = { readonly definition: EventDefinition; readonly known: ReadonlyMap<string, EventDefinition> }

function findStepFault(before: string, { definition, known }: Step): string | null {
  const { upcasts, data } = definition
  if (!upcasts)
    return `upcasts: expected it to say how it is made from ${before}; else both would be the newest version`
  if (upcasts.from !== before) return `upcasts.from: expected the version before it, ${before}, got "${upcasts.from}"`
  if (typeof upcasts.upcast !== 'function') return 'upcasts.upcast: expected a function from data to data'
  if ((known.get(before)?.data === null) !== (data === null))
    return `upcasts: expected ${before} to be opaque if this is, and only then: nobody looks into an opaque payload`
  return null
}
