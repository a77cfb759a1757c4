import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReplayView } from '../../src/contracts/index.ts'
import { collect, createHubBed, event, type HubBed, SHOP } from '../fixtures/hub/bed.ts'
import { ORDER, ORDERS_TOPIC, PRICE, RAW_ORDERS } from '../fixtures/hub/shop.ts'
import { eventually, type Platform, startPlatform } from './platform.ts'

const PUBLISHERS = 50
const EACH = 20
const LAG_MAX = 20
const REPLAYED = 1_000
const RATE = 250

let platform: Platform
let bed: HubBed
let directory: string
let token: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tentpole-pressure-'))
  platform = await startPlatform({
    config: {
      hub: { modules: [SHOP] },
      limits: {
        hubPublishCallsMax: 4,
        hubPipeLagRecordsMax: LAG_MAX,
        hubPipeEnrichTimeoutMs: 60_000,
        hubArchiveBlockBytes: 16 * 1024,
        hubArchiveBytesMin: 64 * 1024,
        hubArchiveAgeMs: 500,
        hubArchivePollMs: 200,
        logSegmentBytes: 64 * 1024,
        logRetentionBytes: 128 * 1024,
        restartBackoffMaxMs: 200,
      },
    },
  })
  bed = createHubBed(platform)
  token = await bed.spoke('pressure', {
    publishes: ['com.example.*'],
    patterns: [{ type: [ORDER, PRICE] }],
    topics: [RAW_ORDERS],
  })
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('50 publishers at once: what was acknowledged is on the log once, what was refused is not', async () => {
  const prices = collect(bed.client(token), { name: 'prices', pattern: { type: [PRICE] } })
  await eventually('it is read', async () => (await bed.subscription('prices')).state === 'active')
  const acknowledged: string[] = []
  const refused: string[] = []
  const publisher = async (number: number): Promise<void> => {
    for (let count = 0; count < EACH; count++) {
      const id = `price-${number}-${count}`
      const answer = await bed.publish(event(PRICE, { cents: count }, { id, subject: `p-${number}` }), token)
      if (answer.status === 200) {
        acknowledged.push(id)
        continue
      }
      expect([answer.status, answer.body.code]).toEqual([429, 'hub-busy'])
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      refused.push(id)
    }
  }
  await Promise.all(Array.from({ length: PUBLISHERS }, (_, number) => publisher(number)))
  console.log(`${acknowledged.length} acknowledged, ${refused.length} refused`)
  expect(refused.length).toBeGreaterThan(0)
  expect(acknowledged.length).toBeGreaterThan(0)
  await eventually('all came', () => prices.deliveries.length >= acknowledged.length)
  expect(prices.deliveries.map(({ event: one }) => one.id).sort()).toEqual([...acknowledged].sort())
  await prices.stop()
}, 60_000)

test('behind a pipe that stands still, records are refused before too many wait; then all of them come', async () => {
  const orders = collect(bed.client(token), { name: 'held', pattern: { type: [ORDER] } })
  await eventually('it is read', async () => (await bed.subscription('held')).state === 'active')
  const hold = join(directory, 'hold')
  const put = (n: number, more: object = {}) =>
    bed.call('POST', `/records/${RAW_ORDERS}`, {
      token,
      raw: JSON.stringify({ n, cents: 1, ...more }),
      headers: { 'tentpole-key': 'one' },
    })
  expect((await put(0, { hold })).status).toBe(200)
  let taken = 1
  const refused = await eventually('one is refused', async () => {
    const answer = await put(taken)
    if (answer.status === 200) taken += 1
    return answer.status === 200 ? null : answer
  })
  expect([refused.status, refused.body.code]).toEqual([429, 'hub-busy'])
  expect(refused.headers.get('retry-after')).not.toBeNull()
  console.log(`${taken} records taken before the first was refused`)
  expect(taken).toBeLessThan(LAG_MAX + 50)
  expect(orders.deliveries.length).toBe(0)
  writeFileSync(hold, '')
  await eventually('all that were taken came', () => orders.deliveries.length === taken)
  expect(orders.deliveries.map(({ event: { data } }) => (data as { number: number }).number)).toEqual(
    Array.from({ length: taken }, (_, n) => n),
  )
  await eventually('records are taken again', async () => (await put(taken)).status === 200)
  await orders.stop()
}, 60_000)

/** Effects in a database of the subscriber's own, once per delivery id. */
function openEffects(file: string) {
  const database = new Database(file, { create: true })
  database.run('PRAGMA synchronous = OFF')
  database.run('CREATE TABLE inbox (delivery TEXT PRIMARY KEY)')
  database.run('CREATE TABLE effects (id TEXT PRIMARY KEY, live INTEGER, replayed INTEGER)')
  const remember = database.query('INSERT INTO inbox (delivery) VALUES (?) ON CONFLICT DO NOTHING')
  const change = database.query(
    `INSERT INTO effects (id, live, replayed) VALUES (?1, ?2, ?3)
     ON CONFLICT DO UPDATE SET live = live + ?2, replayed = replayed + ?3`,
  )
  const take = database.transaction((delivery: string, id: string, isReplay: boolean) => {
    if (remember.run(delivery).changes === 1) change.run(id, isReplay ? 0 : 1, isReplay ? 1 : 0)
  })
  return {
    take,
    count: (where: string) =>
      (database.query(`SELECT COUNT(*) AS n FROM effects WHERE ${where}`).get() as { n: number }).n,
    close: () => database.close(),
  }
}

test('archive and log are replayed at a rate, marked, and a kill -9 of control in the middle costs nothing', async () => {
  const effects = openEffects(join(directory, 'effects.sqlite'))
  const mark = { data: { note: ['replay-me'] } }
  const stream = collect(bed.client(token), {
    name: 'replayed',
    pattern: { type: [ORDER], ...mark },
    concurrency: 64,
    handler: ({ id, event: { id: eventId }, replay }) => void effects.take(id, eventId, replay !== null),
  })
  await eventually('it is read', async () => (await bed.subscription('replayed')).state === 'active')
  const fromMs = Date.now()
  for (let number = 0; number < REPLAYED; number += 100) {
    const events = Array.from({ length: 100 }, (_, index) => ({
      ...{ type: ORDER, subject: `r-${(number + index) % 50}`, id: `r-${number + index}` },
      data: { number: number + index, amount: 1, note: 'replay-me', padding: 'x' },
    }))
    await bed.client(token).publish(events)
    await bed.publish(event(ORDER, { number, amount: 1, note: 'not me' }), token)
  }
  const toMs = Date.now() + 1
  await eventually('all came', () => effects.count('live = 1') === REPLAYED)
  await eventually('the tail is in the archive, and its beginning gone from the log', async () => {
    const { topics } = (await bed.call('GET', '/overview')).body as {
      topics: { name: string; first: number; end: number; archivedTo: number | null }[]
    }
    const topic = topics.find(({ name }) => name === ORDERS_TOPIC)
    // Its beginning is nowhere else any more.
    return topic !== undefined && topic.archivedTo === topic.end && topic.first > 100
  })

  const made = await bed.call('POST', '/subscriptions/replayed/replays', {
    token,
    body: { fromMs, toMs, eventsPerSecond: RATE },
  })
  expect(made.status).toBe(201)
  const replay = made.body as ReplayView
  const begunAtMs = performance.now()
  await eventually('a third is replayed', () => effects.count('replayed = 1') > REPLAYED / 3)
  const pid = await platform.pidOf('control')
  process.kill(pid, 'SIGKILL')
  await eventually('control is another', async () => (await platform.pidOf('control')) !== pid)
  const done = await eventually('the replay is done', async () => {
    const { replays } = (await bed.call('GET', '/replays', { token })).body as { replays: ReplayView[] }
    return replays.find(({ id, state }) => id === replay.id && state !== 'running')
  })
  expect(done.state).toBe('done')
  expect(performance.now() - begunAtMs).toBeGreaterThan((REPLAYED / RATE) * 1_000 * 0.8)
  await eventually('each has its effect', () => effects.count('replayed = 1') === REPLAYED)
  expect(effects.count('live <> 1 OR replayed <> 1')).toBe(0)
  for (const { id, replay: of, event: one } of stream.deliveries)
    expect(id).toMatch(new RegExp(`^${one.id}_[0-9a-f]{16}${of === null ? '' : `~${replay.id}`}$`))

  const cli = await platform.cli(
    ...['events', 'replay', '--subscription', 'replayed', '--from', new Date(fromMs).toISOString()],
    ...['--pattern', JSON.stringify({ data: { number: [{ numeric: ['<', 50] }] } }), '--rate', '1000', '--json'],
  )
  expect(cli.exitCode).toBe(0)
  expect((JSON.parse(cli.stdout) as ReplayView).delivered).toBe(50)
  expect(effects.count('replayed = 2')).toBe(50)
  await stream.stop()
  effects.close()
}, 90_000)
