import type { CloudEvent } from '../../contracts/index.ts'
import { DEFAULT_LIMITS, describeError, faultCode, type Logger, pause, systemClock } from '../../kernel/index.ts'
import type { ViewDefinition } from './definition.ts'
import { createListeners } from './listeners.ts'
import { hasReached } from './positions.ts'
import { createView, type View } from './view.ts'
import type { ViewLimits, ViewSources } from './view-options.ts'

const WAIT_TIMEOUT_MS = 10_000
const CATCH_UP_TIMEOUT_MS = 60_000
const CATCH_UP_PAUSE_MS = 1_000

/** A view of which two versions may be in memory; all of `View` is answered by the one that is read. */
export type VersionedView<State> = View<State> & {
  /** Which version of the definition is read now. */
  readonly serving: number
  /** Of the next version: `building`; `serving` once it took over; `failed` when it never will in this process. */
  readonly next: 'building' | 'serving' | 'failed'
}

export type VersionedViewOptions<Old, New> = ViewSources & {
  readonly current: ViewDefinition<Old>
  readonly next: ViewDefinition<New>
  /** The next version is read from now on; the one before it is closed. */
  readonly onSwitch?: () => void
}

/**
 * Reads come from `current` while `next` builds beside it, from its own snapshot or from the beginning. `next` takes over, between
 * two reads, once it has applied all that is on the log and all that `current` has: no read ever goes back. Whatever is wrong with
 * `next` is told and costs `current` nothing; a version that left an event out never takes over.
 */
export function createVersionedView<Old, New>(options: VersionedViewOptions<Old, New>): VersionedView<Old | New> {
  const { current, next, onSwitch, limits = DEFAULT_LIMITS, clock = systemClock, ...sources } = options
  const logger = options.logger.with({ view: current.name })
  const open = <State>(definition: ViewDefinition<State>): View<State> =>
    createView({ ...sources, limits, clock, definition })
  const changed = createListeners<CloudEvent>(logger)
  const replaced = createListeners<void>(logger)
  const closing = new AbortController()
  const old = open(current)
  let serving: { readonly view: View<Old> | View<New>; readonly version: number } = {
    view: old,
    version: current.version,
  }
  let nextIs: VersionedView<Old | New>['next'] = 'building'
  /** Added to what the serving view has applied, so that `version` rises with the switch as well. */
  let appliedBefore = 0
  let stopTelling = follow(old)

  function follow(view: View<Old> | View<New>): () => void {
    const stops = [view.onChange(changed.tell), view.onReplaced(replaced.tell)]
    return () => {
      for (const stop of stops) stop()
    }
  }
  const takeOver = (view: View<New>): void => {
    stopTelling()
    appliedBefore += old.version + 1
    serving = { view, version: next.version }
    nextIs = 'serving'
    stopTelling = follow(view)
    replaced.tell()
  }
  const build = async (): Promise<void> => {
    const view = openSafely(() => open(next), logger)
    const isReady = view !== null && (await catchUp(view, old, { limits, logger, closed: closing.signal }))
    if (isReady && !closing.signal.aborted) {
      takeOver(view)
      logger.info('the next version of the view is read from now on', { version: next.version })
      try {
        onSwitch?.()
      } catch (error) {
        logger.error('what was to be done at the switch of a view failed', { error: describeError(error) })
      }
      return old.close()
    }
    if (!closing.signal.aborted) nextIs = 'failed'
    await view?.close()
  }
  const building = build().catch((error: unknown) =>
    logger.error('a version of the view could not be closed', { error: describeError(error) }),
  )
  /** Asked of the view that is read; once more, with the time that is left, of the one that took over meanwhile. */
  const ask = async (timeoutMs: number, act: (view: View<Old> | View<New>, leftMs: number) => Promise<void>) => {
    const untilMs = clock.elapsedMs() + timeoutMs
    const asked = serving.view
    try {
      await act(asked, timeoutMs)
    } catch (error) {
      if (asked === serving.view || faultCode(error) !== 'closed') throw error
      await act(serving.view, Math.max(0, untilMs - clock.elapsedMs()))
    }
  }

  return {
    get state() {
      return serving.view.state
    },
    get version() {
      return appliedBefore + serving.view.version
    },
    get leftOut() {
      return serving.view.leftOut
    },
    get serving() {
      return serving.version
    },
    get next() {
      return nextIs
    },
    positions: () => serving.view.positions(),
    lag: () => serving.view.lag(),
    measureLag: () => serving.view.measureLag(),
    silentForMs: () => serving.view.silentForMs(),
    caughtUp: ({ timeoutMs = WAIT_TIMEOUT_MS } = {}) =>
      ask(timeoutMs, (view, leftMs) => view.caughtUp({ timeoutMs: leftMs })),
    reached: (position, { timeoutMs = WAIT_TIMEOUT_MS } = {}) =>
      ask(timeoutMs, (view, leftMs) => view.reached(position, { timeoutMs: leftMs })),
    onChange: changed.add,
    onReplaced: replaced.add,
    async close() {
      closing.abort()
      await building
      await serving.view.close()
    },
  }
}

/** Null when even its beginning fails, which is told. */
function openSafely<State>(open: () => View<State>, logger: Logger): View<State> | null {
  try {
    return open()
  } catch (error) {
    logger.error('the next version of the view cannot be opened; the one before it stays', {
      error: describeError(error),
    })
    return null
  }
}

/** True once `view` can take over from `old`; false when it never will, or it is closed before. */
async function catchUp<Old, New>(
  view: View<New>,
  old: View<Old>,
  { limits, logger, closed }: { limits: ViewLimits; logger: Logger; closed: AbortSignal },
): Promise<boolean> {
  while (!closed.aborted) {
    // Old has to be open too: what it has not read yet is not behind it.
    const both = Promise.all([old, view].map((each) => each.caughtUp({ timeoutMs: CATCH_UP_TIMEOUT_MS })))
    const isThere = await succeeds(both, closed)
    if (closed.aborted) return false
    if (view.leftOut > 0) {
      logger.error('the next version of the view could not apply every event; the one before it stays', {
        leftOut: view.leftOut,
      })
      return false
    }
    if (isThere && view.lag() === 0 && hasReached(view.positions(), old.positions())) return true
    if (!isThere)
      logger.warn('the next version of the view has not caught up yet', await view.measureLag().catch(() => ({})))
    await pause(isThere ? limits.hubViewSwitchPollMs : CATCH_UP_PAUSE_MS, closed)
  }
  return false
}

/** False as well when `closed` is aborted first. */
function succeeds(work: Promise<unknown>, closed: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isGood: boolean): void => {
      closed.removeEventListener('abort', onClosed)
      resolve(isGood)
    }
    const onClosed = (): void => done(false)
    closed.addEventListener('abort', onClosed)
    work.then(
      () => done(true),
      () => done(false),
    )
  })
}
