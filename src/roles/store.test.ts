import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../contracts/index.ts'
import { createStoreClient } from '../engines/store/index.ts'
import { DEFAULT_LIMITS, faultCode, silentLogger } from '../kernel/index.ts'
import type { RoleContext, RunningRole } from './context.ts'
import { layoutOf } from './layout.ts'
import { start } from './store.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function newContext(): RoleContext {
  const home = mkdtempSync(join(tmpdir(), 'tentpole-store-role-'))
  closers.push(() => rmSync(home, { recursive: true, force: true }))
  return {
    name: 'store',
    role: 'store',
    cell: null,
    port: 0,
    config: parseConfig({ home }),
    layout: layoutOf(home),
    logger: silentLogger,
    version: 'test',
    viewerKey: null,
    pathKeys: null,
    operatorToken: null,
    metricsToken: null,
    watchUrl: null,
  }
}
const run = async (context: RoleContext): Promise<RunningRole> => {
  const role = await start(context)
  let drained: Promise<void> | null = null
  const drain = (): Promise<void> => {
    drained ??= role.drain()
    return drained
  }
  closers.push(drain)
  return { ...role, drain }
}
const dial = (context: RoleContext) => {
  const client = createStoreClient({ path: context.layout.storeSocket, limits: DEFAULT_LIMITS, logger: silentLogger })
  closers.push(() => client.close())
  return client
}

test('the store keeps log and tables through a drain, with every room’s tables in place', async () => {
  const context = newContext()
  const first = await run(context)
  const client = dial(context)
  await client.log.append('titles', [{ key: 'k', value: Buffer.from('kept') }])
  client.log.subscribe({ topic: 'titles', start: 'beginning', onRecords: () => {} })
  const rows = await client.tables.query({ sql: 'SELECT id FROM tentpole_migrations' })
  expect(new Set(rows.map(({ id }) => String(id).split('-')[0])).size).toBeGreaterThanOrEqual(3)
  const begun = performance.now()
  await first.drain()
  expect(performance.now() - begun).toBeLessThan(2_000)
  const second = await run(context)
  expect(await second.health()).toEqual({ faults: [], notes: [] })
  const records = await client.log.read({ topic: 'titles', from: 0, max: 10 })
  expect(records.map(({ value }) => Buffer.from(value).toString())).toEqual(['kept'])
})

test('a home has one store: the second is refused and the first goes on', async () => {
  const context = newContext()
  await run(context)
  const client = dial(context)
  await client.log.append('titles', [{ key: 'k', value: Buffer.from('1') }])
  expect(await start(context).catch(faultCode)).toBe('log-locked')
  expect(await client.log.append('titles', [{ key: 'k', value: Buffer.from('2') }])).toEqual([1])
})

test('a store whose tables cannot be opened lets go of the home', async () => {
  const context = newContext()
  const first = await run(context)
  await first.drain()
  const whole = readFileSync(context.layout.tablesFile)
  writeFileSync(context.layout.tablesFile, 'this is no database'.repeat(1_000))
  expect(await start(context).catch(faultCode)).toBe('tables-damaged')
  writeFileSync(context.layout.tablesFile, whole)
  expect((await (await run(context)).health()).faults).toEqual([])
})

test('damage in the log is told and the store stays in service', async () => {
  const context = newContext()
  const first = await run(context)
  const client = dial(context)
  for (const text of ['one', 'two', 'three'])
    await client.log.append('titles', [{ key: 'k', value: Buffer.from(text) }])
  await first.drain()
  const directory = join(context.layout.logDirectory, 'topics', 'titles')
  const path = join(directory, readdirSync(directory)[0] ?? '')
  const bytes = readFileSync(path)
  const at = bytes.indexOf('two')
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const second = await run(context)
  const { faults, notes } = await second.health()
  expect({ faults, notes: notes?.length, first: notes?.[0] }).toMatchObject({
    faults: [],
    notes: 1,
    first: expect.stringContaining('topic titles: the records from offset 1 to before 2 are lost'),
  })
  expect(await client.log.append('titles', [{ key: 'k', value: Buffer.from('four') }])).toEqual([3])
})
