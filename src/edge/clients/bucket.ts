/**
 * A token bucket as one number: when it will be full again (the "theoretical arrival time" of GCRA, ITU-T I.371). A bucket
 * that has been left alone long enough is full, and then it need not be remembered: it is like one never seen.
 */
export type Rate = {
  /** What one request takes: the time in which one comes back. */
  readonly costMs: number
  /** From empty to full. */
  readonly burstMs: number
}

export const FULL: number = Number.NEGATIVE_INFINITY

/** `burstMax` requests at once, and `perSecondMax` a second in the long run. */
export function toRate({ burstMax, perSecondMax }: { readonly burstMax: number; readonly perSecondMax: number }): Rate {
  return { costMs: 1_000 / perSecondMax, burstMs: (burstMax * 1_000) / perSecondMax }
}

/** 0 when a request may be taken now, else how long until one may. */
export function waitMsOf(fullAtMs: number, nowMs: number, rate: Rate): number {
  const shortMs = clamped(fullAtMs, nowMs, rate) + rate.costMs - rate.burstMs - nowMs
  // Sums of fractions of a millisecond: less than a thousandth of a request short is none.
  return shortMs > rate.costMs / 1_000 ? shortMs : 0
}

/** The bucket after a request was taken. */
export function takeFrom(fullAtMs: number, nowMs: number, rate: Rate): number {
  return clamped(fullAtMs, nowMs, rate) + rate.costMs
}

export function isFull(fullAtMs: number, nowMs: number): boolean {
  return fullAtMs <= nowMs
}

/** Never longer from full than an empty one: a clock that was set back must not shut anyone out. */
function clamped(fullAtMs: number, nowMs: number, rate: Rate): number {
  return Math.min(Math.max(fullAtMs, nowMs), nowMs + rate.burstMs)
}
