import { type AnyEvent, type Registry, toPositionText } from '../../../contracts/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../../../engines/log/index.ts'
import { createMatcher, decodeRecord, type Pattern } from '../../../hub/index.ts'
import { describeError, type Limits, type Logger } from '../../../kernel/index.ts'
import { createSampler } from '../log-tail.ts'
import { createSseClient, toSseMessage } from '../sse-client.ts'

/** The events of the hub as they happen, for people who look. */
export type HubTail = {
  readonly topics: readonly string[]
  /** Server-sent events; null when as many follow as may. */
  follow(options: { pattern: Pattern | null; topic: string | null }): ReadableStream<Uint8Array> | null
  close(): Promise<void>
}

type Reading = { readonly subscription: LogSubscription; readonly ready: Promise<void> }

type Follower = {
  readonly topics: readonly string[]
  readonly hasPattern: boolean
  takes(): boolean
  send(text: string): void
  close(): void
  skipped: number
}

/**
 * One reader per topic for all who follow it, and only while somebody does. Each is sent what matches its pattern as
 * `event: event` `{ position, appendedAtMs, event }`, checked and in the newest version, at most
 * `hubTailEventsPerSecondMax` a second: what is above is counted, and told with the next beat as `event: skipped`
 * `{ count }`. Data that went by claim check is not loaded, so no pattern sees into it. `event: ready` comes once every
 * topic is followed from its end: what is published after it is seen.
 */
export function createHubTail(options: {
  log: LogPort
  registry: Registry
  limits: Pick<Limits, 'tailClientsMax' | 'tailBufferBytesMax' | 'hubTailEventsPerSecondMax' | 'hubStreamBeatMs'>
  logger: Logger
}): HubTail {
  const { log, registry, limits, logger } = options
  const topics = registry.topics()
  const followers = new Map<string, Follower>()
  const matcher = createMatcher()
  const reading = new Map<string, Reading>()
  let named = 0

  const show = (record: LogRecord): void => {
    let event: AnyEvent
    try {
      event = decodeRecord(registry, record)
    } catch (error) {
      logger.debug('a record is not shown in the tail', { topic: record.topic, error: describeError(error) })
      return
    }
    const matching = new Set(matcher.rules > 0 ? matcher.matchParsed(event) : [])
    let text: string | null = null
    for (const [name, follower] of [...followers]) {
      if (follower.hasPattern && !matching.has(name)) continue
      if (!follower.topics.includes(record.topic)) continue
      if (!follower.takes()) {
        follower.skipped += 1
        continue
      }
      text ??= toMessage(record, event)
      follower.send(text)
    }
  }
  const read = (topic: string): Promise<void> => {
    const onRecords = (records: readonly LogRecord[]): void => records.forEach(show)
    let found = reading.get(topic)
    if (!found) {
      const subscription = log.subscribe({ topic, start: 'end', onRecords })
      found = { subscription, ready: subscription.caughtUp() }
      reading.set(topic, found)
    }
    return found.ready
  }
  /** Topics that nobody looks at any more. */
  const stopIdle = async (): Promise<void> => {
    const wanted = new Set([...followers.values()].flatMap((follower) => follower.topics))
    const idle = [...reading].filter(([topic]) => !wanted.has(topic))
    for (const [topic] of idle) reading.delete(topic)
    await Promise.all(idle.map(([, { subscription }]) => subscription.close()))
  }
  const leave = (name: string): void => {
    matcher.remove(name)
    followers.delete(name)
    stopIdle().catch((error: unknown) => logger.debug('the tail ended badly', { error: describeError(error) }))
  }
  const beat = setInterval(() => followers.forEach(tellSkipped), limits.hubStreamBeatMs)

  return {
    topics,
    follow({ pattern, topic }) {
      if (followers.size >= limits.tailClientsMax) return null
      named += 1
      const name = `follower-${named}`
      const client = createSseClient({ bufferBytesMax: limits.tailBufferBytesMax, onClose: () => leave(name) })
      const takes = createSampler(limits.hubTailEventsPerSecondMax)
      if (pattern) matcher.add(name, pattern)
      const wanted = topic === null ? topics : [topic]
      followers.set(name, { ...client, topics: wanted, takes, hasPattern: pattern !== null, skipped: 0 })
      Promise.all(wanted.map(read)).then(
        () => client.send(toSseMessage({ event: 'ready', data: JSON.stringify({ topics: wanted }) })),
        () => client.close(),
      )
      return client.stream
    },
    async close() {
      clearInterval(beat)
      for (const follower of [...followers.values()]) follower.close()
      await stopIdle()
    },
  }
}

function toMessage({ topic, partition, offset, appendedAtMs }: LogRecord, event: AnyEvent): string {
  const position = toPositionText({ topic, partition, offset })
  return toSseMessage({ event: 'event', id: event.id, data: JSON.stringify({ position, appendedAtMs, event }) })
}

function tellSkipped(follower: Follower): void {
  const { skipped } = follower
  follower.send(
    skipped === 0 ? ': beat\n\n' : toSseMessage({ event: 'skipped', data: JSON.stringify({ count: skipped }) }),
  )
  follower.skipped = 0
}
