import type { Socket } from 'bun'
import type { LinkConditions } from '../plan.ts'
import { type Budget, createLane, type Lane } from './lane.ts'

/** A caller's connection and the one made for it to the target, with a lane in each direction. */
export type Pair = {
  /** The connection to the target is there. */
  open(target: Socket<PairEnd>): void
  /** There is no target: the caller is reset. */
  refused(): void
  setConditions(conditions: LinkConditions): void
  /** Both sides are reset. */
  reset(): void
}

/** What a socket of either side reports. */
export type PairEnd = {
  data(bytes: Uint8Array): void
  /** The peer sends no more. */
  ended(): void
  /** Nothing goes either way any more; `broken` when not by agreement. */
  closed(broken: boolean): void
  drained(): void
}

export type PairOptions = {
  readonly caller: Socket<PairEnd>
  readonly budget: Budget
  readonly nowMs: () => number
  readonly random: () => number
  readonly conditions: LinkConditions
  /** Awaited before the caller learns that its target went away by itself. */
  readonly onTargetGone: (() => Promise<void>) | null
  readonly onClosed: () => void
}

type Side = {
  socket: Socket<PairEnd> | null
  readonly lane: Lane
  hasEnded: boolean
  isClosed: boolean
}

export function createPair(options: PairOptions): { pair: Pair; caller: PairEnd; target: PairEnd } {
  let cut = options.conditions.cut
  /** Something that was sent has vanished: a stream with a hole must never be joined again. */
  let isHoled = cut === 'half-open'
  let isOver = false
  let targetChecked: Promise<void> | null = null

  const over = (): void => {
    isOver = true
    options.onClosed()
  }
  const reset = (): void => {
    if (isOver) return
    over()
    for (const { lane, socket } of [fromCaller, fromTarget]) {
      lane.clear()
      socket?.terminate()
    }
  }

  /** The side whose bytes a lane carries; those of its lane go to `receiver`. */
  const createSide = (socket: Socket<PairEnd> | null, receiver: () => Side): Side => {
    const lane = createLane({
      budget: options.budget,
      nowMs: options.nowMs,
      random: options.random,
      write: (bytes) => receiver().socket?.write(bytes) ?? 0,
      finish: () => {
        receiver().socket?.shutdown()
        return receiver().socket !== null
      },
      pause: () => void side.socket?.pause(),
      resume: () => void side.socket?.resume(),
      lost: reset,
    })
    const side: Side = { socket, lane, hasEnded: false, isClosed: false }
    return side
  }
  const fromCaller: Side = createSide(options.caller, () => fromTarget)
  const fromTarget: Side = createSide(null, () => fromCaller)

  /** A target that goes away by itself may be a process that died: whoever minds its socket hears of it first. */
  const afterCheck = (side: Side, then: () => void): void => {
    if (side === fromCaller || fromCaller.hasEnded || options.onTargetGone === null) then()
    else {
      targetChecked ??= options.onTargetGone()
      void targetChecked.then(then)
    }
  }

  const end = (side: Side): void => {
    if (isOver || side.hasEnded) return
    side.hasEnded = true
    side.lane.end()
  }

  const close = (side: Side, other: Side, broken: boolean): void => {
    if (isOver) return
    side.isClosed = true
    if (broken && !(side.hasEnded && other.hasEnded)) {
      reset()
      return
    }
    other.lane.clear()
    end(side)
    if (other.isClosed) over()
  }

  const endOf = (side: Side, other: Side): PairEnd => ({
    data(bytes) {
      if (isOver) return
      if (cut === 'half-open') isHoled = true
      else side.lane.receive(bytes)
    },
    // What happens at one end of a half-open link is told to the other only by the reset in the end.
    ended() {
      if (cut === 'half-open') isHoled = true
      else afterCheck(side, () => end(side))
    },
    closed(broken) {
      if (cut === 'half-open') isHoled = true
      else afterCheck(side, () => close(side, other, broken))
    },
    drained: () => other.lane.drained(),
  })

  const setConditions = (conditions: LinkConditions): void => {
    cut = conditions.cut
    if (cut === 'reset' || (cut === undefined && isHoled)) {
      reset()
      return
    }
    for (const { lane } of [fromCaller, fromTarget]) {
      if (cut === 'half-open' && lane.queuedBytes() > 0) {
        isHoled = true
        lane.clear()
      }
      lane.setConditions(conditions)
    }
  }
  for (const { lane } of [fromCaller, fromTarget]) lane.setConditions(options.conditions)

  const pair: Pair = {
    open(target) {
      if (isOver) {
        target.terminate()
        return
      }
      fromTarget.socket = target
      fromCaller.lane.drained()
    },
    refused: () => afterCheck(fromTarget, reset),
    setConditions,
    reset,
  }
  return { pair, caller: endOf(fromCaller, fromTarget), target: endOf(fromTarget, fromCaller) }
}
