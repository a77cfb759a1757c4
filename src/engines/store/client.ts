import type { Limits, Logger } from '../../kernel/index.ts'
import { createWireClient } from '../../wire/index.ts'
import type { LogPort } from '../log/port.ts'
import type { TablesPort } from '../tables/port.ts'
import { createLogClient } from './log-client.ts'
import { createTablesClient } from './tables-client.ts'

export type StoreClient = {
  readonly log: LogPort
  readonly tables: TablesPort
  connected(): boolean
  close(): Promise<void>
}

/** The store's log and tables over its socket. May be created before the store is there; calls wait within their time. */
export function createStoreClient(options: { path: string; limits: Limits; logger: Logger }): StoreClient {
  const { path, limits, logger } = options
  const wire = createWireClient({ path, limits })
  const log = createLogClient({ wire, limits, logger })
  const tables = createTablesClient({ wire, limits })
  return {
    log,
    tables,
    connected: wire.connected,
    async close() {
      await log.close()
      await tables.close()
      wire.close()
    },
  }
}
