import type { AnyEvent } from '../../contracts/index.ts'
import { type Clock, createId, describeError, type Limits, pause, systemClock } from '../../kernel/index.ts'
import { createLease } from '../lease.ts'
import { createWaker } from '../waker.ts'
import { createFence } from './fence.ts'
import type { Settled } from './item.ts'
import { PARKED_CHANNEL } from './parked-rows.ts'
import type { Place } from './place.ts'
import { openSession, type ReplayedEvent, type Session, type SessionLimits, type SessionOptions } from './session.ts'
import { SUBSCRIPTIONS_CHANNEL } from './subscriptions.ts'

export type BusOptions = Omit<SessionOptions, 'fence' | 'limits' | 'clock' | 'random' | 'onEvent' | 'onGone'> & {
  readonly limits: SessionLimits & Pick<Limits, 'hubBusLeaseMs'>
  /** For people who read the lease row. */
  readonly owner: string
  readonly clock?: Clock
  readonly random?: () => number
  /** Every event that the bus reads, once. */
  readonly onEvent?: (event: AnyEvent) => void
}

/**
 * Brings events to subscriptions: at least once, in order per key, each subscription at its own pace. Every process that has the
 * targets may run one; a lease lets one work at a time, and another takes over shortly after its death. What was delivered in the
 * last `hubPositionsSaveMs` before a death is delivered again, under the same ids.
 */
export type Bus = {
  /** Whether this process is the one that delivers. */
  holds(): boolean
  /** What it does for each subscription; none while it does not hold the lease. */
  places(): ReadonlyMap<string, Place>
  /**
   * Gives one event to a subscription beside its position, under the delivery id `<event id>~<replay id>`; resolves when it is settled.
   * Faults: `subscription-unavailable`, `hub-busy` with `retryAfterMs`.
   */
  replay(to: { readonly id: string; readonly subscription: string }, what: ReplayedEvent): Promise<Settled>
  /** Looks at the tables now instead of when it is told. */
  poke(): void
  close(): Promise<void>
}

/** Looked at even if nobody tells, since a notification may be lost. */
const LOOK_MS = 5_000

/** In the time of a lease. */
const BEATS = 5

const NONE: ReadonlyMap<string, Place> = new Map()

export function createBus(options: BusOptions): Bus {
  const { tables, limits, logger, clock = systemClock, random = Math.random, onEvent = () => {} } = options
  const lease = createLease({
    tables,
    name: 'bus',
    owner: `${options.owner} ${createId()}`,
    leaseMs: limits.hubBusLeaseMs,
    clock,
  })
  const waker = createWaker()
  let session: Session | null = null
  let isClosed = false
  let isChanged = false
  let isReconciling = false
  const closing = new AbortController()
  let isParkedElsewhere = false
  let lookedMs = Number.NEGATIVE_INFINITY
  let complaint = ''
  const fence = createFence({ tables, lease, clock, onLost: () => waker.wake() })

  /** Of this very definition: what was put in its place meanwhile has another target. Written at last, however long the tables are away. */
  const onGone: SessionOptions['onGone'] = async ({ name, generation, revision }, reason, closed) => {
    logger.warn('a target wants no more: its subscription is disabled', { subscription: name, reason })
    const sql = `UPDATE hub_subscriptions SET state = 'disabled', detail = ?, revision = revision + 1
      WHERE name = ? AND generation = ? AND revision = ?`
    const statement = { sql, parameters: [reason, name, generation, revision] }
    for (let waitMs = limits.hubRestMs; !closed.aborted; waitMs = Math.min(waitMs * 2, LOOK_MS)) {
      try {
        await fence.batch([statement], [SUBSCRIPTIONS_CHANNEL])
        break
      } catch (error) {
        logger.warn('a subscription cannot be disabled; it is tried again', { error: describeError(error) })
        await pause(waitMs, closed)
      }
    }
    poke()
  }
  const poke = (): void => {
    isChanged = true
    waker.wake()
  }
  const reconcile = (of: Session): void => {
    if (isReconciling) return
    isReconciling = true
    isChanged = false
    // Beside the sweeps: a target that is slow to end must keep nobody waiting.
    of.reconcile()
      .catch(complain)
      .finally(() => {
        isReconciling = false
        if (isChanged) waker.wake()
      })
  }
  const work = async (): Promise<void> => {
    session ??= await openSession({ ...options, fence, clock, random, onEvent, onGone })
    const isDue = clock.elapsedMs() - lookedMs >= LOOK_MS
    if (isDue) lookedMs = clock.elapsedMs()
    if (isChanged || isDue) reconcile(session)
    if (isParkedElsewhere || isDue) {
      isParkedElsewhere = false
      session.look()
    }
    await session.sweep()
  }
  const rest = async (): Promise<void> => {
    // It counts until it has ended: the lease is not taken again before.
    await session?.close().finally(() => {
      session = null
    })
  }
  /** The same trouble is told once, not at each round. */
  const complain = (error: unknown): void => {
    const reason = describeError(error)
    if (reason !== complaint) logger.warn('the bus cannot reach the log or the tables; it tries on', { error: reason })
    complaint = reason
  }
  const round = async (): Promise<void> => {
    try {
      if (fence.holds()) await work()
      else await rest()
      complaint = ''
    } catch (error) {
      complain(error)
    }
  }
  const run = async (): Promise<void> => {
    while (!isClosed) {
      await round()
      if (!isClosed) await waker.wait(limits.hubBusSweepMs)
    }
    await rest()
  }
  /** Apart from the work, so that no work, however long, costs the lease. What ends after the lease was lost must have ended before it is taken again. */
  const beat = async (): Promise<void> => {
    while (!isClosed) {
      const wasHeld = fence.holds()
      const isEnding = session !== null && !wasHeld
      const isHeld = !isEnding && (await lease.hold().catch(() => fence.holds()))
      if (isHeld !== wasHeld) waker.wake()
      await pause(limits.hubBusLeaseMs / BEATS, closing.signal)
    }
  }

  const stops = [
    tables.listen(SUBSCRIPTIONS_CHANNEL, poke),
    tables.listen(PARKED_CHANNEL, () => {
      isParkedElsewhere = true
      waker.wake()
    }),
  ]
  const running = Promise.all([run(), beat()])

  return {
    holds: () => session !== null && !isClosed && fence.holds(),
    places: () => session?.places() ?? NONE,
    poke,
    async replay(to, what) {
      if (session === null) return 'interrupted'
      return session.replay(to, what)
    },
    async close() {
      isClosed = true
      closing.abort()
      for (const stop of stops) stop()
      waker.wake()
      await running
      await lease.release().catch((error: unknown) => {
        logger.debug('the lease of the bus was not given up; it runs out by itself', { error: describeError(error) })
      })
    },
  }
}
