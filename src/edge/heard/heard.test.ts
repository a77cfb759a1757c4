import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestLog } from '../../../test/fixtures/log.ts'
import type { PurgeOrder } from '../../contracts/index.ts'
import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import { createStoreClient } from '../../engines/store/index.ts'
import { createPublisher, encodeEvent, type Publisher, toEvent } from '../../hub/index.ts'
import { createLogger, DEFAULT_LIMITS, silentLogger, systemClock } from '../../kernel/index.ts'
import { createHeard, type Heard, type HeardOptions } from './heard.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const TITLE = '0123456789abcdef'

type Ears = { readonly heard: Heard; readonly revoked: string[]; readonly purged: PurgeOrder[] }

function hear(log: LogPort, options: Partial<HeardOptions> = {}): Ears {
  const revoked: string[] = []
  const purged: PurgeOrder[] = []
  const heard = createHeard({
    log,
    limits: DEFAULT_LIMITS,
    logger: silentLogger,
    clock: systemClock,
    onWithdrawn: () => {},
    onSessionRevoked: (sessionId) => revoked.push(sessionId),
    onPurge: (order) => purged.push(order),
    ...options,
  })
  closers.push(heard.close)
  return { heard, revoked, purged }
}
async function openLog(): Promise<LogPort> {
  const { log, close } = await openTestLog()
  closers.push(close)
  return log
}
const revoke = (publisher: Publisher, sessionId: string, revokedAtMs = Date.now()) =>
  publisher.publish('tentpole.session.revoked.v1', sessionId, { sessionId, reason: 'test', revokedAtMs })
const purge = (publisher: Publisher, order: PurgeOrder) =>
  publisher.publish('tentpole.cache.purged.v1', order.scope, { ...order, reason: 'test' })
/** How long it took. */
async function until(what: string, holds: () => boolean, timeoutMs: number): Promise<number> {
  const startedMs = performance.now()
  while (!holds()) {
    if (performance.now() - startedMs > timeoutMs) throw new Error(`waited ${timeoutMs} ms for ${what}`)
    await Bun.sleep(2)
  }
  return performance.now() - startedMs
}

test('a revoked session is heard of on every edge at once, once, with nobody but the log to ask', async () => {
  const log = await openLog()
  const publisher = createPublisher({ log, source: 'test' })
  const edges = [hear(log), hear(log)]
  await until('trust', () => edges.every(({ heard }) => heard.trusted()), 2_000)
  await revoke(publisher, 's1')
  await revoke(publisher, 's1')
  await revoke(publisher, 's2')
  expect(await until('the edges', () => edges.every(({ heard }) => heard.isRevoked('s2')), 5_000)).toBeLessThan(1_000)
  for (const { heard, revoked } of edges)
    expect([heard.isRevoked('s1'), heard.isRevoked('s3'), revoked]).toEqual([true, false, ['s1', 's2']])
})

test('purges are heard on every edge within a second, in their order', async () => {
  const log = await openLog()
  const publisher = createPublisher({ log, source: 'test' })
  const edges = [hear(log), hear(log)]
  const orders: PurgeOrder[] = [
    { scope: 'url', value: 'http://films.example/a' },
    { scope: 'prefix', value: '/films/' },
    { scope: 'tag', value: TITLE },
  ]
  for (const order of orders) await purge(publisher, order)
  await until('the edges', () => edges.every(({ purged }) => purged.length === 3), 1_000)
  for (const { purged } of edges) expect(purged).toEqual(orders)
})

test('a withdrawal is heard, and an edge that starts later knows all that still matters', async () => {
  const log = await openLog()
  const publisher = createPublisher({ log, source: 'test' })
  const data = { titleId: TITLE, reason: 'test' }
  await publisher.publish('tentpole.title.withdrawn.v1', TITLE, data)
  await revoke(publisher, 'earlier')
  const { heard } = hear(log)
  await until('trust', heard.trusted, 2_000)
  expect([heard.isWithdrawn(TITLE), heard.isRevoked('earlier')]).toEqual([true, true])
})

test('what is no event, of no known kind, or makes its listener fail is skipped, and what follows is heard', async () => {
  const log = await openLog()
  const publisher = createPublisher({ log, source: 'test' })
  const lines: string[] = []
  const logger = createLogger({ role: 'edge', format: 'json', write: (line) => lines.push(line) })
  const { heard, purged } = hear(log, {
    logger,
    onSessionRevoked: () => {
      throw new Error('a listener with a fault')
    },
  })
  const event = toEvent(
    'tentpole.cache.purged.v1',
    'url',
    { scope: 'url', value: '/a', reason: '' },
    { source: 'test' },
  )
  const garbage = [
    '',
    'null',
    '{"specversion":"1.0"}',
    '\u0000\u00ff',
    JSON.stringify({ ...event, data: { scope: 'everything', value: '/a', reason: '' } }),
    JSON.stringify({ ...event, data: { scope: 'url', value: 'no address', reason: '' } }),
    JSON.stringify({ ...event, type: 'tentpole.cache.warmed.v1' }),
  ]
  for (const text of garbage) await log.append('edge', [{ key: 'k', value: Buffer.from(text) }])
  await revoke(publisher, 's1')
  await log.append('edge', [{ key: 'url', value: encodeEvent(event) }])
  await until('the purge', () => purged.length === 1, 2_000)
  expect([heard.isRevoked('s1'), heard.isRevoked('k')]).toEqual([true, false])
  expect(lines.filter((line) => line.includes('"error"'))).toHaveLength(garbage.length)
})

/** The same log, on which what is before `offset` was appended so much earlier. */
const aged = (log: LogPort, before: { readonly offset: number; readonly byMs: number }): LogPort => {
  const age = (records: readonly LogRecord[]): LogRecord[] =>
    records.map((record) =>
      record.topic === 'edge' && record.offset < before.offset
        ? { ...record, appendedAtMs: record.appendedAtMs - before.byMs }
        : record,
    )
  return {
    ...log,
    read: async (options) => age(await log.read(options)),
    subscribe: (options) => log.subscribe({ ...options, onRecords: (records) => options.onRecords(age(records)) }),
  }
}
const appendRevocations = async (log: LogPort, count: number): Promise<void> => {
  const revocations = Array.from({ length: count }, (_, at) => {
    const sessionId = `session-${at}`
    const data = { sessionId, reason: '', revokedAtMs: Date.now() }
    return {
      key: sessionId,
      value: encodeEvent(toEvent('tentpole.session.revoked.v1', sessionId, data, { source: 'test' })),
    }
  })
  for (let at = 0; at < count; at += 2_000) await log.append('edge', revocations.slice(at, at + 2_000))
}

test('what was said long before the start costs a start little: no parse, no purge, no memory', async () => {
  const log = await openLog()
  await appendRevocations(log, 20_000)
  await revoke(createPublisher({ log, source: 'test' }), 'fresh')
  const fresh = hear(aged(log, { offset: 20_000, byMs: 3_600_000 }))
  const timeMs = await until('trust', fresh.heard.trusted, 5_000)
  expect(timeMs).toBeLessThan(2_000)
  expect(fresh.revoked).toEqual(['fresh'])

  const bounded = hear(log, { limits: { ...DEFAULT_LIMITS, sessionsRevokedMax: 100 } })
  await until('trust', bounded.heard.trusted, 5_000)
  expect([bounded.heard.isRevoked('session-0'), bounded.heard.isRevoked('session-19999')]).toEqual([true, true])
})

test.each([3_600_000, -3_600_000])(
  'a clock that is %p ms ahead at the start hides nothing, also once it is put right',
  async (aheadMs: number) => {
    const log = await openLog()
    await revoke(createPublisher({ log, source: 'test' }), 'live')
    let ahead: number = aheadMs
    const { heard } = hear(log, { clock: { ...systemClock, nowMs: () => Date.now() + ahead } })
    await until('trust', heard.trusted, 2_000)
    expect(heard.isRevoked('live')).toBe(true)
    ahead = 0
    expect(heard.isRevoked('live')).toBe(true)
  },
)

test('who hears the log but is behind it for longer than the grace trusts nothing until caught up', async () => {
  const log = await openLog()
  let held = Promise.withResolvers<void>()
  let isHeld = false
  const subscribe: LogPort['subscribe'] = (options) =>
    log.subscribe({
      ...options,
      onRecords: async (records) => {
        if (isHeld && options.topic === 'edge') await held.promise
        await options.onRecords(records)
      },
    })
  // The log beats once a second.
  const graceMs = 1_300
  const { heard } = hear({ ...log, subscribe }, { limits: { ...DEFAULT_LIMITS, edgeGraceMs: graceMs } })
  const publisher = createPublisher({ log, source: 'test' })
  await until('trust', heard.trusted, 2_000)
  isHeld = true
  closers.push(() => held.resolve())
  await revoke(publisher, 'behind')
  await until('distrust', () => !heard.trusted(), 4_000)
  expect([heard.silentForMs() < graceMs, heard.isRevoked('behind')]).toEqual([true, false])
  isHeld = false
  held.resolve()
  held = Promise.withResolvers()
  await until('trust', heard.trusted, 2_000)
  expect(heard.isRevoked('behind')).toBe(true)
})

test('a topic that is heard does not hide that another is not', async () => {
  const log = await openLog()
  let isSilent = false
  const subscribe: LogPort['subscribe'] = (options) => {
    const subscription = log.subscribe(options)
    const silentForMs = (): number => (isSilent && options.topic === 'edge' ? 60_000 : subscription.silentForMs())
    return { ...subscription, silentForMs }
  }
  const { heard } = hear({ ...log, subscribe })
  await until('trust', heard.trusted, 2_000)
  isSilent = true
  expect([heard.trusted(), heard.silentForMs()]).toEqual([false, 60_000])
  isSilent = false
  await until('trust', heard.trusted, 2_000)
})

test('an edge cut off from the log trusts nothing, and back again knows what it missed before it trusts', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-heard-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  const startStore = async () => {
    const script = join(import.meta.dir, '..', 'testing', 'store-process.ts')
    const child = Bun.spawn([process.execPath, '--no-install', script, directory], { stdout: 'pipe' })
    closers.push(() => child.kill('SIGKILL'))
    await child.stdout.getReader().read()
    return child
  }
  const connect = (): LogPort => {
    const client = createStoreClient({
      path: join(directory, 'store.sock'),
      limits: DEFAULT_LIMITS,
      logger: silentLogger,
    })
    closers.push(client.close)
    return client.log
  }
  const store = await startStore()
  const limits = { ...DEFAULT_LIMITS, edgeGraceMs: 1_300 }
  const edges = [hear(connect(), { limits }), hear(connect(), { limits })]
  await until('trust', () => edges.every(({ heard }) => heard.trusted()), 5_000)
  store.kill('SIGKILL')
  await store.exited
  await until('distrust', () => edges.every(({ heard }) => !heard.trusted()), 4_000)

  const { log } = await openTestLog(join(directory, 'log'))
  await revoke(createPublisher({ log, source: 'test' }), 'missed')
  await log.close()
  expect(edges.some(({ heard }) => heard.isRevoked('missed'))).toBe(false)
  await startStore()
  for (const { heard } of edges) {
    await until('trust', heard.trusted, 8_000)
    expect(heard.isRevoked('missed')).toBe(true)
  }
}, 20_000)
