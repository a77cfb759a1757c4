import type { FieldLine, RequestHead } from '../http/index.ts'
import type { Content, FetchFailure } from '../origin/index.ts'
import { type CancelSignal, NEVER_CANCELLED } from '../server/cancel.ts'
import type { AnswerReport, ServerRequest } from '../server/message.ts'

/** One question to the cache. `C` is what the origin must know of whoever asks first; it is in no key. */
export type Ask<C> = {
  readonly request: ServerRequest
  /** Its `uri` is what the answer is kept under. */
  readonly head: RequestHead
  /** What the origin is asked for: path and query. */
  readonly path: string
  /** For counting. */
  readonly cell: string | null
  readonly context: C
  /** Asked again before each slice of a long answer; it is cut when this says no. */
  readonly mayGoOn?: () => boolean
}

export type UpstreamRequest<C> = {
  readonly method: string
  readonly path: string
  readonly lines: readonly FieldLine[]
  readonly body: ReadableStream<Uint8Array> | null
  readonly signal: CancelSignal
  readonly context: C
}

export type UpstreamAnswer =
  | {
      readonly ok: true
      readonly status: number
      readonly lines: readonly FieldLine[]
      /** Errors when it ends short of its framing. */
      readonly body: Content
      /** Of no client in particular: all who wait for it are given it, also when it may not be stored. */
      readonly isForAll?: boolean
    }
  | FetchFailure

/** Where what is not here comes from: origins over HTTP, or a platform's cells and objects. */
export type Upstream<C> = (request: UpstreamRequest<C>) => Promise<UpstreamAnswer>

export function toReport<C>(
  ask: Ask<C>,
  cache: AnswerReport['cache'],
  stored: { readonly tags: readonly string[] } = NO_TAGS,
): AnswerReport {
  return { cache, key: ask.head.uri, tags: stored.tags, cell: ask.cell }
}

const NO_TAGS = { tags: [] }

/** For what is fetched for others than who asked: it does not end with this client, nor with what he may have. */
export function forAnybody<C>({ request, head, path, cell, context }: Ask<C>): Ask<C> {
  const { method, host, path: target, query, fields, clientAddress } = request
  const detached = { method, host, path: target, query, fields, clientAddress, body: null, signal: NEVER_CANCELLED }
  return { request: detached, head, path, cell, context }
}
