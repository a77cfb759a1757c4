import type { Limits } from '../kernel/index.ts'

/**
 * The sessions that were ended and whose tokens may still be about. Edges and cells remember them alike: for a bounded time,
 * exactly up to a number, and beyond it in a filter that forgets none and now and then takes another for one of them.
 */
export type RevokedSessions = {
  /** False when it is known already, or so long ago that none of its tokens is left. */
  add(sessionId: string, revokedAtMs: number): boolean
  has(sessionId: string): boolean
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

/** `nowMs` is wall time, because the tokens expire by it. */
export function createRevokedSessions(options: {
  readonly limits: Pick<Limits, 'pathTokenTtlMs' | 'pathTokenGraceMs' | 'sessionsRevokedMax'>
  readonly nowMs: () => number
}): RevokedSessions {
  const { limits, nowMs } = options
  const { sessionsRevokedMax } = limits
  const keptMs = sessionRevocationKeptMs(limits)
  /** Until when, in the order they were heard of: nearly that in which they are forgotten. */
  const untilMs = new Map<string, number>()
  const overflow = createOverflow({ bytes: sessionsRevokedMax * OVERFLOW_BYTES_PER_SESSION, keptMs })

  const has = (sessionId: string): boolean => {
    const until = untilMs.get(sessionId)
    if (until !== undefined) return until >= nowMs()
    return overflow.has(sessionId, nowMs())
  }
  const makeRoom = (now: number): void => {
    for (const [sessionId, until] of untilMs) {
      if (until >= now && untilMs.size <= sessionsRevokedMax) return
      untilMs.delete(sessionId)
      if (until >= now) overflow.add(sessionId, until, now)
    }
  }

  return {
    add(sessionId, revokedAtMs) {
      const now = nowMs()
      // A clock that runs ahead must not have it remembered for ever.
      const until = Math.min(revokedAtMs, now) + keptMs
      const known = untilMs.get(sessionId)
      if (until < now || (known !== undefined && known >= until)) return false
      untilMs.delete(sessionId)
      untilMs.set(sessionId, until)
      makeRoom(now)
      return known === undefined
    },
    has,
    size: () => untilMs.size,
  }
}

/** 64 bits for each that is remembered exactly: eight times as many again are taken for others in 2.4% of cases. */
const OVERFLOW_BYTES_PER_SESSION = 8
const PROBES = 4

type Generation = { readonly bits: Uint8Array; readonly openedAtMs: number; untilMs: number }

/** Bloom filters, the older of which goes when all in it may be forgotten. Its size is fixed; it is made when it is first needed. */
function createOverflow({ bytes, keptMs }: { readonly bytes: number; readonly keptMs: number }): {
  add(sessionId: string, untilMs: number, nowMs: number): void
  has(sessionId: string, nowMs: number): boolean
} {
  let generations: readonly Generation[] = []
  const youngest = (nowMs: number): Generation => {
    const [young] = generations
    if (young && nowMs - young.openedAtMs <= keptMs) return young
    const opened = { bits: new Uint8Array(bytes), openedAtMs: nowMs, untilMs: 0 }
    generations = young ? [opened, young] : [opened]
    return opened
  }
  return {
    add(sessionId, untilMs, nowMs) {
      const generation = youngest(nowMs)
      generation.untilMs = Math.max(generation.untilMs, untilMs)
      for (const bit of probesOf(sessionId, bytes * 8)) {
        const at = bit >>> 3
        generation.bits[at] = (generation.bits[at] ?? 0) | (1 << (bit & 7))
      }
    },
    has(sessionId, nowMs) {
      const live = generations.filter(({ untilMs }) => untilMs >= nowMs)
      if (live.length === 0) return false
      const probes = probesOf(sessionId, bytes * 8)
      return live.some(({ bits }) => probes.every((bit) => ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0))
    },
  }
}

/** Two hashes give all four (Kirsch and Mitzenmacher, 2006). */
function probesOf(text: string, bits: number): number[] {
  const first = hashOf(text, 0x811c9dc5)
  const second = hashOf(text, 0x9e3779b9) | 1
  return Array.from({ length: PROBES }, (_, probe) => ((first + Math.imul(probe, second)) >>> 0) % bits)
}

/** FNV-1a, finished as MurmurHash3 does: its last characters would otherwise move only the last bits. */
function hashOf(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
