import type { Socket, SocketHandler } from 'bun'
import { describeError, Fault } from '../../../kernel/index.ts'
import type { LinkConditions } from '../plan.ts'
import { type Address, describeAddress } from './address.ts'
import type { Budget } from './lane.ts'
import { createPair, type Pair, type PairEnd } from './pair.ts'

/** What all connections of one proxy may hold together. */
const BUFFERED_BYTES_MAX = 256 * 1024 * 1024

export type ProxyOptions = {
  /** Port 0 takes a free one. */
  readonly listen: Address
  readonly target: Address
  /** Awaited when the target refuses, or ends a connection by itself, before the caller learns of it. */
  readonly onTargetGone?: () => Promise<void>
  /** From 0 up to 1, for the jitter. */
  readonly random?: () => number
}

export type FaultProxy = {
  /** 0 for a Unix socket. */
  readonly port: number
  /** For connections that exist and for those to come; `{}` is a link with nothing wrong. */
  setConditions(conditions: LinkConditions): void
  connections(): number
  /** What was read and not yet passed on. */
  bufferedBytes(): number
  /** Every connection is reset; a Unix socket's file goes. */
  close(): void
}

/**
 * Passes connections on to a target, as well or as badly as its conditions say. The order of bytes is kept, half-closing is passed on,
 * a slow receiver slows its sender down. Fault `proxy-not-listening`.
 *
 * A reset shows as ECONNRESET over TCP. A Unix socket can only show it to a peer that has sent something unread; to others it is an end
 * without notice.
 */
export function createProxy(options: ProxyOptions): FaultProxy {
  const { target, random = Math.random } = options
  const pairs = new Set<Pair>()
  const budget: Budget = { usedBytes: 0, bytesMax: BUFFERED_BYTES_MAX }
  let conditions: LinkConditions = {}

  const accept = (caller: Socket<PairEnd>): void => {
    const { pair, ...ends } = createPair({
      caller,
      budget,
      nowMs: () => performance.now(),
      random,
      conditions,
      onTargetGone: options.onTargetGone ?? null,
      onClosed: () => void pairs.delete(pair),
    })
    caller.data = ends.caller
    pairs.add(pair)
    if (conditions.cut === 'reset') pair.reset()
    else if (conditions.cut === undefined) callTarget(target, pair, ends.target)
  }

  const listener = listen(options.listen, { ...REPORTS, open: accept })

  return {
    port: listener.port,
    setConditions(next) {
      conditions = next
      for (const pair of [...pairs]) pair.setConditions(next)
    },
    connections: () => pairs.size,
    bufferedBytes: () => budget.usedBytes,
    close() {
      // The listener's own way to close connections is the polite one.
      for (const pair of [...pairs]) pair.reset()
      listener.stop()
    },
  }
}

const REPORTS: SocketHandler<PairEnd> = {
  data: (socket, bytes) => socket.data.data(bytes),
  end: (socket) => socket.data.ended(),
  close: (socket, error) => socket.data?.closed(error !== undefined),
  error: (socket) => socket.data?.closed(true),
  drain: (socket) => socket.data.drained(),
}

function callTarget(target: Address, pair: Pair, end: PairEnd): void {
  const handler: SocketHandler<PairEnd> = {
    ...REPORTS,
    open: (socket) => pair.open(socket),
    connectError: () => pair.refused(),
  }
  const options = { data: end, allowHalfOpen: true, socket: handler }
  const called = 'unix' in target ? Bun.connect({ ...options, ...target }) : Bun.connect({ ...options, ...target })
  // `connectError` has said it already.
  called.catch(() => {})
}

function listen(address: Address, socket: SocketHandler<PairEnd>): { port: number; stop(): void } {
  try {
    const options = { allowHalfOpen: true, socket }
    if ('unix' in address) {
      const listener = Bun.listen({ ...options, ...address })
      return { port: 0, stop: () => listener.stop(true) }
    }
    const listener = Bun.listen({ ...options, ...address })
    return { port: listener.port, stop: () => listener.stop(true) }
  } catch (error) {
    throw new Fault(
      'proxy-not-listening',
      `the fault proxy cannot listen on ${describeAddress(address)}: ${describeError(error)}; end the program that has it, or storm another platform`,
      { cause: error },
    )
  }
}
