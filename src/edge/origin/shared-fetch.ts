import { type Clock, DEFAULT_LIMITS } from '../../kernel/index.ts'
import type { CancelSignal } from '../server/cancel.ts'
import { createWindowPool, type WindowPool } from './chunk-window.ts'
import type { Accepts, FetchFailure, Joined, StartFetch } from './fetched.ts'
import type { SharedFetchLimits } from './limits.ts'
import { type Following, type Joining, type RecordContext, type SharedRecord, startRecord } from './shared-record.ts'

export type SharedFetches<Head> = {
  /**
   * Joins the fetch for `key`, or starts it. Resolves with the head, or with the failure everyone gets. When `signal`
   * aborts, this one leaves; the fetch ends when the last one has left and nothing is being stored. Rejects only if
   * `start` does. One who does not accept what the fetch of another brought makes one of its own.
   */
  join(key: string, start: StartFetch<Head>, signal: CancelSignal, accepts?: Accepts<Head>): Promise<Joined<Head>>
  /** Whether `join` would share a fetch that somebody else began. */
  canJoin(key: string): boolean
  /** Whether there is one whose head is there and is the one that is meant: to be followed. */
  isUnderWay(key: string, isMeant: (head: Head) => boolean): boolean
  /** A fetch that nobody joins: of a request that may have an answer of its own. */
  fetchAlone(key: string, start: StartFetch<Head>, signal: CancelSignal): Promise<Joined<Head>>
  /**
   * The bytes of a fetch under way, from one on. It ends early for a reader that falls behind what is kept. Null where there
   * is no such fetch, the byte is not kept any more, or more than `aheadMax` bytes have to come before it.
   */
  follow(key: string, from: Following<Head>): ReadableStream<Uint8Array> | null
  /**
   * Purged: nothing under way that matches is stored or joined any more; those who are served already are served to the
   * end. The head is null while it is waited for.
   */
  detach(matches: (key: string, head: Head | null) => boolean): void
  /** Withdrawn: everything under way ends with this failure, in the middle of a body, too. */
  abort(matches: (key: string) => boolean, failure: { readonly code: string; readonly why: string }): void
  stats(): { readonly fetches: number; readonly readers: number; readonly bufferedBytes: number }
}

/** Requests collapsed into one fetch (RFC 9111, 4), streamed to all of them as it arrives. */
export function createSharedFetches<Head>(options: {
  readonly clock: Clock
  readonly limits?: Partial<SharedFetchLimits>
}): SharedFetches<Head> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const pool: WindowPool = createWindowPool({
    windowBytes: limits.edgeFetchWindowBytes,
    poolBytes: limits.edgeFetchPoolBytes,
  })
  const byKey = new Map<string, SharedRecord<Head>>()
  const records = new Set<SharedRecord<Head>>()
  const loners = createLoners({ clock: options.clock, limits })

  const begin = (key: string, start: StartFetch<Head>, isAlone: boolean): SharedRecord<Head> | null => {
    if (records.size >= limits.edgeFetchesMax) return null
    const context: RecordContext<Head> = {
      key,
      isAlone,
      openWindow: pool.open,
      leadBytes: () => (pool.isTight() ? 0 : limits.edgeFetchWindowBytes / 2),
      startAlone: (startOwn, signal) => joinAlone(key, startOwn, signal),
      joinNext: (joining) => joinNext(key, joining),
      onShare(share) {
        // What came for one alone says nothing about what others would be given.
        if (isAlone || share === 'not-this-time') return
        if (share) loners.forget(key)
        else loners.remember(key)
      },
      onDoorClosed: () => {
        if (byKey.get(key) === record) byKey.delete(key)
      },
      onOver: () => records.delete(record),
    }
    const record = startRecord(start, context)
    records.add(record)
    if (!isAlone) byKey.set(key, record)
    return record
  }
  const joinAlone = async (key: string, start: StartFetch<Head>, signal: CancelSignal): Promise<Joined<Head>> => {
    const joined = await (begin(key, start, true)?.join({
      start,
      signal,
      isOwner: true,
      isSecond: false,
      accepts: anything,
    }) ?? overloaded(limits.edgeFetchesMax))
    return joined.ok ? { ...joined, role: 'alone' } : joined
  }
  /** Once: should that come to nothing either, they all go at the same time, not one after the other. */
  const joinNext = (key: string, { start, signal, accepts, isSecond }: Joining<Head>): Promise<Joined<Head>> => {
    if (isSecond || signal.aborted) return joinAlone(key, start, signal)
    return join(key, { start, signal, accepts, isSecond: true })
  }
  const join = (key: string, joining: Omit<Joining<Head>, 'isOwner'>): Promise<Joined<Head>> => {
    const { start, signal } = joining
    const found = byKey.get(key)
    if (found?.canJoin()) return found.join({ ...joining, isOwner: false })
    if (found || loners.has(key)) return joinAlone(key, start, signal)
    const begun = begin(key, start, false)
    return begun ? begun.join({ ...joining, isOwner: true }) : overloadedLater(limits.edgeFetchesMax)
  }

  return {
    join(key, start, signal, accepts = anything) {
      if (signal.aborted) return Promise.resolve(LEFT)
      return join(key, { start, signal, accepts, isSecond: false })
    },
    canJoin: (key) => byKey.get(key)?.canJoin() ?? false,
    isUnderWay(key, isMeant) {
      const head = byKey.get(key)?.head() ?? null
      return head !== null && isMeant(head)
    },
    fetchAlone: (key, start, signal) => (signal.aborted ? Promise.resolve(LEFT) : joinAlone(key, start, signal)),
    follow: (key, from) => byKey.get(key)?.follow(from) ?? null,
    detach(matches) {
      for (const record of [...records]) if (matches(record.key, record.head())) record.detach()
    },
    abort(matches, { code, why }) {
      for (const record of [...records]) if (matches(record.key)) record.abort({ ok: false, code, why })
    },
    stats() {
      let readers = 0
      for (const record of records) readers += record.readers()
      return { fetches: records.size, readers, bufferedBytes: pool.accountedBytes() }
    },
  }
}

const anything = (): boolean => true

const LEFT: FetchFailure = { ok: false, code: 'cancelled', why: 'the client went away' }

const overloadedLater = (fetchesMax: number): Promise<FetchFailure> => Promise.resolve(overloaded(fetchesMax))

const overloaded = (fetchesMax: number): FetchFailure => {
  return { ok: false, code: 'overloaded', why: `${fetchesMax} fetches are under way, the most there may be; retry` }
}

/** Keys whose last response could not be shared; the oldest makes room. */
function createLoners(options: { readonly clock: Clock; readonly limits: SharedFetchLimits }): {
  has(key: string): boolean
  remember(key: string): void
  forget(key: string): void
} {
  const untilMs = new Map<string, number>()
  return {
    has(key) {
      const until = untilMs.get(key)
      if (until === undefined) return false
      if (until > options.clock.elapsedMs()) return true
      untilMs.delete(key)
      return false
    },
    remember(key) {
      untilMs.delete(key)
      untilMs.set(key, options.clock.elapsedMs() + options.limits.edgeFetchAloneMs)
      const oldest = untilMs.size > options.limits.edgeFetchAloneKeysMax ? untilMs.keys().next() : null
      if (oldest && !oldest.done) untilMs.delete(oldest.value)
    },
    forget: (key) => untilMs.delete(key),
  }
}
