import { z } from 'zod'
import type {
  AnyEvent,
  DataCheck,
  DataError,
  EventDefinition,
  EventDefinitions,
  Registry,
} from '../../contracts/index.ts'
import { describeError, Fault, isJsonValueDeep, PATTERN_LIMITS } from '../../kernel/index.ts'
import { refusePromises } from '../refuse-promise.ts'
import { findDefinitionFaults } from './definition-faults.ts'
import { toEventFault } from './event-fault.ts'
import { compileQuickCheck, type QuickCheck } from './quick-check.ts'

/** What is said about one event's data; a list of a million bad items is not a million sentences. */
const ERRORS_MAX = 20
/** In the event around it, which counts. */
const DATA_DEPTH_MAX = PATTERN_LIMITS.eventDepthMax - 1

/** One registry of several sources. Fault `registry-invalid` names everything that is wrong with any of them. */
export function createRegistry(definitions: EventDefinitions, ...more: readonly EventDefinitions[]): Registry {
  const sources = [definitions, ...more]
  const faults = findDefinitionFaults(sources)
  if (faults.length > 0) throw new Fault('registry-invalid', faults.join('\n'), { detail: { faults } })
  const known = new Map<string, EventDefinition>(sources.flatMap((source) => Object.entries(source)))
  const successors = toSuccessors(known)

  const quickChecks = new Map<z.ZodType, QuickCheck>()
  /** Made when it is first needed: of most types a process sees none. */
  const quickCheckOf = (schema: z.ZodType): QuickCheck => {
    const known = quickChecks.get(schema)
    if (known) return known
    const made = compileQuickCheck(schema)
    quickChecks.set(schema, made)
    return made
  }
  const check = (type: string, data: unknown): DataCheck => {
    const definition = known.get(type)
    if (!definition) return refused([{ path: 'type', detail: `${JSON.stringify(type)} is no event that is defined` }])
    return definition.data === null
      ? { ok: true, data }
      : checkData(definition.data, data, quickCheckOf(definition.data))
  }
  return {
    types: () => [...known.keys()],
    get: (type) => known.get(type),
    topics: () => [...new Set([...known.values()].map(({ topic }) => topic))],
    check,
    upcast: (event) => upcastBy(event, { successors, check }),
    newest: (type) => {
      let newest = type
      for (let next = successors.get(newest); next; next = successors.get(newest)) newest = next.type
      return newest
    },
    jsonSchema: (type) => toJsonSchema(known.get(type)?.data ?? null),
  }
}

type Successor = { readonly type: string; readonly definition: EventDefinition }

function toSuccessors(known: ReadonlyMap<string, EventDefinition>): ReadonlyMap<string, Successor> {
  const successors = new Map<string, Successor>()
  for (const [type, definition] of known)
    if (definition.upcasts) successors.set(definition.upcasts.from, { type, definition })
  return successors
}

function checkData(schema: z.ZodType, data: unknown, quickCheck: QuickCheck): DataCheck {
  if (isJsonValueDeep(data, DATA_DEPTH_MAX))
    return refused([
      { path: 'data', detail: `expected at most ${DATA_DEPTH_MAX} objects and arrays inside one another` },
    ])
  let checked: z.ZodSafeParseResult<unknown>
  try {
    if (quickCheck(data)) return { ok: true, data }
    checked = schema.safeParse(data)
  } catch (error) {
    // A refinement of the user's own that throws or would wait, or data nested too deep for a recursive schema.
    return refused([{ path: 'data', detail: `its schema could not be applied: ${describeError(error)}` }])
  }
  if (checked.success) return { ok: true, data: checked.data }
  const { issues } = checked.error
  const errors = issues.slice(0, ERRORS_MAX).map(({ path, message }) => ({
    path: ['data', ...path].map(String).join('.'),
    detail: message,
  }))
  if (issues.length > ERRORS_MAX)
    errors.push({ path: 'data', detail: `and ${issues.length - ERRORS_MAX} more fields at fault` })
  return refused(errors)
}

const refused = (errors: readonly DataError[]): DataCheck => ({ ok: false, errors })

type Steps = { readonly successors: ReadonlyMap<string, Successor>; check(type: string, data: unknown): DataCheck }

function upcastBy(event: AnyEvent, { successors, check }: Steps): AnyEvent {
  let next = successors.get(event.type)
  if (!next) return event
  const opaque = next.definition.data === null
  // Data by reference has to be loaded first (`checkClaimed`).
  if (!opaque && event.dataref !== undefined && event.data === undefined) return event
  let { type, data } = event
  for (; next; next = successors.get(type)) {
    type = next.type
    if (!opaque) data = upcastData({ data, type, definition: next.definition, check })
  }
  if (opaque) return { ...event, type }
  // What they say is true of the older version's bytes only.
  const { dataref, datasize, datadigest, ...rest } = event
  return { ...rest, type, data }
}

function upcastData(step: Successor & { readonly data: unknown } & Pick<Steps, 'check'>): unknown {
  const { type, definition, data, check } = step
  let made: unknown
  try {
    made = refusePromises(definition.upcasts?.upcast(data), 'upcast')
  } catch (cause) {
    const detail = `its upcaster failed: ${describeError(cause)}`
    throw toEventFault(type, [{ path: 'data', detail }], cause)
  }
  const checked = check(type, made)
  if (checked.ok) return checked.data
  throw toEventFault(`${type}, made by its upcaster from ${definition.upcasts?.from}`, checked.errors)
}

/** Of what goes in: what a publisher may leave out is optional. That there is one was looked at with the definition. */
function toJsonSchema(data: z.ZodType | null): Readonly<Record<string, unknown>> | null {
  return data === null ? null : z.toJSONSchema(data, { io: 'input', target: 'draft-2020-12' })
}
