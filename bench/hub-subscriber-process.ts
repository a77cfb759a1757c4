import { openBenchBus } from './hub-bus.ts'

/**
 * The bus and its one subscriber that matches, who notes when each event came, by number. Run as a process of its own beside the store's:
 * `bun bench/hub-subscriber-process.ts '<options as JSON>'`. It says `ready`, then how many it has had now and then, and, when all
 * are there or its input ends, the result as JSON.
 */
export type SubscriberOptions = {
  readonly home: string
  readonly subscriptions: number
  /** The numbers of the events, the warm-up's first. */
  readonly events: number
  readonly warmUp: number
}

export type SubscriberResult = {
  /** Of those that are measured. */
  readonly received: number
  readonly repeated: number
  /** When each came, ms since 1970 with fractions, as a Float64Array in base64; NaN: never. The warm-up's first. */
  readonly receivedAtMs: string
  readonly eventBytes: number
  /** Of the events that are measured alone. */
  readonly cpuMs: number
}

/** How often it says how many it has had: whoever publishes goes by that. */
const TELL_EVERY = 250

export async function runSubscriber(options: SubscriberOptions, ended: Promise<unknown>): Promise<SubscriberResult> {
  const { home, subscriptions, events, warmUp } = options
  const all = events + warmUp
  const receivedAtMs = new Float64Array(all).fill(Number.NaN)
  const complete = Promise.withResolvers<void>()
  let received = 0
  let repeated = 0
  let eventBytes = 0
  let cpu = process.cpuUsage()
  const { close } = await openBenchBus({
    ...{ home, subscriptions },
    handler(event) {
      // Of the first, in the warm-up.
      eventBytes ||= JSON.stringify(event).length
      const { n } = event.data as { n: number } // its schema was checked by the bus
      if (Number.isNaN(receivedAtMs[n])) received += 1
      else repeated += 1
      receivedAtMs[n] = performance.timeOrigin + performance.now()
      if (received === warmUp) cpu = process.cpuUsage()
      if (received % TELL_EVERY === 0 || received === all) console.log(`received ${received}`)
      if (received === all) complete.resolve()
    },
  })
  console.log('ready')
  await Promise.race([complete.promise, ended])
  const used = process.cpuUsage(cpu)
  await close()
  return {
    received: receivedAtMs.subarray(warmUp).reduce((sum, at) => sum + (Number.isNaN(at) ? 0 : 1), 0),
    repeated,
    receivedAtMs: Buffer.from(receivedAtMs.buffer).toString('base64'),
    eventBytes,
    cpuMs: (used.user + used.system) / 1_000,
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as SubscriberOptions // from `hub-flow.ts`
  const ended = (async () => {
    for await (const _ of console);
  })()
  console.log(JSON.stringify(await runSubscriber(options, ended)))
  process.exit(0)
}
