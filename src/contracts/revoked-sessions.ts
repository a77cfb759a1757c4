import { createQueue, type Limits } from '../kernel/index.ts'
import { createRevokedFilter } from './revoked-filter.ts'

/** Who ended it: staff, or the viewer whose session it is. */
export type EndedBy = 'staff' | 'viewer'

/**
 * The sessions that were ended and whose tokens may still be about. Edges and cells remember them alike, for a bounded time.
 * Those ended by staff: exactly up to a number, and beyond it in a filter that forgets none and now and then takes another for
 * one of them. Those ended by viewers, of whom anybody may have any number: up to a number of their own, beyond which the
 * oldest is forgotten. So viewers push nothing of staff's out, and never have the session of another taken for an ended one.
 */
export type RevokedSessions = {
  /** False when it is known already, or so long ago that none of its tokens is left. */
  add(sessionId: string, revokedAtMs: number, endedBy: EndedBy): boolean
  has(sessionId: string): boolean
  /** Only true of those remembered exactly. */
  isRemembered(sessionId: string): boolean
  /** Those remembered exactly. */
  size(): number
}

/** Tokens expire in whole seconds, rounded up. */
const ROUNDING_MS = 1_000

/** A cell that has not heard all of the log for this long renews nothing. */
export function sessionDeafMs(limits: Pick<Limits, 'pathTokenGraceMs'>): number {
  return limits.pathTokenGraceMs
}

/**
 * How long a revocation matters. The last token from before it can be renewed for `pathTokenTtlMs` and `pathTokenGraceMs`,
 * by a cell that has not heard: one that is deaf stops sooner, but one that was itself stopped may renew in the moment
 * before it hears. The token so made lives and can be renewed for as long again, by cells that have heard.
 */
export function sessionRevocationKeptMs(limits: Pick<Limits, 'pathTokenTtlMs' | 'pathTokenGraceMs'>): number {
  return 2 * (limits.pathTokenTtlMs + limits.pathTokenGraceMs) + ROUNDING_MS
}

/**
 * `nowMs` is any clock that never steps, and `revokedAtMs` is read from it: neither wall clock, one's own or another's, decides
 * what is forgotten.
 */
export function createRevokedSessions(options: {
  readonly limits: Pick<Limits, 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'sessionsRevokedMax' | 'sessionsEndedMax'>
  readonly nowMs: () => number
}): RevokedSessions {
  const { limits, nowMs } = options
  const { sessionsRevokedMax, sessionsEndedMax } = limits
  const keptMs = sessionRevocationKeptMs(limits)
  const filter = createRevokedFilter({ bytes: sessionsRevokedMax * FILTER_BYTES_PER_SESSION, keptMs })
  const lists: Readonly<Record<EndedBy, ExactList>> = {
    staff: createExactList({ max: sessionsRevokedMax, onPushedOut: filter.add }),
    viewer: createExactList({ max: sessionsEndedMax, onPushedOut: () => {} }),
  }
  const isRemembered = (sessionId: string): boolean => {
    const now = nowMs()
    return lists.staff.untilMs(sessionId) >= now || lists.viewer.untilMs(sessionId) >= now
  }

  return {
    add(sessionId, revokedAtMs, endedBy) {
      const now = nowMs()
      const until = Math.min(revokedAtMs, now) + keptMs
      const list = lists[endedBy]
      if (until < now || list.untilMs(sessionId) >= until) return false
      const isNew = !isRemembered(sessionId)
      list.set(sessionId, until, now)
      return isNew
    },
    has: (sessionId) => isRemembered(sessionId) || filter.has(sessionId, nowMs()),
    isRemembered,
    size: () => lists.staff.size() + lists.viewer.size(),
  }
}

/** 64 bits for each that is remembered exactly: eight times as many again are taken for others in 2.4% of cases. */
const FILTER_BYTES_PER_SESSION = 8

type ExactList = {
  /** In the past of any clock when it is not there. */
  untilMs(sessionId: string): number
  set(sessionId: string, untilMs: number, nowMs: number): void
  size(): number
}

/** `onPushedOut` gets those that had to make room before their time. */
function createExactList(options: {
  readonly max: number
  readonly onPushedOut: (sessionId: string, untilMs: number, nowMs: number) => void
}): ExactList {
  const { max, onPushedOut } = options
  const untils = new Map<string, number>()
  /** Each once, in the order they were heard of: nearly that in which they are forgotten. */
  const order = createQueue<{ readonly sessionId: string; readonly untilMs: number }>()

  const makeRoom = (nowMs: number): void => {
    for (;;) {
      const first = order.first()
      if (first === undefined || (first.untilMs >= nowMs && untils.size <= max)) return
      const { sessionId } = first
      const until = untils.get(sessionId) ?? first.untilMs
      order.shift()
      if (until > first.untilMs) {
        // Said again since: its turn is as late as if it had been said only then.
        order.push({ sessionId, untilMs: until })
      } else {
        untils.delete(sessionId)
        if (until >= nowMs) onPushedOut(sessionId, until, nowMs)
      }
    }
  }
  return {
    untilMs: (sessionId) => untils.get(sessionId) ?? Number.NEGATIVE_INFINITY,
    set(sessionId, untilMs, nowMs) {
      if (!untils.has(sessionId)) order.push({ sessionId, untilMs })
      untils.set(sessionId, untilMs)
      makeRoom(nowMs)
    },
    size: () => untils.size,
  }
}
