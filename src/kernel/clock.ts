/** Where time comes from, injected so that tests own it. `nowMs` is wall time (never decides a conflict); `elapsedMs` is monotonic. */
export type Clock = {
  nowMs(): number
  elapsedMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() }
