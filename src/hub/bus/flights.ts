import { describeError, Fault } from '../../kernel/index.ts'
import type { Item } from './item.ts'
import type { Delivery, Outcome, Target } from './target.ts'

/** One attempt under way. */
type Flight = {
  readonly item: Item
  readonly startedMs: number
  /** Made when the target asks for the signal: most never do. */
  controller: AbortController | null
  isAborted: boolean
  isOver: boolean
}

/** The attempts of one subscription that are under way. */
export type Flights = {
  start(item: Item, input: unknown): void
  /** Aborts what has taken its time, gives up what goes on in spite of it. */
  sweep(): void
  abortAll(reason: string): void
  /** Ends all without their outcomes. */
  abandon(): void
  size(): number
}

export function createFlights(options: {
  subscription: string
  target: Target
  timeoutMs: number
  abandonMs: number
  elapsedMs: () => number
  /** Once per item that was started. */
  onOutcome: (item: Item, outcome: Outcome) => void
}): Flights {
  const { subscription, target, timeoutMs, abandonMs, elapsedMs, onOutcome } = options
  const flights = new Set<Flight>()

  const end = (flight: Flight, outcome: Outcome): void => {
    if (flight.isOver) return
    flight.isOver = true
    flights.delete(flight)
    onOutcome(flight.item, outcome)
  }
  const abort = (flight: Flight, reason: string): void => {
    flight.isAborted = true
    flight.controller?.abort(new Fault('aborted', reason))
  }
  const signalOf = (flight: Flight): AbortSignal => {
    flight.controller ??= new AbortController()
    if (flight.isAborted && !flight.controller.signal.aborted) flight.controller.abort()
    return flight.controller.signal
  }
  const toDelivery = (flight: Flight, input: unknown): Delivery => {
    const { deliveryId, event, key, position, appendedAtMs, attempts, replay } = flight.item
    return {
      id: deliveryId,
      subscription,
      event,
      input,
      key,
      position,
      appendedAtMs,
      attempt: attempts + 1,
      replay,
      get signal() {
        return signalOf(flight)
      },
    }
  }

  return {
    start(item, input) {
      const flight = { item, startedMs: elapsedMs(), controller: null, isAborted: false, isOver: false }
      flights.add(flight)
      const fail = (error: unknown): void => end(flight, { kind: 'failed', reason: describeError(error) })
      try {
        target.deliver(toDelivery(flight, input)).then((outcome) => end(flight, outcome), fail)
      } catch (error) {
        // A target that throws instead of rejecting must not end the whole bus; never at once, since nobody expects it within `start`.
        queueMicrotask(() => fail(error))
      }
    },
    sweep() {
      const nowMs = elapsedMs()
      // They lie in the order in which they started.
      for (const flight of flights) {
        const tookMs = nowMs - flight.startedMs
        if (tookMs < timeoutMs) return
        if (!flight.isAborted) abort(flight, `the attempt took longer than ${timeoutMs} ms`)
        if (tookMs >= timeoutMs + abandonMs)
          end(flight, { kind: 'failed', reason: `no answer within ${timeoutMs} ms; the target was given up` })
      }
    },
    abortAll(reason) {
      for (const flight of flights) abort(flight, reason)
    },
    abandon() {
      for (const flight of flights) flight.isOver = true
      flights.clear()
    },
    size: () => flights.size,
  }
}
