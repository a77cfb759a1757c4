import type { z } from 'zod'
import type { EventPosition } from '../../contracts/index.ts'
import type { Decode, Opaque } from './decode.ts'

/** A record of the source topic, without its bytes. */
export type PipeRecord = {
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly position: EventPosition
  readonly appendedAtMs: number
  /** Of the payload, wherever it lies. */
  readonly sizeBytes: number
}

export type EnrichContext = {
  /** Aborted after `hubPipeEnrichTimeoutMs`, and when the pipe closes. */
  readonly signal: AbortSignal
  readonly record: PipeRecord
  /** From 1. */
  readonly attempt: number
}

/** What events a pipe makes of what its transform made. */
export type PipeTo<Out> = {
  /** The event's type with its version, or which one by what it is. */
  readonly type: string | ((out: Out, record: PipeRecord) => string)
  /** Absent: the record's key. Events of one key are published in order; of one subject only when it follows from the key. */
  readonly subject?: (out: Out, record: PipeRecord) => string
  /** The event's data, for its type's schema. Absent: what the transform made. */
  readonly data?: (out: Out, record: PipeRecord) => unknown
  /** For an opaque type, instead of `data`: the record's bytes as they are, passed on by reference. */
  readonly payload?: { readonly contentType: string | ((out: Out, record: PipeRecord) => string) }
}

/** From a topic's raw records to events. Everything but `enrich` is pure: a record may come again, and must make the same. */
export type PipeDefinition<In = unknown, Out = unknown> = {
  readonly name: string
  readonly from: { readonly topic: string }
  /** Records it is false for are left out, before their bytes are looked at. */
  readonly filter?: (record: PipeRecord) => boolean
  readonly decode: Decode | Opaque
  /** What the decoded value must be. */
  readonly schema: z.ZodType<In>
  /** One event, several or none. What it throws sends the record to quarantine. */
  readonly transform: (input: In, record: PipeRecord) => Out | readonly Out[] | null
  /** Looks up what the record does not say. Tried again with backoff; then the record goes to quarantine. */
  readonly enrich?: (out: Out, context: EnrichContext) => Promise<Out>
  readonly to: PipeTo<Out>
  /** Keys that are worked on side by side; the records of one key go one after the other. */
  readonly concurrency?: number
  /** Records whose events are published together. */
  readonly batchMax?: number
}

/** Describes a pipe; checked when it is loaded. */
export function definePipe<In, Out>(definition: {
  readonly name: string
  readonly from: { readonly topic: string }
  readonly filter?: (record: PipeRecord) => boolean
  readonly decode: Decode | Opaque
  readonly schema: z.ZodType<In>
  readonly transform: (input: In, record: PipeRecord) => Out | readonly Out[] | null
  readonly enrich?: (out: NoInfer<Out>, context: EnrichContext) => Promise<NoInfer<Out>>
  readonly to: PipeTo<NoInfer<Out>>
  readonly concurrency?: number
  readonly batchMax?: number
}): PipeDefinition {
  // Pipes of all shapes lie in one list. A pipe's functions are only ever given what its own schema and transform made.
  return definition as unknown as PipeDefinition
}
