/** Whether the edge knows enough of the log to serve what is protected; pure, so that every order of events can be tried. */
export type Trust = {
  /** Everything said before the last silence has been heard. */
  readonly trusted: boolean
  /** When the edge last looked; a long pause means that it was itself stopped and may have missed anything. */
  readonly lookedAtMs: number
  /** Counts distrust, so that a catching up which began before it cannot end it. */
  readonly epoch: number
}

export const DISTRUST: Trust = { trusted: false, lookedAtMs: Number.NEGATIVE_INFINITY, epoch: 0 }

/** On every request and every tick. Silence of the log or a stop of our own beyond the grace ends trust. */
export function decideLook(trust: Trust, now: { nowMs: number; silentForMs: number; graceMs: number }): Trust {
  const stopped = now.nowMs - trust.lookedAtMs > now.graceMs
  if (now.silentForMs <= now.graceMs && !stopped) return { ...trust, lookedAtMs: now.nowMs }
  return { trusted: false, lookedAtMs: now.nowMs, epoch: trust.trusted || stopped ? trust.epoch + 1 : trust.epoch }
}

/** When a catching up that began in `epoch` has ended. */
export function decideCaughtUp(trust: Trust, epoch: number): Trust {
  return epoch === trust.epoch ? { ...trust, trusted: true } : trust
}
