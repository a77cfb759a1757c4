import { type Clock, describeError, type Logger } from '../../kernel/index.ts'
import { persist } from './persist.ts'
import type { Positions } from './positions.ts'
import { createSnapshotStore, type SnapshotStore } from './snapshot-store.ts'
import { createSnapshotWriter, type SnapshotWriter } from './snapshot-writer.ts'
import type { ViewLimits, ViewOptions } from './view-options.ts'
import type { ViewState } from './view-state.ts'

/** Null when the view has no snapshots. */
export function openStore<State>(
  options: ViewOptions<State> & { readonly limits: ViewLimits },
): SnapshotStore<State> | null {
  const { snapshots, definition, limits, logger } = options
  if (!snapshots || !definition.snapshot) return null
  return createSnapshotStore({ objects: snapshots.objects, definition, limits, logger })
}

export function createViewWriter<State>(parts: {
  store: SnapshotStore<State>
  held: ViewState<State>
  positions: () => Positions
  limits: ViewLimits
  clock: Clock
  logger: Logger
}): SnapshotWriter {
  const { store, held, positions, limits, clock, logger } = parts
  return createSnapshotWriter({
    limits,
    logger,
    async write() {
      // What was left out for a fault in `apply` would stay left out when the fault is mended.
      if (held.leftOut > 0)
        return logger.warn('no snapshot of the view is written: events are left out of it', { leftOut: held.leftOut })
      const isKept = await store.write({ ...held.encode(), positions: positions(), takenAtMs: clock.nowMs() })
      if (!isKept)
        logger.warn('the view is too large for a snapshot (hubViewSnapshotBytesMax); it is rebuilt at each start')
    },
  })
}

/** Puts the newest good snapshot into `held`; where to go on from. */
export async function restore<State>(
  { log, definition, logger }: ViewOptions<State>,
  { store, held, closed }: { store: SnapshotStore<State>; held: ViewState<State>; closed: AbortSignal },
): Promise<Positions> {
  const endsOf = async (): Promise<Positions> => {
    const ends = definition.topics.map(async (topic) => {
      const bounds = Object.entries(await persist(() => log.bounds(topic), { logger, closed }))
      return [topic, Object.fromEntries(bounds.map(([partition, { end }]) => [partition, end]))] as const
    })
    return Object.fromEntries(await Promise.all(ends))
  }
  try {
    const restored = await store.read(endsOf)
    if (!restored || closed.aborted) return {}
    held.restore(restored)
    logger.info('the view goes on from a snapshot', {
      applied: restored.applied,
      positions: JSON.stringify(restored.positions),
    })
    return restored.positions
  } catch (error) {
    logger.warn('the snapshots of the view cannot be read; it is rebuilt', { error: describeError(error) })
    return {}
  }
}
