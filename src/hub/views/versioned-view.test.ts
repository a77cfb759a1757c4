import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { CloudEvent } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import { silentLogger } from '../../kernel/index.ts'
import { type ArchiveBench, openArchiveBench } from '../archive/testing.ts'
import { numbered, numberOf, until } from '../testing.ts'
import { createVersionedView, defineView, type VersionedView, type VersionedViewOptions } from './index.ts'
import { createListeningLogger, defineHistory, type History, historyOf, publish, SMALL_VIEW_LIMITS } from './testing.ts'

type Sum = { readonly sum: number }

let bench: ArchiveBench
const views: VersionedView<unknown>[] = []
beforeEach(async () => {
  bench = await openArchiveBench(SMALL_VIEW_LIMITS)
})
afterEach(async () => {
  for (const view of views.splice(0)) await view.close()
  await bench.close()
})

const sum = (apply?: (state: Sum, event: CloudEvent) => Sum, create?: () => Sum) =>
  defineView<Sum>({
    name: 'history',
    version: 2,
    topics: ['titles'],
    create: create ?? (() => ({ sum: 0 })),
    apply: apply ?? ((state, event) => ({ sum: state.sum + numberOf(event) })),
  })
function open(options: Partial<VersionedViewOptions<History, Sum>> = {}): VersionedView<History | Sum> {
  const sources = { log: bench.log, logger: silentLogger, limits: SMALL_VIEW_LIMITS }
  const view = createVersionedView({
    ...sources,
    current: defineHistory(1, { topics: ['titles'] }),
    next: sum(),
    ...options,
  })
  views.push(view)
  return view
}
const events = (from: number, to: number): CloudEvent[] =>
  Array.from({ length: to - from }, (_, n) => numbered(n % 3, from + n))

/** The next version's subscription, the second of a topic, hands nothing over until `go` resolves. */
function holdNext(log: LogPort, go: Promise<void>): LogPort {
  let subscriptions = 0
  return {
    ...log,
    subscribe(options) {
      subscriptions += 1
      if (subscriptions === 1) return log.subscribe(options)
      return log.subscribe({ ...options, onRecords: (records) => go.then(() => options.onRecords(records)) })
    },
  }
}

test('reads come from the old version until the next has all of it; then at once from the next', async () => {
  const go = Promise.withResolvers<void>()
  const switches: number[] = []
  const said = events(0, 10)
  await publish(bench.log, said)
  const view = open({ log: holdNext(bench.log, go.promise), onSwitch: () => switches.push(2) })
  const heard: number[] = []
  view.onChange((event) => heard.push(numberOf(event)))
  const versions: number[] = []
  view.onReplaced(() => versions.push(view.version))
  await view.caughtUp()
  expect(view.state).toEqual(historyOf(said))
  expect([view.serving, view.next, view.version, switches]).toEqual([1, 'building', 10, []])

  const more = events(10, 12)
  await publish(bench.log, more)
  await view.caughtUp()
  expect(view.state).toEqual(historyOf([...said, ...more]))
  expect(view.serving).toBe(1)

  go.resolve()
  await until('the switch', () => view.next === 'serving')
  expect([view.serving, view.state, switches]).toEqual([2, { sum: 66 }, [2]])
  await publish(bench.log, events(12, 13))
  await view.caughtUp()
  expect(view.state).toEqual({ sum: 78 })
  expect(versions).toHaveLength(1)
  expect(versions[0]).toBeGreaterThan(12)
  expect(heard).toEqual([...Array(13).keys()])
})

test('a next version that had caught up, and is behind the old one again, does not take over yet', async () => {
  const go = Promise.withResolvers<void>()
  const said = events(0, 4)
  await publish(bench.log, said)
  let waits = 0
  let looks = 0
  let subscriptions = 0
  /** The next version has all there is; then the old one hears of an event before it. */
  const racing: LogPort = {
    ...bench.log,
    subscribe(options) {
      subscriptions += 1
      if (subscriptions === 1) return bench.log.subscribe(options)
      const onRecords: typeof options.onRecords = (records) =>
        waits === 0 ? options.onRecords(records) : go.promise.then(() => options.onRecords(records))
      const real = bench.log.subscribe({ ...options, onRecords })
      return {
        ...real,
        async caughtUp(wait) {
          looks += 1
          await real.caughtUp(wait)
          waits += 1
          if (waits > 1) return
          said.push(...events(4, 5))
          await publish(bench.log, said.slice(4))
          await view.reached({ topic: 'titles', partition: 0, offset: 4 })
        },
        // As it would be if the log's word had not come yet.
        lag: () => 0,
      }
    },
  }
  const view: VersionedView<History | Sum> = open({ log: racing })
  await until('it was found to be behind, and is waited for again', () => looks === 2)
  expect([view.state, view.serving]).toEqual([historyOf(said), 1])
  go.resolve()
  await until('the switch', () => view.next === 'serving')
  expect(view.state).toEqual({ sum: 10 })
})

test('no read goes back, however the switch falls among the events', async () => {
  await publish(bench.log, events(0, 500))
  const view = open()
  const applied = (): number => {
    const { state } = view
    return state instanceof Map ? [...state.values()].flat().reduce((all, n) => all + n, 0) : state.sum
  }
  let last = 0
  for (let n = 500; view.next !== 'serving' || n < 520; n += 1) {
    await publish(bench.log, events(n, n + 1))
    expect(applied()).toBeGreaterThanOrEqual(last)
    last = applied()
  }
  await view.caughtUp()
  expect(applied()).toBeGreaterThanOrEqual(last)
})

test('who waits for a position is answered by whichever version is read when it comes', async () => {
  const go = Promise.withResolvers<void>()
  await publish(bench.log, events(0, 3))
  const view = open({ log: holdNext(bench.log, go.promise) })
  await view.caughtUp()
  const waiting = view.reached({ topic: 'titles', partition: 0, offset: 4 }, { timeoutMs: 5_000 })
  go.resolve()
  await until('the switch', () => view.next === 'serving')
  await publish(bench.log, events(3, 5))
  await waiting
  expect(view.state).toEqual({ sum: 10 })
})

test.each([
  ['cannot apply an event', sum(() => JSON.parse('{'))],
  ['cannot make its first state', sum(undefined, () => JSON.parse('{'))],
])('a next version that %s never takes over, and costs the old one nothing', async (_, next) => {
  const { logger, said: told } = createListeningLogger()
  const said = events(0, 10)
  await publish(bench.log, said)
  const view = open({ next, logger, onSwitch: () => expect.unreachable() })
  await until('it has failed', () => view.next === 'failed')
  await publish(bench.log, events(10, 11))
  await view.caughtUp()
  expect([view.serving, view.version, view.leftOut]).toEqual([1, 11, 0])
  expect(told.some((line) => line.includes('the one before it stays'))).toBe(true)
})

test('closed while the next version builds, it leaves nothing running', async () => {
  await publish(bench.log, events(0, 10))
  const view = open({ log: holdNext(bench.log, new Promise((resolve) => setTimeout(resolve, 50))) })
  await view.close()
  expect([view.serving, view.next]).toEqual([1, 'building'])
})
