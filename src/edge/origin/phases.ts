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

export function createPhases(options: {
  readonly limits: OriginLimits
  readonly onLate: (verdict: PhaseVerdict) => void
}): Phases {
  const { limits, onLate } = options
  const startedMs = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined

  const arm = (what: string, waitMs: number, code: PhaseVerdict['code']): void => {
    clearTimeout(timer)
    const leftMs = startedMs + limits.edgeOriginExchangeMs - performance.now()
    if (waitMs < leftMs)
      timer = setTimeout(() => onLate({ code, why: `${what} took longer than ${waitMs} ms` }), waitMs)
    else armWhole(leftMs)
  }
  const armWhole = (leftMs: number): void => {
    const why = `the exchange took longer than ${limits.edgeOriginExchangeMs} ms`
    timer = setTimeout(() => onLate({ code: 'origin-timeout', why }), Math.max(0, leftMs))
  }

  return {
    connecting: () => arm('connecting', limits.edgeOriginConnectTimeoutMs, 'origin-unreachable'),
    awaitingHead: () => arm('waiting for the head of the response', limits.edgeOriginHeadTimeoutMs, 'origin-timeout'),
    awaitingBytes: (what) => arm(what, limits.edgeOriginSilenceMs, 'origin-timeout'),
    waitingForUs() {
      clearTimeout(timer)
      armWhole(startedMs + limits.edgeOriginExchangeMs - performance.now())
    },
    end: () => clearTimeout(timer),
  }
}
