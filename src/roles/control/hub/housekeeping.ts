import type { DeadLetters } from '../../../hub/index.ts'
import { describeError, type Logger } from '../../../kernel/index.ts'
import type { QueueTopics } from './subscriptions.ts'

const PERIOD_MS = 600_000

/** What is done now and then: old letters that are settled go, topics that others write to are looked up. */
export function createHousekeeping(options: {
  deadLetters: Pick<DeadLetters, 'sweep'>
  queues: QueueTopics
  logger: Logger
}): { close(): void } {
  const { deadLetters, queues, logger } = options
  const run = async (): Promise<void> => {
    try {
      await queues.refresh()
      const removed = await deadLetters.sweep()
      if (removed > 0) logger.info('dead letters settled long ago were removed', { count: removed })
    } catch (error) {
      logger.warn('the hub’s housekeeping did not come to its end; it is tried again', { error: describeError(error) })
    }
  }
  void run()
  const timer = setInterval(() => void run(), PERIOD_MS)
  return { close: () => clearInterval(timer) }
}
