import type { z } from 'zod'
import type { AnyEvent } from './cloud-event.ts'

/** What one version of an event must be. */
export type EventDefinition = {
  /** The log's topic it goes to. */
  readonly topic: string
  /** What `data` must be; null for an opaque payload: bytes that nobody looks into, always passed on by claim check. */
  readonly data: z.ZodType | null
  /** Of an opaque payload: the media types it may have; absent: any. */
  readonly contentTypes?: readonly string[]
  /** The version before it, and how its data becomes this one's, so that an old archive can be read. Pure. */
  readonly upcasts?: { readonly from: string; upcast(data: unknown): unknown }
}

/** By type, version included: `{ 'com.example.order.placed.v2': { … } }`. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>

export type DataError = { readonly path: string; readonly detail: string }
export type DataCheck =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly errors: readonly DataError[] }

export type Registry = {
  types(): readonly string[]
  get(type: string): EventDefinition | undefined
  /** All topics that events of these types go to, without repeats. */
  topics(): readonly string[]
  /** What the schema does not know is dropped. Fields at fault are named from `data` on: `data.source.bytes`. Unknown type: one error at `type`. */
  check(type: string, data: unknown): DataCheck
  /** In the newest version of its type, step by step; itself when it is the newest. Its data must have passed `check`. Fault `event-invalid` when an upcaster makes what the next schema refuses. */
  upcast(event: AnyEvent): AnyEvent
  /** The newest version of a type, which subscribers are given. */
  newest(type: string): string
  /** JSON Schema (draft 2020-12) of the data; null for an opaque payload or an unknown type. */
  jsonSchema(type: string): Readonly<Record<string, unknown>> | null
}
