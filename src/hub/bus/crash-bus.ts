/** Run by crash.test.ts: a bus with one subscription whose effects are rows, each with its inbox entry; says each effect on a line, until it is killed. */
import { join } from 'node:path'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { openSqliteTables } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS, Fault, silentLogger } from '../../kernel/index.ts'
import { inboxStatement, isInboxRepeat } from '../inbox.ts'
import { hubMigrations } from '../migrations.ts'
import { createRegistry, platformDefinitions } from '../registry/index.ts'
import { createBus } from './bus.ts'
import { createSubscriptions } from './subscriptions.ts'
import type { Delivery, Outcome } from './target.ts'
import { definitions, FAST, TYPE } from './testing.ts'

const [directory = '', seed = '0'] = process.argv.slice(2)
const effects = {
  id: 'test-001',
  statements: ['CREATE TABLE effects (seq INTEGER PRIMARY KEY, event_key TEXT NOT NULL, event_id TEXT NOT NULL)'],
}
const log = await openEmbeddedLog({
  directory: join(directory, 'log'),
  limits: DEFAULT_LIMITS,
  logger: silentLogger,
  trimmedTopics: [],
})
const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: [...hubMigrations, effects] })
const registry = createRegistry(platformDefinitions, definitions)
const limits = { ...DEFAULT_LIMITS, hubBusSweepMs: 10, hubPositionsSaveMs: 30, hubBusLeaseMs: 200 }

/** Fails now and then, differently in each round, before or after the effect. */
let draw = Number(seed) + 1
const isUnlucky = (): boolean => {
  draw = (draw * 48_271) % 2_147_483_647
  return draw % 20 === 0
}
const deliver = async ({ id, key, event }: Delivery): Promise<Outcome> => {
  if (isUnlucky()) return { kind: 'failed', reason: 'before its effect' }
  const effect = { sql: 'INSERT INTO effects (event_key, event_id) VALUES (?, ?)', parameters: [key, event.id] }
  const result = await tables.batch([inboxStatement('all', id), effect])
  if (!result.ok && !isInboxRepeat(result)) return { kind: 'failed', reason: result.message }
  if (result.ok) process.stdout.write(`${id}\n`)
  return isUnlucky() ? { kind: 'failed', reason: 'after its effect' } : { kind: 'done' }
}

const subscriptions = createSubscriptions({ tables, registry, log, limits })
await subscriptions.put({
  ...{ name: 'all', owner: null, pattern: { type: [TYPE] }, target: { kind: 'function' }, start: 'beginning' },
  policy: { ...FAST, attemptsMax: 100 },
})
createBus({
  ...{ log, tables, registry, limits, owner: 'crash', logger: silentLogger },
  loadClaim: () => Promise.reject(new Fault('claim-missing', 'no claims in this test')),
  targets: () => ({ kind: 'function', description: 'effects', deliver }),
})
