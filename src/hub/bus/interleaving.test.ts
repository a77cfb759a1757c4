import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { until } from '../testing.ts'
import type { Delivery, Outcome } from './target.ts'
import { DONE, failed, openBed } from './testing.ts'

const KEYS = ['a', 'b', 'c', 'd']

type Step =
  | { readonly kind: 'publish'; readonly keys: readonly string[] }
  | { readonly kind: 'settle'; readonly at: number; readonly isDone: boolean }
  | { readonly kind: 'turn' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      keys: fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), at: fc.nat(9), isDone: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
)

/** One run: two subscriptions with very small queues, one settled by the test, one at once. */
async function run(steps: readonly Step[]): Promise<void> {
  const pending: { readonly delivery: Delivery; readonly settle: (outcome: Outcome) => void }[] = []
  const underWay = new Set<string>()
  const done = new Map<string, string[]>([
    ['slow', []],
    ['fast', []],
  ])
  const order = new Map(KEYS.map((key) => [key, 0]))
  const published: string[] = []
  const doubled: string[] = []
  let isEnding = false
  const finish = (delivery: Delivery, outcome: Outcome): Outcome => {
    underWay.delete(delivery.key)
    if (outcome.kind === 'done') done.get(delivery.subscription)?.push(delivery.event.id)
    return outcome
  }
  const deliver = (delivery: Delivery): Promise<Outcome> => {
    if (delivery.subscription === 'fast') return Promise.resolve(finish(delivery, DONE))
    if (underWay.has(delivery.key)) doubled.push(delivery.event.id)
    underWay.add(delivery.key)
    if (isEnding) return Promise.resolve(finish(delivery, DONE))
    return new Promise((resolve) => pending.push({ delivery, settle: (outcome) => resolve(finish(delivery, outcome)) }))
  }
  const limits = {
    hubQueueEventsMax: 4,
    hubUnsettledMax: 6,
    hubCatchUpRecordsMax: 3,
    hubParkedMax: 3,
    hubRestMs: 1,
    drainMs: 100,
  }
  const bed = await openBed({ deliver, limits })
  try {
    await bed.put('slow', { policy: { concurrency: 3, attemptsMax: 100 } })
    await bed.put('fast')
    await until('the bus runs', () => bed.bus.places().size === 2)
    for (const one of steps) {
      if (one.kind === 'settle')
        pending.splice(one.at % Math.max(1, pending.length), 1)[0]?.settle(one.isDone ? DONE : failed())
      else if (one.kind === 'turn') await new Promise((resolve) => setImmediate(resolve))
      else {
        const events = one.keys.map((key) => {
          const n = (order.get(key) ?? 0) + 1
          order.set(key, n)
          published.push(`${key}-${n}`)
          return { key, n }
        })
        await bed.publish(events)
      }
    }
    isEnding = true
    for (const { settle } of pending.splice(0)) settle(DONE)
    for (const name of ['slow', 'fast'])
      await until(`all at ${name}`, () => done.get(name)?.length === published.length)
    await until('all is live', () => [...bed.bus.places().values()].every((place) => place.isLive()))
    expect(doubled).toEqual([])
    for (const ids of done.values())
      for (const key of KEYS) {
        const of = (all: readonly string[]) => all.filter((id) => id.startsWith(`${key}-`))
        expect(of(ids)).toEqual(of(published))
      }
  } finally {
    await bed.close()
  }
}

test('whatever the order of publishing, settling and overflowing: each once, in order per key, one of a key at a time', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), { numRuns: 12 })
}, 60_000)
