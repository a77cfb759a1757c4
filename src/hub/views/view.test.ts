import { afterEach, beforeEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CloudEvent } from '../../contracts/index.ts'
import { type Logger, silentLogger } from '../../kernel/index.ts'
import { createPublisher } from '../publisher.ts'
import { numbered, numberOf, openTestEngines, type TestEngines, titleIdOf } from '../testing.ts'
import { createView, defineView, type View } from './index.ts'
import { createRepeatCheck } from './repeat-check.ts'

let engines: TestEngines
const views: View<unknown>[] = []
beforeEach(async () => {
  engines = await openTestEngines()
})
afterEach(async () => {
  for (const view of views.splice(0)) await view.close()
  await engines.close()
})

/** Sensitive to order and to repeats. */
const history = defineView<Map<string, number[]>>({
  name: 'history',
  version: 1,
  topics: ['titles', 'media'],
  create: () => new Map(),
  apply(state, event) {
    if (numberOf(event) === 666) throw new Error('a bug')
    state.set(event.subject, [...(state.get(event.subject) ?? []), numberOf(event)])
  },
})
const open = (logger: Logger = silentLogger): View<Map<string, number[]>> => {
  const view = createView({ log: engines.log, definition: history, logger })
  views.push(view)
  return view
}
const publish = (events: readonly CloudEvent[]): Promise<void> =>
  createPublisher({ log: engines.log, source: 't' }).publishMany(events)

test('a view rebuilt from the beginning equals one that followed, repeats or not', async () => {
  const following = open()
  const batch = fc.array(fc.record({ title: fc.nat(4), n: fc.nat(99), repeat: fc.boolean() }), { maxLength: 30 })
  const said: CloudEvent[] = []
  await fc.assert(
    fc.asyncProperty(batch, async (items) => {
      const events = items.map(({ title, n, repeat }) => {
        const again = repeat ? said.at(-1 - (n % Math.max(said.length, 1))) : undefined
        const event = again ?? numbered(title, n)
        said.push(event)
        return event
      })
      await publish(events)
      await following.caughtUp({ timeoutMs: 5_000 })
      const rebuilt = createView({ log: engines.log, definition: history, logger: silentLogger })
      await rebuilt.caughtUp({ timeoutMs: 5_000 })
      expect(rebuilt.state).toEqual(following.state)
      expect(rebuilt.version).toBe(following.version)
      expect(rebuilt.version).toBe(new Set(said.map((event) => event.id)).size)
      await rebuilt.close()
    }),
    { numRuns: 20 },
  )
}, 20_000)

test('a view tells of each change once, its lag and how long the log is silent', async () => {
  const view = open()
  const heard: number[] = []
  const stop = view.onChange((event) => heard.push(numberOf(event)))
  const repeated = numbered(1, 2)
  await publish([numbered(1, 1), repeated, repeated])
  await view.caughtUp({ timeoutMs: 5_000 })
  expect(heard).toEqual([1, 2])
  expect([view.lag(), view.version]).toEqual([0, 2])
  expect(view.silentForMs()).toBeLessThan(5_000)
  stop()
  await publish([numbered(1, 3)])
  await view.caughtUp({ timeoutMs: 5_000 })
  expect(heard).toEqual([1, 2])
})

test('an event that cannot be applied is left out and said loudly; the rest goes on', async () => {
  const errors: string[] = []
  const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message), with: () => logger }
  const view = open(logger)
  view.onChange(() => {
    throw new Error('a listener with a bug')
  })
  await publish([numbered(1, 1), numbered(1, 666), numbered(1, 3)])
  await view.caughtUp({ timeoutMs: 5_000 })
  expect(view.state.get(titleIdOf(1))).toEqual([1, 3])
  expect(errors.filter((message) => message.includes('could not be applied'))).toHaveLength(1)
  expect(errors.filter((message) => message.includes('listener'))).toHaveLength(2)
})

test('a state may be replaced instead of changed', async () => {
  const definition = defineView<number>({
    name: 'sum',
    version: 1,
    topics: ['titles'],
    create: () => 0,
    apply: (sum, event) => sum + numberOf(event),
  })
  const view = createView({ log: engines.log, definition, logger: silentLogger })
  views.push(view)
  await publish([numbered(1, 3), numbered(2, 4)])
  await view.caughtUp({ timeoutMs: 5_000 })
  expect(view.state).toBe(7)
})

test('the last ids are remembered, at least as many as asked for, and memory is bounded', () => {
  const { isRepeat } = createRepeatCheck(100)
  for (let n = 0; n < 1_000; n++) {
    expect(isRepeat(`e${n}`)).toBe(false)
    if (n >= 100) expect(isRepeat(`e${n - 99}`)).toBe(true)
  }
  expect(isRepeat('e1')).toBe(false)
})
