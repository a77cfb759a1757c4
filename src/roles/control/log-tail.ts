import type { CloudEvent } from '../../contracts/index.ts'
import type { LogPort, LogRecord, LogSubscription } from '../../engines/log/index.ts'
import { decodeEvent } from '../../hub/index.ts'
import { describeError, type Logger } from '../../kernel/index.ts'
import { toSseMessage } from './sse-client.ts'

/** Everything that staff do with titles, sessions and caches, seldom; a sample of what viewers fill. */
const WHOLE_TOPICS: readonly string[] = ['assets', 'titles', 'edge']
const SAMPLED_TOPICS: readonly string[] = ['media', 'sessions']

/** The log's events as they happen, as messages; followed only while somebody looks. */
export function followLog(options: {
  log: LogPort
  eventsPerSecondMax: number
  logger: Logger
  onMessage(text: string): void
}): { close(): Promise<void> } {
  const { log, eventsPerSecondMax, logger, onMessage } = options
  const takesEnding = createSampler(eventsPerSecondMax)
  const follow = (topic: string, takes: () => boolean): LogSubscription =>
    log.subscribe({
      topic,
      start: 'end',
      onRecords(records) {
        for (const record of records) if (takes()) show(record)
      },
    })
  const show = (record: LogRecord): void => {
    try {
      const event = decodeEvent(record)
      if (isViewersOwn(event) && !takesEnding()) return
      onMessage(toSseMessage({ id: event.id, data: JSON.stringify(event) }))
    } catch (error) {
      logger.debug('a record is not shown in the tail', { topic: record.topic, error: describeError(error) })
    }
  }
  const subscriptions = [
    ...WHOLE_TOPICS.map((topic) => follow(topic, () => true)),
    ...SAMPLED_TOPICS.map((topic) => follow(topic, createSampler(eventsPerSecondMax))),
  ]
  return {
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
    },
  }
}

/** The one kind of event by viewers on a topic that is otherwise shown whole. */
function isViewersOwn(event: CloudEvent): boolean {
  return event.type === 'tentpole.session.revoked.v1' && event.data.endedBy === 'viewer'
}

/** True for the first `perSecondMax` of each second. */
export function createSampler(perSecondMax: number, elapsedMs: () => number = () => performance.now()): () => boolean {
  let second = -1
  let taken = 0
  return () => {
    const now = Math.floor(elapsedMs() / 1_000)
    if (now !== second) {
      second = now
      taken = 0
    }
    taken += 1
    return taken <= perSecondMax
  }
}
