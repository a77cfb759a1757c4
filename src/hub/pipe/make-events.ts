import { type Registry, toPositionText } from '../../contracts/index.ts'
import type { Claim } from '../claims/claim.ts'
import { refusePromise, refusePromises } from '../refuse-promise.ts'
import type { PipeDefinition, PipeRecord, PipeTo } from './define-pipe.ts'
import { deriveId, originOf } from './derive-id.ts'
import type { PipeEvent } from './ports.ts'
import { type Refusal, refusedByEvent, refusedBySchema, toRefusal } from './refusal.ts'

/** Where a pipe's other functions would have to be waited for. */
export const ENRICH_MAY = 'enrich may wait'

/** A step's value, or why the record goes no further. */
export type Step<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }

export const passed = <T>(value: T): Step<T> => ({ ok: true, value })
export const refused = (refusal: Refusal): Step<never> => ({ ok: false, refusal })

/** Validates what was decoded, and transforms it. */
export function makeOutputs(
  definition: PipeDefinition,
  decoded: unknown,
  context: { readonly record: PipeRecord; readonly outputsMax: number },
): Step<readonly unknown[]> {
  const { record, outputsMax } = context
  try {
    const checked = definition.schema.safeParse(decoded)
    if (!checked.success) return refused(refusedBySchema(checked.error))
    const made = refusePromises(definition.transform(checked.data, record), 'transform', ENRICH_MAY)
    const outputs: readonly unknown[] = made === null ? [] : Array.isArray(made) ? made : [made]
    if (outputs.length <= outputsMax) return passed(outputs)
    const reason = `transform: expected at most ${outputsMax} events of one record (hubPipeEventsPerRecordMax), got ${outputs.length}`
    return refused(toRefusal('transform-failed', reason))
  } catch (error) {
    return refused(toRefusal('transform-failed', error))
  }
}

/** The record's events, each checked against the schema of its type; none when one of them is refused. */
export function makeEvents(
  outputs: readonly unknown[],
  parts: {
    readonly definition: PipeDefinition
    readonly record: PipeRecord
    readonly payload: Uint8Array | Claim
    readonly registry: Registry
  },
): Step<readonly PipeEvent[]> {
  const events: PipeEvent[] = []
  for (const [index, output] of outputs.entries()) {
    const event = makeEvent(output, index, parts)
    if (!event.ok) return event
    events.push(event.value)
  }
  return passed(events)
}

function makeEvent(output: unknown, index: number, parts: Parameters<typeof makeEvents>[1]): Step<PipeEvent> {
  const { definition, record } = parts
  const envelope = {
    id: deriveId(definition.name, originOf(record.position, record.headers), index),
    source: `pipe-${definition.name}`,
    time: new Date(record.appendedAtMs).toISOString(),
    causedby: toPositionText(record.position),
  }
  try {
    const { to } = definition
    const type = typeof to.type === 'function' ? refusePromise(to.type(output, record), 'to.type', ENRICH_MAY) : to.type
    const fault = findCircle(type, parts)
    if (fault !== null) return refused(refusedByEvent(type, [{ path: 'type', detail: fault }]))
    const subject = to.subject ? refusePromise(to.subject(output, record), 'to.subject', ENRICH_MAY) : record.key
    if (subject === '') return refused(refusedByEvent(type, [{ path: 'subject', detail: 'expected a name, got ""' }]))
    const content = makeContent(output, type, parts)
    return content.ok ? passed({ ...envelope, type, subject, ...content.value }) : content
  } catch (error) {
    return refused(toRefusal('transform-failed', error))
  }
}

/** A type that depends on the record is known only now: what the pipe makes must not come back to it. */
function findCircle(type: string, { record, registry }: Parameters<typeof makeEvents>[1]): string | null {
  const topic = registry.get(type)?.topic
  if (topic !== record.position.topic) return null
  return `expected a type of another topic, got one of ${topic}, which the pipe itself reads`
}

function makeContent(
  output: unknown,
  type: string,
  parts: Parameters<typeof makeEvents>[1],
): Step<Pick<PipeEvent, 'data' | 'payload'>> {
  const { definition, record, payload, registry } = parts
  const { to } = definition
  if (to.payload) {
    const { contentType } = to.payload
    if (registry.get(type)?.data === null)
      return passed({ payload: { body: payload, contentType: contentTypeOf(contentType, output, record) } })
    const detail = 'expected the type of an event with an opaque payload, since the pipe gives it one'
    return refused(refusedByEvent(type, [{ path: 'type', detail }]))
  }
  const data = refusePromises(to.data ? to.data(output, record) : output, 'to.data', ENRICH_MAY)
  const checked = registry.check(type, data)
  return checked.ok ? passed({ data: checked.data }) : refused(refusedByEvent(type, checked.errors))
}

function contentTypeOf(
  contentType: NonNullable<PipeTo<unknown>['payload']>['contentType'],
  output: unknown,
  record: PipeRecord,
): string {
  return typeof contentType === 'function'
    ? refusePromise(contentType(output, record), 'to.payload.contentType', ENRICH_MAY)
    : contentType
}
