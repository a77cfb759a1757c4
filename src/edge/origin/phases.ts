import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { OriginLimits } from './limits.ts'

export type PhaseVerdict = {
  readonly code: 'origin-timeout' | 'origin-unreachable' | 'cancelled'
  readonly why: string
}

/** The deadlines of one exchange: one for the whole, one for what is being waited for now. */
export type Phases = {
  /** Runs once the connection stands; at once if it does. */
  whenConnected(then: () => void): void
  connected(): boolean
  /** Whether a connection was begun at all: all there may be can be in use. */
  begun(): boolean
  /** The request is out: the time to the head begins (RFC 9110 sets none; a slow honest upload does not count). */
  requestSent(): void
  headArrived(): void
  /** Waits for bytes at most this long; `stop` when they came, or when nobody wants them. */
  waitForBytes(what: string, waitMs: number): void
  stop(): void
  /** Cuts the exchange off and keeps the reason. */
  cut(verdict: PhaseVerdict): void
  /** Why it was cut off, if it was. */
  verdict(): PhaseVerdict | null
  /** The exchange is over: no deadline is left behind. */
  end(): void
}

/** Whoever uses the connection is told by the request. */
const ignore = (): void => {}

export function createPhases(options: {
  readonly outgoing: ClientRequest
  readonly limits: OriginLimits
  readonly signal: AbortSignal
}): Phases {
  const { outgoing, limits, signal } = options
  let verdict: PhaseVerdict | null = null
  let isConnected = false
  let hasSocket = false
  let headCame = false
  let current: ReturnType<typeof setTimeout> | undefined
  const onConnected: (() => void)[] = []

  const cut = (reason: PhaseVerdict): void => {
    verdict ??= reason
    outgoing.destroy(new Error(reason.why))
  }
  const cancel = (): void => cut({ code: 'cancelled', why: 'the client went away' })
  const arm = (what: string, waitMs: number, code: PhaseVerdict['code']): void => {
    clearTimeout(current)
    current = setTimeout(() => cut({ code, why: `${what} took longer than ${waitMs} ms` }), waitMs)
  }
  const stop = (): void => clearTimeout(current)
  const connect = (): void => {
    isConnected = true
    stop()
    for (const then of onConnected.splice(0)) then()
  }
  const whole = setTimeout(
    () => cut({ code: 'origin-timeout', why: `the exchange took longer than ${limits.edgeOriginExchangeMs} ms` }),
    limits.edgeOriginExchangeMs,
  )
  // No connection: nothing was sent, so this is the origin being away and not it being slow.
  arm('connecting', limits.edgeOriginConnectTimeoutMs, 'origin-unreachable')
  signal.addEventListener('abort', cancel, { once: true })
  outgoing.on('socket', (socket: Socket) => {
    hasSocket = true
    // Cut off when its answer has come whole and nobody has read it yet, a connection is the agent's again and has no listener.
    if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
    if (!socket.connecting) connect()
    else socket.once('connect', connect)
  })

  return {
    whenConnected(then) {
      if (isConnected) then()
      else onConnected.push(then)
    },
    connected: () => isConnected,
    begun: () => hasSocket,
    requestSent() {
      if (!headCame) arm('waiting for the head of the response', limits.edgeOriginHeadTimeoutMs, 'origin-timeout')
    },
    headArrived() {
      headCame = true
      stop()
    },
    waitForBytes: (what, waitMs) => arm(what, waitMs, 'origin-timeout'),
    stop,
    cut,
    verdict: () => verdict,
    end() {
      clearTimeout(whole)
      stop()
      signal.removeEventListener('abort', cancel)
    },
  }
}
