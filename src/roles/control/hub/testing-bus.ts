import type { Registry } from '../../../contracts/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../../../engines/log/index.ts'
import {
  createMatcher,
  type createSubscriptions,
  decodeRecord,
  parsePattern,
  type Spokes,
  type StreamHub,
  withSpokeSight,
} from '../../../hub/index.ts'

type Subscriptions = ReturnType<typeof createSubscriptions>
type Definition = NonNullable<Awaited<ReturnType<Subscriptions['get']>>>

/**
 * For tests of the contract: brings the log's events to the streams, at least once and in order per key, and nothing
 * more. What the real bus adds (parking, retries, catching up) is tested with it.
 */
export function runTestBus(options: {
  log: LogPort
  registry: Registry
  subscriptions: Subscriptions
  streams: StreamHub
  spokes: Spokes
}): { close(): Promise<void> } {
  const { log, registry, subscriptions } = options
  const followed = new Map<string, LogSubscription[]>()
  const closing = new AbortController()
  const look = async (): Promise<void> => {
    for (const definition of await subscriptions.list())
      if (!followed.has(definition.name))
        followed.set(
          definition.name,
          registry.topics().map((topic) =>
            log.subscribe({
              topic,
              group: definition.name,
              onRecords: (records) => deliverAll(definition, records, { ...options, closed: closing.signal }),
            }),
          ),
        )
  }
  const timer = setInterval(() => void look().catch(() => {}), 20)
  return {
    async close() {
      clearInterval(timer)
      closing.abort()
      await Promise.all([...followed.values()].flat().map((subscription) => subscription.close()))
    },
  }
}

type Ports = { log: LogPort; registry: Registry; streams: StreamHub; spokes: Spokes; closed: AbortSignal }

async function deliverAll(definition: Definition, records: readonly LogRecord[], ports: Ports): Promise<void> {
  const lanes = new Map<string, Promise<void>>()
  for (const record of records)
    lanes.set(
      record.key,
      (lanes.get(record.key) ?? Promise.resolve()).then(() => deliverOne(definition, record, ports)),
    )
  await Promise.all(lanes.values())
  const last = records.at(-1)
  if (last && !ports.closed.aborted)
    await ports.log.commit({ ...last, group: definition.name, offset: last.offset + 1 })
}

async function deliverOne(definition: Definition, record: LogRecord, ports: Ports): Promise<void> {
  const { registry, streams, spokes, closed } = ports
  const { name, owner } = definition
  const event = decodeRecord(registry, record)
  const pattern = parsePattern(definition.pattern)
  const matcher = createMatcher()
  if (pattern.ok) matcher.add(name, pattern.pattern)
  if (matcher.matchParsed(event).length === 0) return
  const inner = streams.target(name)
  const target =
    owner === null ? inner : withSpokeSight(inner, { spoke: owner, spokes, withData: async (each) => each })
  for (let attempt = 1; !closed.aborted; attempt += 1) {
    const { topic, partition, offset, appendedAtMs, key } = record
    const outcome = await target.deliver({
      ...{ id: event.id, subscription: name, event, input: event, key, appendedAtMs, attempt, replay: null },
      position: { topic, partition, offset },
      signal: AbortSignal.any([closed, AbortSignal.timeout(definition.policy.timeoutMs)]),
    })
    if (outcome.kind === 'done' || outcome.kind === 'refused' || outcome.kind === 'gone') return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
