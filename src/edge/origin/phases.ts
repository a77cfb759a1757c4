import type { OriginLimits } from './limits.ts'

export type PhaseVerdict = {
  readonly code: 'origin-timeout' | 'origin-unreachable' | 'cancelled'
  readonly why: string
}

/** The deadline of what an exchange waits for now, which is never later than that of the whole exchange. */
export type Phases = {
  /** No connection: nothing was sent, so this is the origin being away and not it being slow. */
  connecting(): void
  /** The request is out: the time to the head begins (RFC 9110 sets none; a slow honest upload does not count). */
  awaitingHead(): void
  /** Waits for bytes at most this long. */
  awaitingBytes(what: string): void
  /** The origin is not the one who is waited for. */
  waitingForUs(): void
  /** The exchange is over: no deadline is left behind. */
  end(): void
}

export type PhaseLimits = Pick<
  OriginLimits,
  'edgeOriginConnectTimeoutMs' | 'edgeOriginHeadTimeoutMs' | 'edgeOriginSilenceMs' | 'edgeOriginExchangeMs'
>

/** What one exchange waits for; `waitMs` null: only for its end. */
type Watched = {
  readonly startedMs: number
  readonly onLate: (verdict: PhaseVerdict) => void
  what: string
  code: PhaseVerdict['code']
  sinceMs: number
  waitMs: number | null
}

/** The deadlines of all exchanges with one origin: one timer looks at them now and then, since one for each costs more than many a head. */
export type PhaseWatch = {
  begin(onLate: (verdict: PhaseVerdict) => void): Phases
}

export function createPhaseWatch(limits: PhaseLimits): PhaseWatch {
  const watched = new Set<Watched>()
  const sweepMs = toSweepMs(limits)
  let timer: ReturnType<typeof setInterval> | null = null

  const sweep = (): void => {
    const nowMs = performance.now()
    for (const one of watched) {
      const verdict = decideLate(one, limits, nowMs)
      if (verdict === null) continue
      watched.delete(one)
      one.onLate(verdict)
    }
    if (watched.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  return {
    begin(onLate) {
      const startedMs = performance.now()
      const own: Watched = { startedMs, onLate, what: '', code: 'cancelled', sinceMs: startedMs, waitMs: null }
      const wait = (what: string, waitMs: number | null, code: PhaseVerdict['code']): void => {
        own.what = what
        own.code = code
        own.waitMs = waitMs
        own.sinceMs = performance.now()
      }
      watched.add(own)
      timer ??= setInterval(sweep, sweepMs)
      return {
        connecting: () => wait('connecting', limits.edgeOriginConnectTimeoutMs, 'origin-unreachable'),
        awaitingHead: () =>
          wait('waiting for the head of the response', limits.edgeOriginHeadTimeoutMs, 'origin-timeout'),
        awaitingBytes: (what) => wait(what, limits.edgeOriginSilenceMs, 'origin-timeout'),
        waitingForUs: () => wait('', null, 'origin-timeout'),
        end: () => void watched.delete(own),
      }
    },
  }
}

/** What is late of an exchange; null while nothing is. */
function decideLate(one: Watched, limits: PhaseLimits, nowMs: number): PhaseVerdict | null {
  const { what, code, waitMs, sinceMs, startedMs } = one
  if (nowMs - startedMs >= limits.edgeOriginExchangeMs)
    return { code: 'origin-timeout', why: `the exchange took longer than ${limits.edgeOriginExchangeMs} ms` }
  if (waitMs === null || nowMs - sinceMs < waitMs) return null
  return { code, why: `${what} took longer than ${waitMs} ms` }
}

/** Often enough that a deadline is kept to a tenth of itself, and to a tenth of a second. */
function toSweepMs(limits: PhaseLimits): number {
  const shortestMs = Math.min(
    limits.edgeOriginConnectTimeoutMs,
    limits.edgeOriginHeadTimeoutMs,
    limits.edgeOriginSilenceMs,
    limits.edgeOriginExchangeMs,
  )
  return Math.max(5, Math.min(100, Math.floor(shortestMs / 10)))
}
