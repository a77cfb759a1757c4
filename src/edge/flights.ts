import { Fault } from '../kernel/index.ts'

/**
 * Work shared by everyone who wants the same thing at the same time. One waiter's cancellation leaves the others be;
 * when the last one leaves, the work is aborted; its failure is everyone's.
 */
export type Flights<Value> = {
  join(key: string, start: (signal: AbortSignal) => Promise<Value>, signal: AbortSignal): Promise<Value>
  /** Aborts what matches: every waiter rejects with `fault`. */
  abort(matches: (key: string) => boolean, fault: Fault): void
  has(key: string): boolean
  size(): number
}

type Flight<Value> = {
  readonly controller: AbortController
  readonly outcome: Promise<Value>
  readonly fail: (error: unknown) => void
  waiters: number
}

/** At most `flightsMax` at once; one more is refused with `overloaded`. */
export function createFlights<Value>(options: { flightsMax: number }): Flights<Value> {
  const flights = new Map<string, Flight<Value>>()

  const begin = (key: string, start: (signal: AbortSignal) => Promise<Value>): Flight<Value> => {
    const controller = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<Value>()
    promise.catch(() => {})
    const flight: Flight<Value> = { controller, outcome: promise, fail: reject, waiters: 0 }
    flights.set(key, flight)
    start(controller.signal)
      .then(resolve, reject)
      .finally(() => {
        if (flights.get(key) === flight) flights.delete(key)
      })
    return flight
  }

  const end = (key: string, flight: Flight<Value>, fault: Fault): void => {
    if (flights.get(key) === flight) flights.delete(key)
    flight.fail(fault)
    flight.controller.abort(fault)
  }

  return {
    join(key, start, signal) {
      const found = flights.get(key)
      if (!found && flights.size >= options.flightsMax) {
        return Promise.reject(
          new Fault('overloaded', `${flights.size} fetches are under way, the limit is ${options.flightsMax}; retry`),
        )
      }
      const flight = found ?? begin(key, start)
      flight.waiters += 1
      return new Promise<Value>((resolve, reject) => {
        const leave = (): void => {
          flight.waiters -= 1
          const gone = new Fault('cancelled', 'the client went away')
          reject(gone)
          if (flight.waiters === 0) end(key, flight, gone)
        }
        signal.addEventListener('abort', leave, { once: true })
        flight.outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
        if (signal.aborted) leave()
      })
    },
    abort(matches, fault) {
      for (const [key, flight] of [...flights]) if (matches(key)) end(key, flight, fault)
    },
    has: (key) => flights.has(key),
    size: () => flights.size,
  }
}
