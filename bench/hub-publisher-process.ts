import { setTimeout as sleep } from 'node:timers/promises'
import type { NewEvent, Producer } from '../src/hub/index.ts'
import { openBenchProducer } from './hub-bus.ts'
import { createPool, type EventKind } from './hub-events.ts'

/**
 * Whoever publishes, in a process of its own: `bun bench/hub-publisher-process.ts '<options as JSON>'`. It says `ready`, begins with
 * the first line of its input, and reads from there how many its subscriber has had; the last line of its output is the result as JSON.
 */
export type PublisherOptions = {
  readonly home: string
  readonly kind: EventKind
  readonly events: number
  /** Published before, which compiles the code; not measured. */
  readonly warmUp: number
  readonly load:
    | {
        readonly kind: 'batches'
        readonly batch: number
        /** Calls of `publish` under way. */
        readonly publishers: number
        /** Published and not yet received, at the most: more would be filling a backlog, which says nothing of what goes through. */
        readonly aheadMax: number
      }
    /** An open loop: single events, each as its time comes, whatever became of those before. */
    | { readonly kind: 'open-loop'; readonly perSecond: number }
}

export type PublisherResult = {
  /** Of the first event that is measured, ms since 1970 with fractions. */
  readonly beganAtMs: number
  /** Until the last was acknowledged. */
  readonly publishedMs: number
  readonly failed: number
  /** Open loop: from when each was due until it was handed to the producer, p50 and p99 ms. */
  readonly lagMs: { readonly p50: number; readonly p99: number } | null
  readonly cpuMs: number
}

/** A handful more than there are in a burst: whoever publishes has its objects at hand. */
const POOL = 1_024
const PUBLISH_MAX_MS = 60_000
const TICK_MS = 1

export async function runPublisher(options: PublisherOptions, received: () => number): Promise<PublisherResult> {
  const { home, kind, events, warmUp, load } = options
  const { producer, close } = await openBenchProducer(home)
  const pool = createPool(kind, POOL)
  const toEvent = (n: number): NewEvent => {
    const event = pool[n % POOL] as NewEvent // the pool is of that size
    return { ...event, data: { ...(event.data as object), n } }
  }
  const run = async (from: number, to: number): Promise<{ failed: number; lagMs: readonly number[] }> =>
    load.kind === 'batches'
      ? { failed: 0, lagMs: await publishBatches(producer, toEvent, { ...load, from, to, received }) }
      : publishOpenLoop(producer, toEvent, { ...load, from, to })
  await run(0, warmUp)
  const cpu = process.cpuUsage()
  const began = performance.now()
  const { failed, lagMs } = await run(warmUp, warmUp + events)
  const publishedMs = performance.now() - began
  const used = process.cpuUsage(cpu)
  await close()
  const sorted = lagMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return {
    beganAtMs: performance.timeOrigin + began,
    ...{ publishedMs, failed },
    lagMs: load.kind === 'open-loop' ? { p50: at(0.5), p99: at(0.99) } : null,
    cpuMs: (used.user + used.system) / 1_000,
  }
}

type Range = { readonly from: number; readonly to: number }

async function publishBatches(
  producer: Producer,
  toEvent: (n: number) => NewEvent,
  load: Range & { batch: number; publishers: number; aheadMax: number; received: () => number },
): Promise<readonly number[]> {
  const { from, to, batch, publishers, aheadMax, received } = load
  const deadlineMs = performance.now() + PUBLISH_MAX_MS
  let next = from
  const publishUntil = async (): Promise<void> => {
    while (next < to) {
      if (performance.now() > deadlineMs)
        throw new Error(`only ${received()} of ${to} events were received in ${PUBLISH_MAX_MS} ms`)
      if (next - received() > aheadMax) {
        await sleep(1)
        continue
      }
      const first = next
      next = Math.min(to, next + batch)
      await producer.publish(Array.from({ length: next - first }, (_, at) => toEvent(first + at)))
    }
  }
  await Promise.all(Array.from({ length: publishers }, publishUntil))
  return []
}

async function publishOpenLoop(
  producer: Producer,
  toEvent: (n: number) => NewEvent,
  { from, to, perSecond }: Range & { perSecond: number },
): Promise<{ failed: number; lagMs: readonly number[] }> {
  const beganMs = performance.now()
  const dueMs = (n: number): number => beganMs + ((n - from) * 1_000) / perSecond
  const lagMs: number[] = []
  const calls: Promise<void>[] = []
  let failed = 0
  const publish = (n: number): Promise<void> =>
    producer.publish([toEvent(n)]).then(
      () => {},
      () => {
        failed += 1
      },
    )
  for (let next = from; next < to; ) {
    for (; next < to && dueMs(next) <= performance.now(); next += 1) {
      lagMs.push(performance.now() - dueMs(next))
      calls.push(publish(next))
    }
    await sleep(TICK_MS)
  }
  await Promise.all(calls)
  return { failed, lagMs }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as PublisherOptions // from `hub-flow.ts`
  let received = 0
  const begin = Promise.withResolvers<void>()
  void (async () => {
    for await (const line of console) {
      received = Number(line)
      begin.resolve()
    }
  })()
  console.log('ready')
  await begin.promise
  console.log(JSON.stringify(await runPublisher(options, () => received)))
  process.exit(0)
}
