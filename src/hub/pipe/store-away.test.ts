import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../engines/log/index.ts'
import { createStoreClient, createStoreHandler } from '../../engines/store/index.ts'
import { openSqliteTables } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS as limits, silentLogger as logger, systemClock } from '../../kernel/index.ts'
import { createWireServer } from '../../wire/index.ts'
import { until } from '../testing.ts'
import { createPipe } from './create-pipe.ts'
import { openFrom, pricePipe, publishTo, RAW_TOPIC, readAll, testRegistry, toPrice } from './testing.ts'

const RECORDS = 600
const KEYS = 20

async function startStore(directory: string): Promise<{ stop(): Promise<void> }> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), limits, logger, trimmedTopics: [] })
  const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: [] })
  const onCall = createStoreHandler({ log, tables, logger })
  const server = createWireServer({ path: join(directory, 'store.sock'), limits, logger, onCall })
  return {
    async stop() {
      await server.close({ timeoutMs: 0 })
      await log.close()
      await tables.close()
    },
  }
}

test('the store goes and comes back under a pipe: nothing is lost, out of order or in quarantine', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-pipe-store-'))
  let store = await startStore(directory)
  const { log, close } = createStoreClient({ path: join(directory, 'store.sock'), limits, logger })
  const letters: unknown[] = []
  let published = 0
  const pipe = createPipe({
    definition: pricePipe({ batchMax: 10 }),
    log,
    registry: testRegistry,
    async publishEvents(events) {
      await publishTo(log)(events)
      published += events.length
    },
    addDeadLetters: async (added) => void letters.push(...added),
    openRecord: openFrom(new Map()),
    limits: { ...limits, hubPipeRetryMinMs: 2, hubPipeRetryMaxMs: 20 },
    clock: systemClock,
    logger,
  })
  try {
    for (let at = 0; at < RECORDS; at += 200) {
      await log.append(
        RAW_TOPIC,
        Array.from({ length: 200 }, (_, n) => ({ key: `${n % KEYS}`, value: toPrice(at + n) })),
      )
      await until('a part of them', () => published >= at + 50)
      await store.stop()
      store = await startStore(directory)
    }
    await pipe.caughtUp({ timeoutMs: 5_000 })
    const events = (await readAll(log, 'prices')).map(({ value }) => JSON.parse(Buffer.from(value).toString()))
    const numberById = new Map<string, number>(events.map(({ id, data }) => [id, data.n]))
    expect([...numberById.values()].toSorted((a, b) => a - b)).toEqual([...Array(RECORDS).keys()])
    for (let key = 0; key < KEYS; key++) {
      const own = [...numberById.values()].filter((n) => n % KEYS === key)
      expect(own).toEqual(own.toSorted((a, b) => a - b))
    }
    expect(letters).toEqual([])
    expect(pipe.view()).toMatchObject({ accepted: RECORDS, quarantined: 0, lagRecords: 0 })
  } finally {
    await pipe.close()
    await close()
    await store.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}, 20_000)
