import type { LogSubscription } from '../../engines/log/index.ts'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import { DISTRUST, decideCaughtUp, decideLook, type Trust } from '../trust.ts'
import { createHeardAllAt } from './heard-all.ts'

/** Whether everything that was said is known, over several subscriptions: the one that knows least decides. */
export type Ear = {
  trusted(): boolean
  silentForMs(): number
  close(): Promise<void>
}

const LOOKS_PER_GRACE = 20
const LOOK_MS_MIN = 10

/** Performs what `trust.ts` decides. To be far behind counts as silence: what was said is as unknown. Closes the subscriptions. */
export function createEar(options: {
  readonly subscriptions: readonly Pick<LogSubscription, 'position' | 'silentForMs' | 'caughtUp' | 'close'>[]
  readonly limits: Pick<Limits, 'edgeGraceMs'>
  readonly logger: Logger
  readonly clock: Clock
}): Ear {
  const { subscriptions, limits, logger, clock } = options
  const { edgeGraceMs: graceMs } = limits
  const startedAtMs = clock.elapsedMs()
  const heardAllAt = subscriptions.map((subscription) => createHeardAllAt(subscription, startedAtMs))
  let heardAllAtMs = startedAtMs
  let trust: Trust = { ...DISTRUST, lookedAtMs: startedAtMs }
  let catchingUp = false
  let closed = false

  const silentForMs = (): number => {
    let longest = 0
    for (const subscription of subscriptions) longest = Math.max(longest, subscription.silentForMs())
    return longest
  }
  /** On every request, so it takes the last tick's word for how far behind it is. */
  const look = (): boolean => {
    const before = trust.trusted
    const nowMs = clock.elapsedMs()
    trust = decideLook(trust, { nowMs, silentForMs: Math.max(silentForMs(), nowMs - heardAllAtMs), graceMs })
    if (before && !trust.trusted)
      logger.warn('the log is not heard to its end: what is protected is refused until it is', {
        graceMs,
        silentForMs: Math.round(silentForMs()),
        behindForMs: Math.round(nowMs - heardAllAtMs),
      })
    if (!trust.trusted) catchUp()
    return trust.trusted
  }
  const tick = (): void => {
    const nowMs = clock.elapsedMs()
    heardAllAtMs = Math.max(heardAllAtMs, Math.min(...heardAllAt.map((at) => at(nowMs))))
    look()
  }
  const catchUp = (): void => {
    if (catchingUp || closed || silentForMs() > graceMs) return
    catchingUp = true
    const { epoch } = trust
    const askedAtMs = clock.elapsedMs()
    Promise.all(subscriptions.map((subscription) => subscription.caughtUp({ timeoutMs: graceMs })))
      .then(
        () => {
          heardAllAtMs = Math.max(heardAllAtMs, askedAtMs)
          trust = decideCaughtUp(trust, epoch)
          if (trust.trusted) logger.info('caught up with the log')
        },
        // Asked again at the next look.
        () => {},
      )
      .finally(() => {
        catchingUp = false
      })
  }
  const timer = setInterval(tick, Math.max(LOOK_MS_MIN, graceMs / LOOKS_PER_GRACE))

  return {
    trusted: look,
    silentForMs,
    async close() {
      closed = true
      clearInterval(timer)
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
    },
  }
}
