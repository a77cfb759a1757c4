import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { CloudEvent } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { faultCode, silentLogger } from '../../kernel/index.ts'
import { type ArchiveBench, openArchiveBench, SMALL_LIMITS } from '../archive/testing.ts'
import { numbered, until } from '../testing.ts'
import { createView, type View, type ViewSources } from './index.ts'
import { defineHistory, type History, historyOf, publish, SMALL_VIEW_LIMITS, snapshotKeys } from './testing.ts'

let bench: ArchiveBench
const views: View<unknown>[] = []
beforeEach(async () => {
  bench = await openArchiveBench({ ...SMALL_VIEW_LIMITS, ...SMALL_LIMITS, hubViewSnapshotEvents: 5 })
})
afterEach(async () => {
  for (const view of views.splice(0)) await view.close()
  await bench.close()
})

const definition = defineHistory(1, { topics: ['titles'] })
function open(options: Partial<ViewSources> = {}): View<History> {
  const sources = { log: bench.log, archive: bench.reader, logger: silentLogger, limits: bench.limits }
  const view = createView({ ...sources, definition, ...options })
  views.push(view)
  return view
}
const firstOffset = async (): Promise<number> => (await bench.log.bounds('titles'))[0]?.first ?? -1
/** Publishes, archives, and has the log forget what comes before `before`. */
async function publishAndTrim(from: number, to: number, before: number): Promise<CloudEvent[]> {
  const said = Array.from({ length: to - from }, (_, n) => numbered((from + n) % 3, from + n))
  // One append is never split over two segments.
  for (let at = 0; at < said.length; at += 5) await publish(bench.log, said.slice(at, at + 5))
  await bench.archive('titles')
  await bench.log.trim({ topic: 'titles', partition: 0, before })
  expect(await firstOffset()).toBeGreaterThan(from)
  return said
}

test('a view is rebuilt from archive and log, without a gap or a repeat where they meet', async () => {
  const said = await publishAndTrim(0, 60, 40)
  const view = open()
  await view.caughtUp()
  expect(view.state).toEqual(historyOf(said))
  expect([view.version, view.positions()]).toEqual([60, { titles: { 0: 60 } }])
})

test('without an archive it has what the log has, as before', async () => {
  const said = await publishAndTrim(0, 60, 40)
  const view = open({ archive: undefined })
  await view.caughtUp()
  expect(view.state).toEqual(historyOf(said.slice(await firstOffset())))
})

test('a snapshot older than the log goes on through the archive', async () => {
  const snapshots = { objects: bench.objects, isWriter: true }
  const before = open({ snapshots })
  const said: CloudEvent[] = Array.from({ length: 7 }, (_, n) => numbered(n % 3, n))
  await publish(bench.log, said)
  await until('a snapshot', async () => (await snapshotKeys(bench.objects)).length > 0)
  await before.close()
  said.push(...(await publishAndTrim(7, 80, 60)))
  expect(await firstOffset()).toBeGreaterThan(20)
  const view = open({ snapshots })
  await view.caughtUp()
  expect([view.state, view.version]).toEqual([historyOf(said), 80])
})

test('what is trimmed under a view that is behind comes from the archive', async () => {
  const go = Promise.withResolvers<void>()
  let batches = 0
  const slow: LogPort = {
    ...bench.log,
    subscribe: (options) =>
      bench.log.subscribe({
        ...options,
        async onRecords(records) {
          batches += 1
          await go.promise
          return options.onRecords(records)
        },
      }),
  }
  const first = numbered(1, 1)
  await publish(bench.log, [first])
  const view = open({ log: slow })
  await until('it has the first batch', () => batches === 1)
  const said = await publishAndTrim(2, 80, 60)
  go.resolve()
  await view.caughtUp()
  expect(view.state).toEqual(historyOf([first, ...said]))
  expect(view.version).toBe(79)
})

test('an archive that cannot be read for a while is waited for, and nothing is left out', async () => {
  const said = await publishAndTrim(0, 60, 40)
  let tries = 0
  const failing: ViewSources['archive'] = {
    read(wanted) {
      tries += 1
      if (tries <= 2) throw new Error('objects are away')
      return bench.reader.read(wanted)
    },
  }
  const view = open({ archive: failing })
  await view.caughtUp()
  expect([view.state, tries]).toEqual([historyOf(said), 3])
})

test('a read waits until the event is in the view, and is told when it is not', async () => {
  const limits = { ...bench.limits, hubViewWaitsMax: 1 }
  const view = open({ limits })
  const at = (offset: number, topic = 'titles') => ({ topic, partition: 0, offset })
  const codeOf = (waited: Promise<void>) => waited.then(() => 'reached', faultCode)
  await publish(bench.log, [numbered(1, 1)])
  await view.reached(at(0), { timeoutMs: 5_000 })
  expect(view.version).toBe(1)
  const waiting = view.reached(at(2), { timeoutMs: 5_000 })
  expect(await codeOf(view.reached(at(0)))).toBe('reached')
  expect(await codeOf(view.reached(at(9)))).toBe('view-busy')
  expect(await codeOf(view.reached(at(0, 'media')))).toBe('position-unknown')
  await publish(bench.log, [numbered(1, 2), numbered(1, 3)])
  await waiting
  expect(view.version).toBe(3)
  expect(await codeOf(view.reached(at(9), { timeoutMs: 5 }))).toBe('timeout')
  const closed = codeOf(view.reached(at(9)))
  await view.close()
  expect([await closed, await codeOf(view.reached(at(9)))]).toEqual(['closed', 'closed'])
})

test('lag is measured in records and in the age of the oldest', async () => {
  const go = Promise.withResolvers<void>()
  const held: LogPort = {
    ...bench.log,
    subscribe: (options) =>
      bench.log.subscribe({ ...options, onRecords: (records) => go.promise.then(() => options.onRecords(records)) }),
  }
  await publish(bench.log, [numbered(1, 1), numbered(1, 2)])
  const [oldest] = await bench.log.read({ topic: 'titles', from: 0, max: 1 })
  const nowMs = (oldest?.appendedAtMs ?? 0) + 70_000
  const view = open({ log: held, clock: { nowMs: () => nowMs, elapsedMs: () => performance.now() } })
  await until('it is behind', () => view.lag() === 2)
  expect(await view.measureLag()).toEqual({ records: 2, ageMs: 70_000 })
  go.resolve()
  await view.caughtUp()
  expect(await view.measureLag()).toEqual({ records: 0, ageMs: 0 })
})
