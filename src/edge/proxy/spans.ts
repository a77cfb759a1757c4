import { entityTagOf, isStrongTag } from '../cache/policy/index.ts'
import { type ByteRange, type FieldLine, parseRanges } from '../http/index.ts'
import type { Content, Joined, SharedFetches } from '../origin/index.ts'
import type { Ask } from './ask.ts'
import type { createFetcher, FetchedHead } from './land.ts'
import type { Body } from './respond.ts'
import { cancel } from './respond.ts'
import type { Cached, ResponseCache } from './response-cache.ts'
import { toStream } from './to-stream.ts'

/** Reads stored answers of which some slices are here and the others are fetched, one by one, as they are come to. */
export type Spans<C> = {
  /** The bytes from `start` to before `end`: at once where they are all here, else as a stream that brings what is missing. */
  read(ask: Ask<C>, cached: Cached, span: ByteRange): Body
  /** The slice at which an answer to this range would begin, fetched: by it the whole is known. */
  begin(
    ask: Ask<C>,
    range: string,
    about: { readonly validating: Cached | null; readonly add: readonly FieldLine[] },
  ): Promise<Joined<FetchedHead>>
  /** Whether what is missing of it can be fetched and put beside what is here (RFC 9111, 3.4). */
  canComplete(cached: Cached): boolean
}

export function createSpans<C>(options: {
  readonly cache: ResponseCache
  readonly fetches: SharedFetches<FetchedHead>
  readonly fetcher: ReturnType<typeof createFetcher<C>>
  readonly accepts: (ask: Ask<C>, head: FetchedHead) => boolean
  readonly rangesMax: number
}): Spans<C> {
  const { cache, fetches, fetcher, accepts, rangesMax } = options
  const { sliceBytes } = cache

  const join = (ask: Ask<C>, index: number, errand: Parameters<typeof fetcher>[1]): Promise<Joined<FetchedHead>> => {
    const validate = errand.validating ? ' validate' : ''
    return fetches.join(
      `${cache.fetchKey(ask.head)}\nslice ${index}${validate}`,
      fetcher(ask, errand),
      ask.request.signal,
      (head) => accepts(ask, head),
    )
  }

  /** One slice from the origin; throws when it is not of the version that is being sent. */
  const openSlice = async (ask: Ask<C>, cached: Cached, index: number): Promise<Exclude<Content, null>> => {
    const span = { start: index * sliceBytes, end: Math.min((index + 1) * sliceBytes, cached.sizeBytes) }
    // No If-Range: an origin that has another version now would send all of it, and a film is never pulled for a minute of it.
    const joined = await join(ask, index, { validating: null, add: [], span })
    if (!joined.ok) throw new Error(joined.why)
    const { part } = joined.head
    const isSame =
      part?.sizeBytes === cached.sizeBytes && entityTagOf(part.stored.fields) === entityTagOf(cached.stored.fields)
    if (isSame && joined.body) return joined.body
    cancel(joined.body)
    throw new Error(`slice ${index}: the origin has another version now than the one that is being sent; ask again`)
  }

  async function* pieces(ask: Ask<C>, cached: Cached, span: ByteRange): AsyncGenerator<Uint8Array> {
    for (let at = span.start; at < span.end; ) {
      const index = Math.floor(at / sliceBytes)
      const to = Math.min(span.end, (index + 1) * sliceBytes)
      const here = cache.read(cached, { start: at, end: to })
      if (here === null)
        yield* cut(await openSlice(ask, cached, index), at - index * sliceBytes, to - index * sliceBytes)
      else if (here instanceof Uint8Array) yield here
      else yield* here
      at = to
    }
  }

  return {
    read: (ask, cached, span) => cache.read(cached, span) ?? toStream(pieces(ask, cached, span)),
    begin(ask, range, about) {
      const index = Math.floor(firstByteOf(range, rangesMax) / sliceBytes)
      const span = { start: index * sliceBytes, end: (index + 1) * sliceBytes }
      return join(ask, index, { ...about, span })
    },
    canComplete: ({ stored }) => stored.status === 200 && isStrongTag(entityTagOf(stored.fields)),
  }
}

/** Where the first of the ranges begins; 0 where that hangs on the size, which the first slice tells. */
function firstByteOf(range: string, rangesMax: number): number {
  const parsed = parseRanges(range, Number.MAX_SAFE_INTEGER, rangesMax)
  const start = parsed.kind === 'ranges' ? (parsed.ranges[0]?.start ?? 0) : 0
  return /^bytes=\s*-/i.test(range) ? 0 : start
}

/** The bytes from `from` to before `to` of a slice; throws when it ends before. */
async function* cut(content: Exclude<Content, null>, from: number, to: number): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) {
    if (content.byteLength < to) throw new Error(`a slice ended at byte ${content.byteLength}, expected ${to}`)
    yield content.subarray(from, to)
    return
  }
  const reader = content.getReader()
  let at = 0
  try {
    while (at < to) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`a slice ended at byte ${at}, expected ${to}`)
      const piece = value.subarray(Math.max(0, from - at), Math.max(0, to - at))
      at += value.byteLength
      if (piece.byteLength > 0) yield piece
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
