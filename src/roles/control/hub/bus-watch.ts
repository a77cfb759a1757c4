import type { Clock, Limits } from '../../../kernel/index.ts'

/** Whether streams of this process are given anything: whether the bus runs here, or did a lease's time ago. */
export type BusWatch = { isHere(): boolean; close(): void }

const LOOKS_PER_LEASE = 4

/** `onGone` is called as long as it runs elsewhere: a reader may have come meanwhile. At the start there is a lease's time to begin. */
export function watchBus(options: {
  holds: () => boolean
  limits: Pick<Limits, 'hubBusLeaseMs'>
  clock: Pick<Clock, 'elapsedMs'>
  onGone: () => void
}): BusWatch {
  const { holds, limits, clock, onGone } = options
  let lastMs = clock.elapsedMs()
  const isHere = (): boolean => {
    const nowMs = clock.elapsedMs()
    if (holds()) lastMs = nowMs
    return nowMs - lastMs <= limits.hubBusLeaseMs
  }
  const timer = setInterval(() => {
    if (!isHere()) onGone()
  }, limits.hubBusLeaseMs / LOOKS_PER_LEASE)
  return { isHere, close: () => clearInterval(timer) }
}
