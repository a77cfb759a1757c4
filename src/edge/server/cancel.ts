/**
 * What of an `AbortSignal` those use who only have to be told. The runtime's own is an event target: to make one and to listen
 * to it costs microseconds, which a miss would pay several times over. Any `AbortSignal` is one of these.
 */
export type CancelSignal = {
  readonly aborted: boolean
  /** Told once, if it is not aborted yet. */
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export type Canceller = {
  readonly signal: CancelSignal
  /** Tells those who listen; to be called again is harmless. */
  abort(): void
}

export function createCanceller(): Canceller {
  let listeners: readonly (() => void)[] = NOBODY
  const signal = {
    aborted: false,
    addEventListener(_: 'abort', listener: () => void): void {
      listeners = listeners === NOBODY ? [listener] : [...listeners, listener]
    },
    removeEventListener(_: 'abort', listener: () => void): void {
      listeners =
        listeners[0] === listener && listeners.length === 1 ? NOBODY : listeners.filter((one) => one !== listener)
    },
  }
  return {
    signal,
    abort() {
      if (signal.aborted) return
      signal.aborted = true
      const told = listeners
      listeners = NOBODY
      for (const listener of told) listener()
    },
  }
}

const NOBODY: readonly (() => void)[] = []

/** Never aborted. */
export const NEVER_CANCELLED: CancelSignal = createCanceller().signal

/** For who needs the runtime's own. */
export function toAbortSignal(signal: CancelSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const controller = new AbortController()
  if (signal.aborted) controller.abort()
  else signal.addEventListener('abort', () => controller.abort())
  return controller.signal
}
