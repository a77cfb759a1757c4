import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteTables, type TablesPort } from '../../engines/tables/index.ts'
import { DEFAULT_LIMITS } from '../../kernel/index.ts'
import { createDeadLetters } from '../bus/dead-letters/index.ts'
import { hubMigrations } from '../migrations.ts'
import { until } from '../testing.ts'
import { boundLetters } from './bound-letters.ts'
import { openPipeBench, type PipeBench, pricePipe, RAW_TOPIC, toPrice } from './testing.ts'

let bench: PipeBench
let tables: TablesPort
let directory: string
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-letters-'))
  tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: hubMigrations })
  bench = await openPipeBench()
})
afterEach(async () => {
  await bench.close()
  await tables.close()
  rmSync(directory, { recursive: true, force: true })
})

test('a feed gone bad stops its pipe at the bound, drops nothing, and goes on when there is room', async () => {
  const limits = { ...DEFAULT_LIMITS, hubDeadLettersOpenMax: 10, hubBusyRetryMs: 1 }
  const letters = createDeadLetters({ tables, log: bench.log, limits })
  const pipe = bench.run(pricePipe({ batchMax: 4 }), {
    addDeadLetters: boundLetters(letters.add, { pipe: 'prices', tables, limits }),
  })
  const open = () => letters.list({ state: 'open' }).then((page) => page.letters)
  const bad = Array.from({ length: 30 }, (_, n) => ({ key: `shop-${n % 3}`, value: Buffer.from(`bad ${n}`) }))
  await bench.log.append(RAW_TOPIC, [...bad, { key: 'shop-0', value: toPrice(7) }])
  await until('the pipe waits', () => pipe.view().lastError?.includes('hubDeadLettersOpenMax') === true)
  const found = await open()
  expect(found.length).toBeGreaterThanOrEqual(10)
  expect(found.length).toBeLessThan(14)
  expect(await bench.published()).toEqual([])
  for (let left = found; left.length > 0; left = await open()) for (const { id } of left) await letters.discard(id)
  await until('it waits again, or is through', async () => {
    for (const { id } of await open()) await letters.discard(id)
    return (await bench.published()).length === 1
  })
  await pipe.caughtUp({ timeoutMs: 5_000 })
  expect((await letters.list({ max: 100 })).letters).toHaveLength(30)
})
