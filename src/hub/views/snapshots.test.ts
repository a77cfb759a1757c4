import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { LogPort } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { type ArchiveBench, openArchiveBench } from '../archive/testing.ts'
import { encodeEvent } from '../event.ts'
import { numbered, numberOf, until } from '../testing.ts'
import type { ViewDefinition } from './definition.ts'
import { createView, type View, type ViewSources } from './index.ts'
import { decideRemovals } from './snapshot-key.ts'
import {
  createListeningLogger,
  defineHistory,
  type History,
  historyOf,
  publish,
  SMALL_VIEW_LIMITS,
  snapshotKeys,
} from './testing.ts'

let bench: ArchiveBench
const views: View<unknown>[] = []
beforeEach(async () => {
  bench = await openArchiveBench(SMALL_VIEW_LIMITS)
})
afterEach(async () => {
  for (const view of views.splice(0)) await view.close()
  await bench.close()
})

function open<State = History>(
  options: Partial<ViewSources> & { definition?: ViewDefinition<State>; isWriter?: boolean } = {},
): View<State> {
  const { definition = defineHistory() as unknown as ViewDefinition<State>, isWriter = true, ...more } = options
  const snapshots = { objects: bench.objects, isWriter }
  const sources = { log: bench.log, logger: silentLogger, limits: SMALL_VIEW_LIMITS, snapshots, ...more }
  const view = createView({ ...sources, definition })
  views.push(view)
  return view
}
/** Counts the records that are read through it. */
function countReads(log: LogPort): { log: LogPort; records(): number } {
  let count = 0
  const counted: LogPort = {
    ...log,
    subscribe: (options) =>
      log.subscribe({
        ...options,
        onRecords(records) {
          count += records.length
          return options.onRecords(records)
        },
      }),
  }
  return { log: counted, records: () => count }
}
const events = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => numbered(n % 3, from + n))
/** So many events, and as many snapshots as they make. */
async function writeSnapshots(counts: readonly number[]): Promise<ReturnType<typeof events>> {
  const view = open()
  const said: ReturnType<typeof events> = []
  for (const [index, count] of counts.entries()) {
    const more = events(said.length, said.length + count)
    said.push(...more)
    await publish(bench.log, more)
    await view.caughtUp()
    const sequence = String(index + 1).padStart(16, '0')
    await until(
      `snapshot ${sequence}`,
      async () => (await snapshotKeys(bench.objects)).at(-1)?.includes(sequence) ?? false,
    )
  }
  await view.close()
  return said
}

test('a start reads the tail behind the newest snapshot, and nothing before it', async () => {
  const said = await writeSnapshots([7, 8])
  const tail = events(15, 18)
  await publish(bench.log, tail)
  const { log, records } = countReads(bench.log)
  const view = open({ log, isWriter: false })
  const replaced = Promise.withResolvers<void>()
  view.onReplaced(replaced.resolve)
  await view.caughtUp()
  await replaced.promise
  expect(view.state).toEqual(historyOf([...said, ...tail]))
  expect([records(), view.version, view.leftOut]).toEqual([3, 18, 0])
})

test('an event that comes again just behind the snapshot takes effect once', async () => {
  const said = await writeSnapshots([7])
  const more = events(7, 8)
  await publish(bench.log, [...said.slice(-3), ...more, ...said.slice(0, 2)])
  const view = open()
  await view.caughtUp()
  expect(view.state).toEqual(historyOf([...said, ...more]))
  expect(view.version).toBe(8)
})

test('only who is told to writes; the newest two stay', async () => {
  const reader = open({ isWriter: false })
  await publish(bench.log, events(0, 30))
  await reader.caughtUp()
  await reader.close()
  expect(await snapshotKeys(bench.objects)).toEqual([])
  await writeSnapshots([6, 6, 6, 6])
  expect((await snapshotKeys(bench.objects)).map((key) => key.slice(0, 33))).toEqual([
    'views/history/v1/0000000000000003',
    'views/history/v1/0000000000000004',
  ])
})

test('what is not read any more is removed, and nothing else', () => {
  const key = (version: number, sequence: number): string =>
    `views/v/v${version}/${String(sequence).padStart(16, '0')}-0123456789abcdef`
  const keys = [key(1, 1), key(2, 8), key(4, 1), key(4, 2), key(4, 10), key(4, 9), key(5, 1), 'views/v/v4/other', 'x']
  const cases: [number, string[]][] = [
    [4, [key(4, 2), key(4, 1), key(1, 1)]],
    [5, [key(1, 1), key(2, 8)]],
    [2, []],
    [1, []],
    [9, [key(1, 1), key(2, 8), key(4, 1), key(4, 2), key(4, 10), key(4, 9)]],
  ]
  for (const [version, removed] of cases) expect(decideRemovals('v', keys, version).sort()).toEqual(removed.sort())
})

/** Puts other bytes in the place of a snapshot. */
async function replace(objects: ObjectsPort, key: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const bytes = Buffer.from((await objects.read(key)) ?? [])
  await objects.delete(key)
  await objects.put(key, change(bytes))
}
const flip = (bytes: Buffer): Buffer => {
  bytes.writeUInt8(bytes.readUInt8(bytes.byteLength >> 1) ^ 1, bytes.byteLength >> 1)
  return bytes
}

test.each([
  ['the newest is damaged', 1, flip, 11, 'digest does not hold'],
  ['the newest is cut', 1, (bytes: Buffer) => bytes.subarray(0, 10), 11, 'it is cut'],
  ['the newest is empty', 1, () => new Uint8Array(0), 11, 'it is cut'],
  ['both are damaged', 2, flip, 18, 'digest does not hold'],
] as const)('%s: told, and the one before it, or the beginning, is used', async (_, damaged, change, read, reason) => {
  const said = await writeSnapshots([7, 8])
  const tail = events(15, 18)
  await publish(bench.log, tail)
  for (const key of (await snapshotKeys(bench.objects)).slice(-damaged)) await replace(bench.objects, key, change)
  const { logger, said: told } = createListeningLogger()
  const { log, records } = countReads(bench.log)
  const view = open({ log, logger, isWriter: false })
  await view.caughtUp()
  expect(view.state).toEqual(historyOf([...said, ...tail]))
  expect(records()).toBe(read)
  expect(told.filter((line) => line.includes(reason))).toHaveLength(damaged)
})

test.each([
  ['another pattern', defineHistory(1, { on: { subject: [{ exists: true }] } }), 'another pattern'],
  ['other topics', defineHistory(1, { topics: ['titles'] }), 'of the topics media, titles'],
  ['a decoder that throws', defineHistory(1, { snapshot: { encode: () => 0, decode: () => JSON.parse('{') } }), 'JSON'],
] as const)('a definition with %s does not use what was written before', async (_, definition, reason) => {
  const said = await writeSnapshots([7])
  const { logger, said: told } = createListeningLogger()
  const view = open({ logger, definition, isWriter: false })
  await view.caughtUp()
  expect(view.state).toEqual(historyOf(said))
  expect(told.filter((line) => line.includes(reason))).toHaveLength(1)
})

test('another version looks at no snapshot of this one; a log that was replaced makes a snapshot unusable', async () => {
  const said = await writeSnapshots([7])
  const { log, records } = countReads(bench.log)
  const next = open({ log, definition: defineHistory(2), isWriter: false })
  await next.caughtUp()
  expect([next.state, records()]).toEqual([historyOf(said), 7])

  const other = await openArchiveBench(SMALL_VIEW_LIMITS)
  try {
    await publish(other.log, said.slice(0, 2))
    const { logger, said: told } = createListeningLogger()
    const view = open({ log: other.log, logger, isWriter: false })
    await view.caughtUp()
    expect(view.state).toEqual(historyOf(said.slice(0, 2)))
    expect(told.join()).toContain('it goes to offset 7 of topic titles, partition 0, the log only to 2')
    await view.close()
  } finally {
    await other.close()
  }
})

test('a view that left an event out, or is too large, is not written; a failed write is told and costs nothing', async () => {
  const fragile = defineHistory(1, {
    apply(state, event) {
      if (numberOf(event) === 3) throw new Error('a bug')
      state.set(event.subject, [])
    },
  })
  const refusing: ObjectsPort = { ...bench.objects, put: () => Promise.reject(new Error('no room')) }
  const cases: [Parameters<typeof open>[0], string][] = [
    [{ definition: fragile as ViewDefinition<unknown> }, 'events are left out of it'],
    [{ limits: { ...SMALL_VIEW_LIMITS, hubViewSnapshotBytesMax: 20 } }, 'too large for a snapshot'],
    [{ snapshots: { objects: refusing, isWriter: true } }, 'no room'],
  ]
  await publish(bench.log, events(0, 9))
  for (const [options, reason] of cases) {
    const { logger, said: told } = createListeningLogger()
    const view = open({ ...options, logger })
    await view.caughtUp()
    await until(reason, () => told.some((line) => line.includes(reason)))
    await view.close()
    expect(await snapshotKeys(bench.objects)).toEqual([])
  }
})

test('what a pattern leaves out is in no state, and is not read again either', async () => {
  const definition = defineHistory(1, { on: { data: { stages: { done: [{ numeric: ['<', 1] }] } } } })
  const before = open({ definition })
  const said = events(0, 30)
  await publish(bench.log, said)
  await until('a snapshot', async () => (await snapshotKeys(bench.objects)).length > 0)
  await before.close()
  const { log, records } = countReads(bench.log)
  const after = open({ definition, log, isWriter: false })
  await after.caughtUp()
  expect([after.state, after.version, records()]).toEqual([historyOf(said.slice(0, 1)), 1, 0])
})

test('a snapshot is written some time after the first event that is in none', async () => {
  const limits = { ...SMALL_VIEW_LIMITS, hubViewSnapshotEvents: 1_000, hubViewSnapshotMs: 20 }
  const view = open({ limits })
  await publish(bench.log, events(0, 2))
  await until('a snapshot', async () => (await snapshotKeys(bench.objects)).length === 1)
  expect(view.version).toBe(2)
})

test('100,000 events: a start from a snapshot reads only the tail', async () => {
  const EVENTS = 100_000
  const limits = { ...SMALL_VIEW_LIMITS, hubViewSnapshotEvents: EVENTS }
  const definition = defineHistory(1, {
    topics: ['titles'],
    apply: (state, event) => void state.set(event.subject, [numberOf(event)]),
  })
  for (let from = 0; from < EVENTS; from += 5_000) {
    const records = Array.from({ length: 5_000 }, (_, n) => numbered((from + n) % 100, from + n))
    await bench.log.append(
      'titles',
      records.map((event) => ({ key: event.subject, value: encodeEvent(event) })),
    )
  }
  const before = open({ definition, limits })
  await before.caughtUp({ timeoutMs: 20_000 })
  await until('a snapshot', async () => (await snapshotKeys(bench.objects)).length === 1)
  await publish(bench.log, [numbered(1, 7)])
  const { log, records } = countReads(bench.log)
  const after = open({ definition, limits, log, isWriter: false })
  await after.caughtUp()
  await before.caughtUp()
  expect(after.state).toEqual(before.state)
  expect([records(), after.version]).toEqual([1, EVENTS + 1])
}, 30_000)
