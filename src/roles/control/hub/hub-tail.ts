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

type Follower = {
  readonly topic: string | null
  readonly hasPattern: boolean
  takes(): boolean
  send(text: string): void
  close(): void
  skipped: number
}

/**
 * One reader per topic for all who follow, and only while somebody does. Each is sent what matches its pattern as
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
  let reading: { readonly subscriptions: readonly LogSubscription[]; readonly ready: Promise<unknown> } | null = null
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
      if (follower.topic !== null && follower.topic !== record.topic) continue
      if (!follower.takes()) {
        follower.skipped += 1
        continue
      }
      text ??= toMessage(record, event)
      follower.send(text)
    }
  }
  const read = (): NonNullable<typeof reading> => {
    const onRecords = (records: readonly LogRecord[]): void => records.forEach(show)
    const subscriptions = topics.map((topic) => log.subscribe({ topic, start: 'end', onRecords }))
    return { subscriptions, ready: Promise.all(subscriptions.map((each) => each.caughtUp())) }
  }
  const stop = async (): Promise<void> => {
    const { subscriptions = [] } = reading ?? {}
    reading = null
    await Promise.all(subscriptions.map((subscription) => subscription.close()))
  }
  const leave = (name: string): void => {
    matcher.remove(name)
    followers.delete(name)
    if (followers.size > 0) return
    stop().catch((error: unknown) => logger.debug('the tail ended badly', { error: describeError(error) }))
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
      followers.set(name, { ...client, topic, takes, hasPattern: pattern !== null, skipped: 0 })
      reading ??= read()
      reading.ready.then(
        () => client.send(toSseMessage({ event: 'ready', data: JSON.stringify({ topics }) })),
        () => client.close(),
      )
      return client.stream
    },
    async close() {
      clearInterval(beat)
      for (const follower of [...followers.values()]) follower.close()
      await stop()
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
