import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, faultCode, type Limits, silentLogger } from '../../kernel/index.ts'
import { createWireServer } from '../../wire/index.ts'
import { runLogContract } from '../log/contract.ts'
import { type LogPort, type LogRecord, openEmbeddedLog } from '../log/index.ts'
import { contractMigrations, runTablesContract } from '../tables/contract.ts'
import { openSqliteTables, type TablesPort } from '../tables/index.ts'
import { createStoreClient, createStoreHandler, type StoreClient } from './index.ts'

type Ports = { log: LogPort; tables: TablesPort }
type Store = {
  readonly path: string
  /** Opens the engines again and serves them; `over` decorates them. */
  start(over?: (ports: Ports) => Ports): Promise<void>
  /** Breaks every connection at once, as a kill does, and closes the engines. */
  stop(): Promise<void>
  remove(): void
}

function createStore(limits: Limits = DEFAULT_LIMITS): Store {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-store-'))
  const path = join(directory, 'store.sock')
  let stop = async (): Promise<void> => {}
  return {
    path,
    async start(over = (ports) => ports) {
      const log = await openEmbeddedLog({
        directory: join(directory, 'log'),
        limits,
        logger: silentLogger,
        trimmedTopics: [],
      })
      const tables = openSqliteTables({ path: join(directory, 'tables.sqlite'), migrations: contractMigrations })
      const handler = createStoreHandler({ ...over({ log, tables }), logger: silentLogger })
      const server = createWireServer({ path, limits, logger: silentLogger, onCall: handler })
      stop = async () => {
        await server.close({ timeoutMs: 0 })
        await log.close()
        await tables.close()
      }
    },
    stop: () => stop(),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

const open = async (): Promise<{ client: StoreClient; close: () => Promise<void> }> => {
  const store = createStore()
  await store.start()
  const client = createStoreClient({ path: store.path, limits: DEFAULT_LIMITS, logger: silentLogger })
  return {
    client,
    close: async () => {
      await client.close()
      await store.stop()
      store.remove()
    },
  }
}

runLogContract('the store, over its socket', async () => {
  const { client, close } = await open()
  return { log: client.log, close }
})
runTablesContract('the store, over its socket', async () => {
  const { client, close } = await open()
  return { tables: client.tables, close }
})

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const newStore = (): Store => {
  const store = createStore()
  closers.push(
    () => store.remove(),
    () => store.stop(),
  )
  return store
}
const dial = (store: Store, limits: Limits = DEFAULT_LIMITS): StoreClient => {
  const client = createStoreClient({ path: store.path, limits, logger: silentLogger })
  closers.push(() => client.close())
  return client
}
const value = (text: string): Buffer => Buffer.from(text)
const textOf = (record: LogRecord): string => Buffer.from(record.value).toString()
const until = async (condition: () => boolean, timeoutMs = 5_000): Promise<void> => {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for: ${condition}`)
    await Bun.sleep(5)
  }
}
const insert = (id: string) => ({
  sql: 'INSERT INTO contract_accounts (id, balance) VALUES (?, 0)',
  parameters: [id],
  expectRows: 1,
})

test('a client may be there before the store: calls wait for it', async () => {
  const store = newStore()
  const client = dial(store)
  const seen: string[] = []
  const onRecords = (records: readonly LogRecord[]): void => void seen.push(...records.map(textOf))
  client.log.subscribe({ topic: 't', start: 'beginning', onRecords })
  const appended = client.log.append('t', [{ key: 'k', value: value('early') }])
  const batch = client.tables.batch([insert('early')])
  expect(client.connected()).toBe(false)
  await store.start()
  expect(await appended).toEqual([0])
  expect((await batch).ok).toBe(true)
  await until(() => seen.length === 1)
  expect(client.connected()).toBe(true)
})

test('the store restarts under load: nothing acknowledged is lost, order per key holds, subscriptions go on', async () => {
  const store = newStore()
  await store.start()
  const client = dial(store)
  const seen: LogRecord[] = []
  let handling = 0
  let overlaps = 0
  const subscription = client.log.subscribe({
    topic: 't',
    start: 'beginning',
    async onRecords(records) {
      handling += 1
      if (handling > 1) overlaps += 1
      await Bun.sleep(2)
      seen.push(...records)
      handling -= 1
    },
  })
  const acknowledged: { offset: number; text: string }[] = []
  let stopped = false
  const producers = Array.from({ length: 5 }, async (_, producer) => {
    // Several appends of one key are under way at once: their order must survive being sent again.
    for (let count = 0; !stopped; count += 4)
      await Promise.all(
        [0, 1, 2, 3].map(async (ahead) => {
          const text = `${producer} ${count + ahead}`
          const [offset = -1] = await client.log.append('t', [{ key: String(producer), value: value(text) }])
          acknowledged.push({ offset, text })
        }),
      )
  })
  for (let restart = 0; restart < 3; restart++) {
    const before = acknowledged.length
    await until(() => acknowledged.length > before + 100)
    await store.stop()
    await store.start()
  }
  stopped = true
  await Promise.all(producers)
  await subscription.caughtUp()

  expect(overlaps).toBe(0)
  const texts = new Map(seen.map((record) => [record.offset, textOf(record)]))
  expect(acknowledged.filter(({ offset, text }) => texts.get(offset) !== text)).toEqual([])
  // Without a group, it goes on exactly where it was.
  expect(seen.map(({ offset }) => offset)).toEqual(Array.from({ length: seen.length }, (_, index) => index))
  for (let producer = 0; producer < 5; producer++) {
    const counts = seen
      .filter(({ key }) => key === String(producer))
      .map((record) => Number(textOf(record).split(' ')[1]))
    const first = [...new Set(counts)]
    expect(first).toEqual(Array.from({ length: first.length }, (_, index) => index))
  }
}, 20_000)

test('appends give up after logAppendTimeoutMs, connected or not', async () => {
  const store = newStore()
  const client = dial(store, { ...DEFAULT_LIMITS, logAppendTimeoutMs: 200 })
  const absent = await client.log.append('t', [{ key: 'k', value: value('x') }]).catch(faultCode)
  const hanging = (ports: Ports): Ports => ({ ...ports, log: { ...ports.log, append: () => new Promise(() => {}) } })
  await store.start(hanging)
  const hung = await client.log.append('t', [{ key: 'k', value: value('x') }]).catch(faultCode)
  expect([absent, hung]).toEqual(['timeout', 'timeout'])
})

test('each append of a message has its own answer', async () => {
  const store = newStore()
  await store.start()
  const client = dial(store)
  const answers = await Promise.all([
    client.log.append('good', [{ key: 'k', value: value('1') }]),
    client.log.append('BAD TOPIC', [{ key: 'k', value: value('2') }]).catch(faultCode),
    client.log.append('good', [{ key: 'k', value: value('3') }]),
  ])
  expect(answers).toEqual([[0], 'topic-invalid', [1]])
})

test('reads, queries and commits survive a restart; a batch whose answer was lost is its caller’s to judge', async () => {
  const store = newStore()
  await store.start()
  const client = dial(store)
  await client.log.append('t', [{ key: 'k', value: value('x') }])
  await client.tables.batch([insert('before')])

  await store.stop()
  await until(() => !client.connected())
  const under = Promise.all([
    client.log.read({ topic: 't', from: 0, max: 1 }),
    client.tables.query({ sql: 'SELECT id FROM contract_accounts' }),
    client.log.commit({ group: 'g', topic: 't', partition: 0, offset: 1 }),
    client.tables.batch([insert('waited')]),
  ])
  // Begun, done, and the answer lost with the connection.
  const begun = Promise.withResolvers<void>()
  const deaf = ({ log, tables }: Ports): Ports => ({
    log,
    tables: {
      ...tables,
      async batch(statements, options) {
        const result = await tables.batch(statements, options)
        if (statements[0]?.parameters?.[0] !== 'lost') return result
        begun.resolve()
        return new Promise(() => {})
      },
    },
  })
  await store.start(deaf)
  const [records, rows, , waited] = await under
  expect(records.map(textOf)).toEqual(['x'])
  expect(rows[0]).toEqual({ id: 'before' })
  expect(waited.ok).toBe(true)
  const lost = client.tables.batch([insert('lost')]).then(() => 'answered', faultCode)
  await begun.promise
  await store.stop()
  expect(await lost).toBe('wire-lost')
  await store.start()
  const found = await client.tables.query({ sql: "SELECT count(*) AS n FROM contract_accounts WHERE id = 'lost'" })
  expect(found).toEqual([{ n: 1 }])
})

test('a listener is told when the store is back, so that it looks for what it missed', async () => {
  const store = newStore()
  await store.start()
  const client = dial(store)
  let heard = 0
  client.tables.listen('news', () => heard++)
  await until(() => heard === 1)
  await store.stop()
  await store.start()
  await until(() => heard === 2)
  await client.tables.batch([insert('news')], { notify: ['news'] })
  await until(() => heard === 3)
})

test('a group moves on when the process of its live member is gone', async () => {
  const store = newStore()
  await store.start()
  const [first, second] = [dial(store), dial(store)]
  const seen: { by: string; text: string }[] = []
  const join = (client: StoreClient, by: string) =>
    client.log.subscribe({
      topic: 't',
      group: 'g',
      onRecords: (records) => void seen.push(...records.map((record) => ({ by, text: textOf(record) }))),
    })
  const live = join(first, 'first')
  await until(() => live.silentForMs() < 1_000)
  const standby = join(second, 'second')
  await until(() => standby.silentForMs() < 1_000)
  await second.log.append('t', [
    { key: 'k', value: value('1') },
    { key: 'k', value: value('2') },
  ])
  await until(() => seen.length === 2)
  await second.log.commit({ group: 'g', topic: 't', partition: 0, offset: 1 })
  await first.close()
  await until(() => seen.length === 3)
  await second.log.append('t', [{ key: 'k', value: value('3') }])
  await until(() => seen.length === 4)
  expect(seen).toEqual([
    { by: 'first', text: '1' },
    { by: 'first', text: '2' },
    { by: 'second', text: '2' },
    { by: 'second', text: '3' },
  ])
})

test('silence is the store’s, not a slow handler’s', async () => {
  const store = newStore()
  await store.start()
  const client = dial(store)
  const gate = Promise.withResolvers<void>()
  const subscription = client.log.subscribe({ topic: 't', start: 'beginning', onRecords: () => gate.promise })
  await client.log.append('t', [{ key: 'k', value: value('x') }])
  await until(() => subscription.lag() === 1)
  // The handler is stuck, and the store is heard all the same.
  const end = performance.now() + 1_700
  let longest = 0
  while (performance.now() < end) {
    longest = Math.max(longest, subscription.silentForMs())
    await Bun.sleep(20)
  }
  expect(longest).toBeLessThan(1_200)
  gate.resolve()
  await store.stop()
  await until(() => subscription.silentForMs() > 1_200)
  await store.start()
  await until(() => subscription.silentForMs() < 500)
})

test('a drain ends the streams at once, and clients find the next store', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-drain-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 's.sock')
  const limits = DEFAULT_LIMITS
  const log = await openEmbeddedLog({ directory, limits, logger: silentLogger, trimmedTopics: [] })
  closers.push(() => log.close())
  const tables = openSqliteTables({ path: join(directory, 't.sqlite'), migrations: [] })
  closers.push(() => tables.close())
  const serve = () => {
    const handler = createStoreHandler({ log, tables, logger: silentLogger })
    return { handler, server: createWireServer({ path, limits, logger: silentLogger, onCall: handler }) }
  }
  const first = serve()
  const client = createStoreClient({ path, limits, logger: silentLogger })
  closers.push(() => client.close())
  const seen: string[] = []
  const onRecords = (records: readonly LogRecord[]): void => void seen.push(...records.map(textOf))
  client.log.subscribe({ topic: 't', start: 'beginning', onRecords })
  client.tables.listen('news', () => {})
  await client.log.append('t', [{ key: 'k', value: value('1') }])
  await until(() => seen.length === 1)
  const begun = performance.now()
  const drained = first.server.close({ timeoutMs: 5_000 })
  first.handler.endStreams()
  const during = client.log.append('t', [{ key: 'k', value: value('2') }])
  await drained
  expect(performance.now() - begun).toBeLessThan(1_000)
  const second = serve()
  closers.push(() => second.server.close({ timeoutMs: 0 }))
  expect(await during).toEqual([1])
  await until(() => seen.length === 2)
  expect(seen).toEqual(['1', '2'])
})
