import type { PlatformStatus } from '../../contracts/index.ts'
import { createStoreClient } from '../../engines/store/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import type { Layout } from '../../roles/index.ts'
import type { Inside } from '../../storm/index.ts'
import { createWireClient } from '../../wire/index.ts'

const STATUS_WAIT_MS = 3_000

/** Within reach of a platform's own sockets: its supervisor and its log. `close` lets go of both. */
export function createInside(options: { layout: Layout; disk: Inside['disk'] }): Inside & { close(): Promise<void> } {
  const { layout, disk } = options
  const supervisor = createWireClient({ path: layout.supervisorSocket, limits: DEFAULT_LIMITS })
  // The store is killed by some storms: its clients' complaints about that are not news.
  const store = createStoreClient({ path: layout.storeSocket, limits: DEFAULT_LIMITS, logger: silentLogger })
  return {
    layout,
    disk,
    log: store.log,
    async status() {
      const answer = await supervisor.call(Buffer.from('status'), { timeoutMs: STATUS_WAIT_MS })
      return JSON.parse(Buffer.from(answer).toString()) as PlatformStatus // the supervisor's own words
    },
    async close() {
      supervisor.close()
      await store.close()
    },
  }
}
