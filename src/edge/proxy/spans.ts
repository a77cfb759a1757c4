import { entityTagOf } from '../cache/policy/index.ts'
import { type ByteRange, type FieldLine, parseRanges } from '../http/index.ts'
import type { Content, Joined, SharedFetches } from '../origin/index.ts'
import type { AnswerPool } from './answer-pool.ts'
import type { Ask } from './ask.ts'
import type { JoinFetch } from './join-fetch.ts'
import { type FetchedHead, isRefetchable, type Source } from './land.ts'
import { declaredLength } from './messages.ts'
import type { Body } from './respond.ts'
import { cancel } from './respond.ts'
import type { Cached, ResponseCache } from './response-cache.ts'
import { toStream } from './to-stream.ts'
import type { UnsliceableUris } from './unsliceable.ts'

/**
 * Reads answers wherever their bytes are: in the cache, on their way into it by a fetch that can be followed, or still at the
 * origin, from which slices are fetched one by one, as they are come to.
 */
export type Spans<C> = {
  /** The bytes from `start` to before `end`: at once where they are all here and few, else as a stream that goes with its reader. */
  read(ask: Ask<C>, cached: Cached, span: ByteRange): Body
  /** From this byte to the end. */
  goOn(ask: Ask<C>, source: Source, fromByte: number): ReadableStream<Uint8Array>
  /** The slice at which an answer to this range would begin, fetched: by it the whole is known. */
  begin(
    ask: Ask<C>,
    range: string,
    about: { readonly validating: Cached | null; readonly add: readonly FieldLine[] },
  ): Promise<Joined<FetchedHead>>
  /** Whether what is missing of it is on its way, or can be fetched and put beside what is here (RFC 9111, 3.4). */
  canComplete(cached: Cached, fromByte: number): boolean
  /** Whether all of it is on its way, by a fetch that can be followed. */
  isComing(cached: Cached): boolean
}

type Stream = Exclude<Content, null>

/** Some of an answer's bytes as a fetch brings them: from the first of `content`, of which `skip` come before those wanted. */
type Opened = { readonly content: Stream; readonly skip: number; readonly endByte: number; readonly source: Source }

export function createSpans<C>(options: {
  readonly cache: ResponseCache
  readonly fetches: SharedFetches<FetchedHead>
  readonly joining: JoinFetch<C>
  readonly unsliceable: UnsliceableUris
  readonly pool: AnswerPool
  readonly answerBytesMax: number
  readonly rangesMax: number
}): Spans<C> {
  const { cache, fetches, joining, unsliceable, pool, answerBytesMax, rangesMax } = options
  const { sliceBytes } = cache

  /** From the origin; throws when it is not of the version that is being sent. */
  const open = async (ask: Ask<C>, source: Source, span: ByteRange): Promise<Opened> => {
    const index = Math.floor(span.start / sliceBytes)
    const start = index * sliceBytes
    const slice = { start, end: Math.min(start + sliceBytes, source.sizeBytes ?? span.end) }
    // No If-Range: an origin that has another version now would send all of it, and a film is never pulled for a minute of it.
    const isSliceable = unsliceable.get(ask.head.uri) !== 'whole'
    const errand = { validating: null, add: [], span: isSliceable ? slice : null }
    const joined = await joining.join(ask, isSliceable ? `\nslice ${index}` : '', errand)
    if (!joined.ok) throw new Error(joined.why)
    const { part, stored, entry } = joined.head
    const content = joined.body
    if (content && part && isSame(part, source))
      return { content, skip: span.start - start, endByte: Math.min(slice.end, span.end), source: part }
    const whole = stored && { stored, entry, sizeBytes: declaredLength(stored.fields) }
    if (content && !part && whole && isSame(whole, source)) {
      unsliceable.set(ask.head.uri, 'whole')
      return { content, skip: span.start, endByte: span.end, source: whole }
    }
    cancel(content)
    throw new Error(`byte ${span.start}: the origin has another version now than the one that is being sent; ask again`)
  }

  /** The fetch that brings this byte, from there on, if it soon does, or nothing else can. */
  const follow = (ask: Ask<C>, source: Source, at: number): ReadableStream<Uint8Array> | null => {
    const fill = source.entry && cache.fillAt(source.entry, at)
    if (!fill) return null
    const mustWait = !isRefetchable(source) || unsliceable.get(ask.head.uri) === 'whole'
    const aheadMax = mustWait ? Number.POSITIVE_INFINITY : sliceBytes
    const isMeant = (head: FetchedHead): boolean => head.fill === fill
    return fetches.follow(fill.key, { fromByte: at - fill.fromByte, aheadMax, signal: ask.request.signal, isMeant })
  }

  async function* pieces(ask: Ask<C>, from: Source, span: ByteRange): AsyncGenerator<Uint8Array> {
    let source = from
    let at = span.start
    // Where a body of unknown size ends shows when all of it has come.
    const end = (): number => Math.min(span.end, source.sizeBytes ?? source.entry?.sizeBytes ?? span.end)
    while (at < end()) {
      mustGoOn(ask)
      const here = source.entry && cache.pieceAt(source.entry, { start: at, end: end() })
      if (here) {
        at += here.byteLength
        yield here
        continue
      }
      const coming = follow(ask, source, at)
      const opened: Opened | null = coming ? null : await openAgain(ask, source, { start: at, end: end() })
      if (opened) source = opened.source
      for await (const piece of opened ? cut(opened, at) : first(coming, end() - at)) {
        mustGoOn(ask)
        at += piece.byteLength
        yield piece
      }
    }
  }

  const openAgain = async (ask: Ask<C>, source: Source, span: ByteRange): Promise<Opened> => {
    if (isRefetchable(source)) return await open(ask, source, span)
    throw new Error(
      `byte ${span.start}: it is not here any more, and has no strong entity tag to be fetched again by; ask again`,
    )
  }

  /** What cannot be fetched again is held for its reader, as far as there is room. */
  const readLong = (ask: Ask<C>, source: Source & { readonly entry: Cached['entry'] }, span: ByteRange): Body => {
    if (isRefetchable(source)) return toStream(pieces(ask, source, span))
    const here = cache.read({ ...source, sizeBytes: source.sizeBytes ?? span.end }, span)
    const held = here && pool.hold(here instanceof Uint8Array ? [here] : here)
    return toStream(held ? guarded(ask, held) : pieces(ask, source, span))
  }

  const isComing = ({ entry }: Cached): boolean => {
    const fill = cache.fillAt(entry, 0)
    return fill?.isWhole === true && fetches.isUnderWay(fill.key, (head) => head.fill === fill)
  }

  return {
    read(ask, cached, span) {
      if (span.end - span.start > answerBytesMax) return readLong(ask, cached, span)
      return cache.read(cached, span) ?? toStream(pieces(ask, cached, span))
    },
    goOn: (ask, source, fromByte) =>
      toStream(pieces(ask, source, { start: fromByte, end: source.sizeBytes ?? Number.POSITIVE_INFINITY })),
    async begin(ask, range, about) {
      const index = Math.floor(firstByteOf(range, rangesMax) / sliceBytes)
      const span = { start: index * sliceBytes, end: (index + 1) * sliceBytes }
      // One fetch for all who know nothing of it yet, whichever slice they want: what comes may be the whole.
      const joined = await joining.join(ask, about.validating ? '\nslices validate' : '\nslices', { ...about, span })
      if (joined.ok && !joined.head.part && joined.head.stored?.status === 200) unsliceable.set(ask.head.uri, 'whole')
      return joined
    },
    canComplete(cached, fromByte) {
      if (isRefetchable(cached)) return true
      if (!isComing(cached)) return false
      const comeBytes = cache.fillAt(cached.entry, 0)?.store.atByte() ?? 0
      return fromByte >= comeBytes || cache.hasCome(cached.entry, { start: fromByte, end: comeBytes })
    },
    isComing,
  }
}

/** The same bytes, by strong entity tag and size. */
function isSame(one: Source, other: Source): boolean {
  if (!isRefetchable(one) || !isRefetchable(other) || one.sizeBytes !== other.sizeBytes) return false
  return entityTagOf(one.stored.fields) === entityTagOf(other.stored.fields)
}

function mustGoOn<C>({ mayGoOn }: Ask<C>): void {
  if (mayGoOn && !mayGoOn()) throw new Error('who is given this may not have it any more')
}

/** The same pieces, as long as they may be given. */
export async function* guarded<C>(ask: Ask<C>, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    mustGoOn(ask)
    yield piece
  }
}

/** Where the first of the ranges begins; 0 where that hangs on the size, which the first slice tells. */
export function firstByteOf(range: string, rangesMax: number): number {
  const parsed = parseRanges(range, Number.MAX_SAFE_INTEGER, rangesMax)
  const start = parsed.kind === 'ranges' ? (parsed.ranges[0]?.start ?? 0) : 0
  return /^bytes=\s*-/i.test(range) ? 0 : start
}

/** The first bytes of a stream, at most so many. */
async function* first(stream: ReadableStream<Uint8Array> | null, bytesMax: number): AsyncGenerator<Uint8Array> {
  let left = bytesMax
  for await (const piece of stream ?? []) {
    yield piece.byteLength > left ? piece.subarray(0, left) : piece
    left -= piece.byteLength
    if (left <= 0) return
  }
}

/** What is wanted of a fetch's bytes, from `at` on; throws when they end before. */
async function* cut({ content, skip, endByte }: Opened, at: number): AsyncGenerator<Uint8Array> {
  let skipped = 0
  let left = endByte - at
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    const piece = chunk.subarray(Math.max(0, skip - skipped))
    skipped += chunk.byteLength - piece.byteLength
    if (piece.byteLength > 0) yield piece.byteLength > left ? piece.subarray(0, left) : piece
    left -= piece.byteLength
    if (left <= 0) return
  }
  throw new Error(`fetched bytes ended ${left} short of what was announced`)
}
