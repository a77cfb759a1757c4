import type { Queued } from './fifo.ts'
import { hashOf, mixed } from './hash.ts'
import type { MemoryTierSettings } from './options.ts'

/** What is stored under a key besides its bytes. */
export type EntryInput<M> = {
  /** The caller's own: status, fields, times. */
  readonly meta: M
  /** What `meta` is charged for. */
  readonly metaBytes: number
  /** Surrogate keys. */
  readonly tags: readonly string[]
  /** The length of the whole body, null while it is not known. */
  readonly sizeBytes: number | null
}

/** A handle on one stored object. It goes stale when the object leaves or is replaced: then it has no slices any more. */
export type Entry<M> = {
  readonly key: string
  readonly meta: M
  readonly tags: readonly string[]
  readonly sizeBytes: number | null
  /** The whole body of an object of at most one slice, if it is here. Never to be written to or given away. */
  readonly body: Uint8Array | null
}

/**
 * An object's head. A body of at most one slice lies in the head itself: both come and go together.
 * (Interfaces, because a type alias cannot name itself in what it extends.)
 */
export interface Head<M> extends Queued<Resident<M>> {
  readonly kind: 'head'
  readonly key: string
  meta: M
  tags: readonly string[]
  sizeBytes: number | null
  body: Uint8Array | null
  slices: Map<number, Slice<M>> | null
  /** Charged for the head and all its slices. */
  objectBytes: number
}

export interface Slice<M> extends Queued<Resident<M>> {
  readonly kind: 'slice'
  readonly head: Head<M>
  readonly index: number
  readonly data: Uint8Array
}

export type Resident<M> = Head<M> | Slice<M>

/** The body of an object without one. */
export const EMPTY: Uint8Array = new Uint8Array(0)

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const checkInput = <M>(key: string, { metaBytes, sizeBytes }: EntryInput<M>): void => {
  if (isCount(metaBytes) && (sizeBytes === null || isCount(sizeBytes))) return
  throw new RangeError(
    `memory tier, ${key}: expected metaBytes and sizeBytes to be whole numbers of at least 0 (or sizeBytes null), got ${metaBytes} and ${sizeBytes}; measure them before storing`,
  )
}

/** Engines keep one byte a character until one does not fit into it. */
const charactersBytes = (text: string): number => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return text.length * 2
  return text.length
}

/** The charge for a head without a body. */
export const headBytes = <M>(key: string, input: EntryInput<M>, settings: MemoryTierSettings): number => {
  checkInput(key, input)
  const tagsBytes = input.tags.reduce((sum, tag) => sum + charactersBytes(tag) + settings.tagOverheadBytes, 0)
  return settings.entryOverheadBytes + charactersBytes(key) + input.metaBytes + tagsBytes
}

const unqueued = { frequency: 0, queue: null, newer: null, older: null } as const

export const createHead = <M>(key: string, input: EntryInput<M>, settings: MemoryTierSettings): Head<M> => {
  const tags = [...new Set(input.tags)]
  const bytes = headBytes(key, { ...input, tags }, settings)
  return {
    ...unqueued,
    kind: 'head',
    key,
    meta: input.meta,
    tags,
    sizeBytes: input.sizeBytes,
    body: input.sizeBytes === 0 ? EMPTY : null,
    slices: null,
    bytes,
    objectBytes: bytes,
    hash: hashOf(key),
  }
}

/** Below this a copy costs less memory than the ArrayBuffer object that asking for `buffer` brings into being. */
const ALWAYS_COPIED_BYTES = 4_096

/** Of what a view keeps alive beyond itself, as a share of itself: a head that came with its content is less. */
const KEPT_BESIDE_MAX = 1 / 8

/**
 * A view of a much larger buffer is copied, so that a kilobyte never keeps a megabyte alive; else the buffer is taken over, with
 * what little lies beside it.
 */
export const ownBytes = (bytes: Uint8Array): Uint8Array => {
  // Of what does not begin its buffer, that object exists already.
  if (bytes.byteOffset === 0 && bytes.byteLength <= ALWAYS_COPIED_BYTES) return new Uint8Array(bytes)
  const besideBytes = bytes.buffer.byteLength - bytes.byteLength
  return besideBytes <= bytes.byteLength * KEPT_BESIDE_MAX ? bytes : new Uint8Array(bytes)
}

/** What owned bytes keep alive, and are charged for. */
export const heldBytes = (bytes: Uint8Array): number =>
  bytes.byteOffset === 0 && bytes.byteLength <= ALWAYS_COPIED_BYTES ? bytes.byteLength : bytes.buffer.byteLength

export const createSlice = <M>(head: Head<M>, index: number, data: Uint8Array, overheadBytes: number): Slice<M> => {
  const bytes = heldBytes(data) + overheadBytes
  return { ...unqueued, kind: 'slice', head, index, data, bytes, hash: mixed(head.hash, index + 1) }
}
