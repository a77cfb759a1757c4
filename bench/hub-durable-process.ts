import { setTimeout as sleep } from 'node:timers/promises'
import type { NewEvent } from '../src/hub/index.ts'
import { openBenchBus } from './hub-bus.ts'
import { createPool, type EventKind } from './hub-events.ts'

/**
 * Publishes events in batches and counts what its own subscriber is given, by number. Run as a process of its own beside the
 * store's: `bun bench/hub-durable-process.ts '<options as JSON>'`; the last line of its output is the result.
 */
export type DurableOptions = {
  readonly home: string
  readonly kind: EventKind
  readonly events: number
  /** Published before, which compiles the code; not measured. */
  readonly warmUp: number
  readonly batch: number
  /** Calls of `publish` under way. */
  readonly publishers: number
  readonly subscriptions: number
}

export type DurableResult = {
  readonly published: number
  readonly received: number
  readonly repeated: number
  /** From the first call until the last acknowledgement, and until the last event was with the subscriber. */
  readonly publishedMs: number
  readonly receivedMs: number
  readonly eventBytes: number
  readonly cpuMs: number
}

/** A handful more than there are in a burst: whoever publishes has its objects at hand. */
const POOL = 1_024
/** Published and not yet received: whoever publishes more would be filling a backlog, which says nothing of what goes through. */
const AHEAD_MAX = 4_096
const PUBLISH_MAX_MS = 60_000
const PATIENCE_MS = 10_000

export async function runDurable(options: DurableOptions): Promise<DurableResult> {
  const { home, kind, events, warmUp, batch, publishers, subscriptions } = options
  const seen = new Uint8Array(warmUp + events)
  let received = 0
  let repeated = 0
  let eventBytes = 0
  const { producer, close } = await openBenchBus({
    ...{ home, subscriptions },
    handler(event) {
      // Of the first, in the warm-up.
      eventBytes ||= JSON.stringify(event).length
      const { n } = event.data as { n: number } // its schema was checked by the bus
      if (seen[n]) repeated += 1
      seen[n] = 1
      received += 1
    },
  })
  const pool = createPool(kind, POOL)
  let next = 0
  const take = (count: number): NewEvent[] =>
    Array.from({ length: count }, () => {
      const n = next++
      const event = pool[n % POOL] as NewEvent // the pool is of that size
      return { ...event, data: { ...(event.data as object), n } }
    })
  const publishUntil = async (end: number): Promise<void> => {
    const deadlineMs = performance.now() + PUBLISH_MAX_MS
    while (next < end) {
      if (performance.now() > deadlineMs)
        throw new Error(`only ${received} of ${end} events were received in ${PUBLISH_MAX_MS} ms`)
      if (next - received > AHEAD_MAX) await sleep(1)
      else await producer.publish(take(Math.min(batch, end - next)))
    }
  }
  const publish = async (end: number): Promise<number> => {
    const began = performance.now()
    await Promise.all(Array.from({ length: publishers }, () => publishUntil(end)))
    return performance.now() - began
  }
  const receive = async (end: number): Promise<void> => {
    const deadlineMs = performance.now() + PATIENCE_MS
    while (received < end && performance.now() < deadlineMs) await sleep(1)
  }
  await publish(warmUp)
  await receive(warmUp)
  const cpu = process.cpuUsage()
  const began = performance.now()
  const publishedMs = await publish(warmUp + events)
  await receive(warmUp + events)
  const receivedMs = performance.now() - began
  const used = process.cpuUsage(cpu)
  await close()
  return {
    published: events,
    received: seen.subarray(warmUp).reduce((sum, one) => sum + one, 0),
    repeated,
    publishedMs,
    receivedMs,
    eventBytes,
    cpuMs: (used.user + used.system) / 1_000,
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as DurableOptions // from `hub-flow.ts`
  console.log(JSON.stringify(await runDurable(options)))
  process.exit(0)
}
