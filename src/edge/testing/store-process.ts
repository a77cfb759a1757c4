import { join } from 'node:path'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { createStoreHandler } from '../../engines/store/index.ts'
import { openSqliteTables } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { createWireServer } from '../../wire/index.ts'

/** A store in a process of its own, to be stopped and killed: `bun store-process.ts DIRECTORY`. Says `ready` once it serves. */
const directory = process.argv[2] ?? ''
const log = await openEmbeddedLog({
  directory: join(directory, 'log'),
  limits: DEFAULT_LIMITS,
  logger: silentLogger,
  trimmedTopics: [],
})
const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: [] })
createWireServer({
  path: join(directory, 'store.sock'),
  limits: DEFAULT_LIMITS,
  logger: silentLogger,
  onCall: createStoreHandler({ log, tables, logger: silentLogger }),
})
console.log('ready')
