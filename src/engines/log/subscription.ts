import { type Clock, describeError, type Limits, type Logger, pause } from '../../kernel/index.ts'
import { deliver } from './deliver.ts'
import type { Groups } from './groups.ts'
import type { Memberships } from './memberships.ts'
import type { LogStart, LogSubscribe, LogSubscription } from './port.ts'
import { createProgress } from './progress.ts'
import type { Topic, TopicRead } from './topic.ts'

const BATCH_RECORDS_MAX = 2_048
const READ_RETRY_MS = 250

export type TopicSubscription = LogSubscription & {
  /** More records are durable. */
  wake(): void
  /** The engine lives. */
  beat(): void
}

/** A subscription served from a topic in this process. */
export function createTopicSubscription(
  options: LogSubscribe,
  parts: {
    topic: Topic
    groups: Groups
    memberships: Memberships
    limits: Pick<Limits, 'logBatchBytesMax'>
    clock: Clock
    logger: Logger
    onClose: () => void
  },
): TopicSubscription {
  const { topic: name, group, start = 'beginning', onRecords } = options
  const { topic, groups, memberships, limits, clock, logger } = parts
  const closing = new AbortController()
  const closed = closing.signal
  const bounds = { max: BATCH_RECORDS_MAX, bytesMax: limits.logBatchBytesMax }
  const startAt = (): number =>
    group === undefined ? toOffset(start, topic) : (groups.committed(name, group) ?? topic.first())
  const progress = createProgress({ topic: name, clock, next: startAt(), end: topic.end() })
  progress.heard(topic.end())
  let active = group === undefined
  let woken = (): void => {}
  let leave = (): void => {}

  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      woken = resolve
    })

  const nextBatch = async (): Promise<TopicRead | null> => {
    try {
      return await topic.read(progress.next(), bounds)
    } catch (error) {
      logger.error('the log cannot be read; trying again', { topic: name, error: describeError(error) })
      await pause(READ_RETRY_MS, closed)
      return null
    }
  }

  const step = async (): Promise<void> => {
    const batch = await nextBatch()
    if (!batch || closed.aborted) return
    if (batch.lost) logger.error('a subscription skips lost records', { topic: name, group, ...batch.lost })
    if (batch.records.length > 0 && !(await deliver(batch.records, { onRecords, topic: name, logger, closed }))) return
    progress.handled(batch.next)
  }

  const run = async (): Promise<void> => {
    while (!closed.aborted) {
      if (!active || progress.next() >= topic.end()) await idle()
      else await step()
    }
  }

  if (group !== undefined)
    leave = memberships.join(name, group, () => {
      active = true
      progress.restart(startAt())
      woken()
    })
  const running = run()

  return {
    position: progress.position,
    lag: progress.lag,
    silentForMs: progress.silentForMs,
    caughtUp: ({ timeoutMs } = {}) => progress.reached(topic.end(), timeoutMs),
    wake() {
      progress.heard(topic.end())
      woken()
    },
    beat() {
      progress.heard(topic.end())
      // One that stands by has come as far as its group has.
      if (!active) progress.handled(startAt())
    },
    async close() {
      closing.abort()
      woken()
      await running
      leave()
      progress.close()
      parts.onClose()
    },
  }
}

function toOffset(start: LogStart, topic: Topic): number {
  if (start === 'beginning') return topic.first()
  if (start === 'end') return topic.end()
  return start.offsets[0] ?? topic.first()
}
