import { availableParallelism } from 'node:os'
import { createDirectoryObjects } from '../engines/objects/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { createRelay } from '../hub/index.ts'
import { createMediaWorker, createPlanner } from '../services/media/index.ts'
import type { StartRole } from './context.ts'

/** The log and the tables say at least once a second that they live; silence for longer than this is a fault. */
const SILENCE_MS = 5_000

/**
 * Makes films on the embedded engines: the planner turns events into tasks, the worker does them, and the relay brings
 * what they announce to the log, so that publishing goes on while control is dead.
 */
export const start: StartRole = async ({ name, config, layout, logger }) => {
  const { limits, media } = config
  const store = createStoreClient({ path: layout.storeSocket, limits, logger })
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  const relay = createRelay({ tables: store.tables, log: store.log, owner: name, logger })
  const planner = createPlanner({ log: store.log, tables: store.tables, ladder: media.ladder, logger })
  const worker = await createMediaWorker({
    tables: store.tables,
    objects,
    scratchDirectory: layout.scratchDirectory,
    limits,
    logger,
    owner: name,
    // Two at least, also on one core: a long part of the sound must not hold up the first pictures.
    concurrency: Math.max(2, Math.ceil(availableParallelism() / media.workers)),
  })

  return {
    port: null,
    health() {
      const sentences: [boolean, string][] = [
        [!store.connected(), 'the store is not connected'],
        [relay.silentForMs() > SILENCE_MS, 'the outbox relay does not reach log and tables'],
        [planner.silentForMs() > SILENCE_MS, 'the planner does not hear the log'],
        [worker.silentForMs() > SILENCE_MS, 'the worker does not reach the tables'],
      ]
      return { faults: sentences.flatMap(([isFault, sentence]) => (isFault ? [sentence] : [])) }
    },
    async drain() {
      await planner.close()
      // Before the relay: what the last finishes announce still goes out from here.
      await worker.close()
      await relay.close()
      await store.close()
    },
  }
}
