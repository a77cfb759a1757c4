import type { LogSubscription } from '../../engines/log/index.ts'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import { DISTRUST, decideCaughtUp, decideLook, type Trust } from '../trust.ts'

/** Whether everything that was said is known, over several subscriptions: the one that knows least decides. */
export type Ear = {
  trusted(): boolean
  silentForMs(): number
  close(): Promise<void>
}

const LOOKS_PER_GRACE = 20
const LOOK_MS_MIN = 10

/** Performs what `trust.ts` decides. Closes the subscriptions. */
export function createEar(options: {
  readonly subscriptions: readonly Pick<LogSubscription, 'silentForMs' | 'caughtUp' | 'close'>[]
  readonly limits: Pick<Limits, 'edgeGraceMs'>
  readonly logger: Logger
  readonly clock: Clock
}): Ear {
  const { subscriptions, limits, logger, clock } = options
  const { edgeGraceMs: graceMs } = limits
  let trust: Trust = { ...DISTRUST, lookedAtMs: clock.elapsedMs() }
  let catchingUp = false
  let closed = false

  const silentForMs = (): number => {
    let longest = 0
    for (const subscription of subscriptions) longest = Math.max(longest, subscription.silentForMs())
    return longest
  }
  const look = (): boolean => {
    const before = trust.trusted
    trust = decideLook(trust, { nowMs: clock.elapsedMs(), silentForMs: silentForMs(), graceMs })
    if (before && !trust.trusted)
      logger.warn('the log has gone silent: what is protected is refused until it is heard again', { graceMs })
    if (!trust.trusted) catchUp()
    return trust.trusted
  }
  const catchUp = (): void => {
    if (catchingUp || closed || silentForMs() > graceMs) return
    catchingUp = true
    const { epoch } = trust
    Promise.all(subscriptions.map((subscription) => subscription.caughtUp({ timeoutMs: graceMs })))
      .then(
        () => {
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
  const timer = setInterval(look, Math.max(LOOK_MS_MIN, graceMs / LOOKS_PER_GRACE))

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
