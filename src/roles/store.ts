import { mkdirSync } from 'node:fs'
import { TRIMMED_TOPICS } from '../contracts/index.ts'
import { type LogDamage, type LogPort, openEmbeddedLog } from '../engines/log/index.ts'
import { createStoreHandler } from '../engines/store/index.ts'
import { openSqliteTables, type TablesPort } from '../engines/tables/index.ts'
import { hubMigrations } from '../hub/index.ts'
import { mediaMigrations } from '../services/media/index.ts'
import { catalogMigrations } from '../services/titles/index.ts'
import { createWireServer } from '../wire/index.ts'
import type { StartRole } from './context.ts'

/**
 * Owns the embedded log and tables of one machine, and serves both on the store's socket. The log's directory is locked
 * first, so a second store on the same home stops there (`log-locked`) and touches nothing.
 */
export const start: StartRole = async ({ config, layout, logger }) => {
  const { limits } = config
  const log = await openEmbeddedLog({
    directory: layout.logDirectory,
    limits,
    logger,
    trimmedTopics: TRIMMED_TOPICS,
  })
  const migrations = [...hubMigrations, ...catalogMigrations, ...mediaMigrations]
  const tables = await openTables({ path: layout.tablesFile, migrations }, log)
  mkdirSync(layout.socketDirectory, { recursive: true, mode: 0o700 })
  const handler = createStoreHandler({ log, tables, logger })
  const server = createWireServer({ path: layout.storeSocket, limits, logger, onCall: handler })
  logger.info('the store is open', { log: layout.logDirectory, tables: layout.tablesFile })

  return {
    port: null,
    // Lost records stay lost however often this process is restarted: they are told, and it stays in service.
    health: () => ({ faults: [], notes: log.damage().map(describeDamage) }),
    async drain() {
      const closed = server.close({ timeoutMs: limits.drainMs / 2 })
      handler.endStreams()
      await closed
      await log.close()
      await tables.close()
    },
  }
}

async function openTables(options: Parameters<typeof openSqliteTables>[0], log: LogPort): Promise<TablesPort> {
  try {
    return openSqliteTables(options)
  } catch (error) {
    // Lets go of the lock.
    await log.close()
    throw error
  }
}

function describeDamage({ topic, from, to, file, reason }: LogDamage): string {
  return `topic ${topic}: the records from offset ${from} to before ${to} are lost (${reason}, ${file})`
}
