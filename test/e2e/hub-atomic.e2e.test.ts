import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeliveryRefused } from '../../src/client/index.ts'
import type { StoreClient } from '../../src/engines/store/index.ts'
import { layoutOf } from '../../src/roles/layout.ts'
import { collect, createHubBed, type HubBed, SHOP } from '../fixtures/hub/bed.ts'
import { ORDER } from '../fixtures/hub/shop.ts'
import { eventually, type Platform, PROJECT, startPlatform } from './platform.ts'

const KILLS = 20
const EVENTS = 300

let platform: Platform
let bed: HubBed
let store: StoreClient

beforeAll(async () => {
  platform = await startPlatform({ config: { hub: { modules: [SHOP] }, limits: { restartBackoffMaxMs: 200 } } })
  bed = createHubBed(platform)
  store = bed.store()
}, 120_000)

afterAll(async () => {
  await store?.close()
  await platform?.stop()
})

async function killRole(role: string): Promise<void> {
  const pidOf = (): number | undefined =>
    (JSON.parse(readFileSync(layoutOf(platform.home).rolesFile, 'utf8')) as Record<string, number>)[role]
  const before = await eventually(`${role} runs`, pidOf)
  process.kill(before, 'SIGKILL')
  await eventually(`${role} is started again`, () => ![undefined, before].includes(pidOf()))
}

/** Ids on the log, in the order they were first appended. */
async function idsOn(
  topic: string,
  toId: (json: { id: string; data: Record<string, unknown> }) => string,
): Promise<string[]> {
  const ids = new Set<string>()
  for (let from = 0; ; ) {
    const records = await store.log.read({ topic, from, max: 5_000 })
    for (const { value } of records) ids.add(toId(JSON.parse(Buffer.from(value).toString())))
    const last = records.at(-1)
    if (!last) return [...ids]
    from = last.offset + 1
  }
}

const query = async (sql: string): Promise<readonly string[]> =>
  await eventually('the tables answer', async () => (await store.tables.query({ sql })).map((row) => String(row['id'])))

const untilAnnounced = (): Promise<unknown> =>
  eventually(
    'all is announced',
    async () => (await query('SELECT event_id AS id FROM hub_outbox LIMIT 1')).length === 0,
  )

test('state is changed and announced, or neither, though who does it and the store are killed -9 again and again', async () => {
  // The port takes no definitions: those are migrations'.
  const database = new Database(layoutOf(platform.home).tablesFile)
  database.run('CREATE TABLE test_counted (id TEXT PRIMARY KEY)')
  database.close()
  const program = join(PROJECT, 'test', 'fixtures', 'hub', 'counter.ts')
  const counted = async (run: string): Promise<boolean> =>
    (await store.tables.query({ sql: 'SELECT id FROM test_counted WHERE id LIKE ? LIMIT 8', parameters: [`${run}-%`] }))
      .length === 8
  for (let kill = 0; kill < KILLS; kill++) {
    const run = `run${kill}`
    const child = Bun.spawn([process.execPath, program, layoutOf(platform.home).storeSocket, run], {
      stdout: 'ignore',
      stderr: 'inherit',
    })
    // In the middle of a batch, most likely: four are under way at any time.
    await eventually(`${run} is at work`, () => counted(run))
    await Bun.sleep(Math.random() * 20)
    if (kill % 4 === 3) await killRole('store')
    if (kill % 4 === 1) await killRole('control')
    child.kill('SIGKILL')
    await child.exited
  }
  await untilAnnounced()
  const rows = [...(await query('SELECT id FROM test_counted'))].sort()
  const events = (await idsOn('signals', ({ id }) => id)).sort()
  console.log(`${rows.length} rows and ${events.length} events after ${KILLS} kills`)
  expect(rows.length).toBeGreaterThan(KILLS * 8)
  expect(events).toEqual(rows)
  expect(events.filter((id) => Number(id.split('-')[1]) % 5 === 0)).toEqual([])
}, 90_000)

test('a dead letter is there if, and only if, it is announced', async () => {
  const token = await bed.spoke('refuser', { publishes: ['com.example.*'], patterns: [{ type: [ORDER] }] })
  const refused = new Set<string>()
  const stream = collect(bed.client(token), {
    name: 'refuser',
    pattern: { type: [ORDER] },
    start: 'beginning',
    handler({ event: { id } }) {
      refused.add(id)
      throw new DeliveryRefused('not this one')
    },
  })
  const publishing = (async () => {
    for (let number = 0; number < EVENTS; number += 10) {
      const events = Array.from({ length: 10 }, (_, index) => ({
        type: ORDER,
        subject: `o-${number + index}`,
        id: `dead-${number + index}`,
        data: { number: number + index, amount: 1 },
      }))
      await bed.client(token).publish(events)
    }
  })()
  for (let kill = 0; kill < 8; kill++) {
    await killRole(kill % 2 === 0 ? 'control' : 'store')
    await Bun.sleep(Math.random() * 300)
  }
  await publishing
  const lettersOf = (): Promise<readonly string[]> =>
    query("SELECT id FROM hub_dead_letters WHERE kind = 'delivery' AND name = 'refuser'")
  await eventually('all are given up', async () => (await lettersOf()).length >= EVENTS, 60_000)
  await untilAnnounced()
  const letters = [...(await lettersOf())].sort()
  const announced = (await idsOn('dead-letters', ({ data }) => String(data['letterId']))).sort()
  expect(letters.length).toBe(EVENTS)
  expect(announced).toEqual(letters)
  const eventIds = await query("SELECT event_id AS id FROM hub_dead_letters WHERE name = 'refuser'")
  expect(new Set(eventIds).size).toBe(EVENTS)
  expect(refused.size).toBe(EVENTS)
  await stream.stop()
}, 120_000)
