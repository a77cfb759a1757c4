import type { Registry } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import { refusePromise } from '../refuse-promise.ts'
import type { PipeDefinition, PipeRecord } from './define-pipe.ts'
import { isMeantFor } from './derive-id.ts'
import { type EnrichLimits, enrichOutputs } from './enrich.ts'
import { ENRICH_MAY, makeEvents, makeOutputs, passed, refused, type Step } from './make-events.ts'
import type { OpenedRecord, OpenRecord, PipeEvent } from './ports.ts'
import { type Refusal, toRefusal } from './refusal.ts'
import { isFinal, type Persist } from './retry.ts'

export type Processed =
  | { readonly kind: 'filtered' }
  | { readonly kind: 'events'; readonly events: readonly PipeEvent[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export type ProcessOptions = {
  readonly definition: PipeDefinition
  readonly registry: Registry
  readonly limits: EnrichLimits & { readonly hubPipeEventsPerRecordMax: number }
  readonly closed: AbortSignal
  readonly persist: Persist
}

/** Filter, decode, validate, transform, enrich. Rejects only with Fault `closed`, when the pipe closes meanwhile. */
export async function processRecord(
  record: LogRecord,
  opened: Step<OpenedRecord>,
  options: ProcessOptions,
): Promise<Processed> {
  const { definition, registry, limits } = options
  if (!isMeantFor(definition.name, record.headers)) return { kind: 'filtered' }
  const facts = toPipeRecord(record, opened)
  const wanted = filterRecord(definition, facts)
  if (!wanted.ok) return toRefused(wanted)
  if (!wanted.value) return { kind: 'filtered' }
  if (!opened.ok) return toRefused(opened)
  const decoded = await decodeRecord(opened.value, facts, options)
  if (!decoded.ok) return toRefused(decoded)
  const made = makeOutputs(definition, decoded.value, { record: facts, outputsMax: limits.hubPipeEventsPerRecordMax })
  if (!made.ok) return toRefused(made)
  const enriched = await enrichOutputs(definition, made.value, { ...options, record: facts })
  if (!enriched.ok) return toRefused(enriched)
  const payload = opened.value.claim ?? record.value
  const events = makeEvents(enriched.value, { definition, record: facts, payload, registry })
  return events.ok ? { kind: 'events', events: events.value } : toRefused(events)
}

/** A record whose claim makes no sense is refused when its turn comes, in its key's order. */
export function tryOpen(openRecord: OpenRecord, record: LogRecord): Step<OpenedRecord> {
  try {
    return passed(openRecord(record))
  } catch (error) {
    return refused(toRefusal('payload-missing', error))
  }
}

/** Bytes that working on it brings into memory besides its own. */
export function bytesToLoad(definition: PipeDefinition, opened: Step<OpenedRecord>): number {
  return opened.ok && typeof definition.decode === 'function' ? (opened.value.claim?.size ?? 0) : 0
}

function toPipeRecord(record: LogRecord, opened: Step<OpenedRecord>): PipeRecord {
  const { key, headers, topic, partition, offset, appendedAtMs, value } = record
  const claim = opened.ok ? opened.value.claim : null
  return {
    key,
    headers,
    position: { topic, partition, offset },
    appendedAtMs,
    sizeBytes: claim?.size ?? value.byteLength,
  }
}

function filterRecord({ filter }: PipeDefinition, record: PipeRecord): Step<boolean> {
  try {
    return passed(filter ? refusePromise(filter(record), 'filter', ENRICH_MAY) : true)
  } catch (error) {
    return refused(toRefusal('filter-failed', error))
  }
}

async function decodeRecord(
  opened: OpenedRecord,
  { key, headers, sizeBytes }: PipeRecord,
  options: ProcessOptions,
): Promise<Step<unknown>> {
  const { decode } = options.definition
  if (typeof decode !== 'function') return passed({ key, headers, sizeBytes })
  let bytes: Uint8Array
  try {
    bytes = await options.persist('loading a payload', () => opened.bytes(), { isFinal })
  } catch (error) {
    if (isFinal(error)) return refused(toRefusal('payload-missing', error))
    throw error
  }
  try {
    return passed(refusePromise(decode(bytes, { key, headers }), 'decode', ENRICH_MAY))
  } catch (error) {
    return refused(toRefusal('decode-failed', error))
  }
}

const toRefused = ({ refusal }: { readonly refusal: Refusal }): Processed => ({ kind: 'refused', refusal })
