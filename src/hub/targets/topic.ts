import type { LogPort } from '../../engines/log/index.ts'
import { describeError, Fault, faultCode } from '../../kernel/index.ts'
import type { Delivery, Outcome, Target } from '../bus/target.ts'
import { unlessAborted } from './unless-aborted.ts'

/** What a record of a queue topic says in its headers. */
export const QUEUE_HEADERS = {
  deliveryId: 'tentpole-delivery-id',
  eventId: 'tentpole-event-id',
  eventType: 'tentpole-event-type',
  replayId: 'tentpole-replay-id',
  contentType: 'content-type',
} as const

/** Trying again would not help: the log takes no record like this. */
const FINAL = new Set(['record-too-large'])

/**
 * A queue: each input as JSON at the end of a topic, under the delivery's key, on disk when it is done. A delivery may be
 * there twice (an append whose answer was lost): its id in the headers tells. Fault `topic-read-by-bus` at creation for a
 * topic that the bus or a pipe reads: events would come round again without end.
 */
export function createTopicTarget(options: {
  readonly append: LogPort['append']
  readonly topic: string
  readonly isRead: (topic: string) => boolean
}): Target {
  const { append, topic } = options
  if (options.isRead(topic))
    throw new Fault(
      'topic-read-by-bus',
      `expected a topic that nothing of the hub reads, got ${topic}: its events would come round again`,
    )
  return {
    kind: 'topic',
    description: `topic ${topic}`,
    async deliver(delivery): Promise<Outcome> {
      try {
        await unlessAborted(append(topic, [toRecord(delivery)]), delivery.signal)
        return { kind: 'done' }
      } catch (error) {
        return { kind: FINAL.has(faultCode(error)) ? 'refused' : 'failed', reason: describeError(error) }
      }
    },
  }
}

function toRecord(delivery: Delivery): Parameters<LogPort['append']>[1][number] {
  return {
    key: delivery.key,
    value: Buffer.from(JSON.stringify(delivery.input) ?? 'null'),
    headers: {
      [QUEUE_HEADERS.deliveryId]: delivery.id,
      [QUEUE_HEADERS.eventId]: delivery.event.id,
      [QUEUE_HEADERS.eventType]: delivery.event.type,
      [QUEUE_HEADERS.contentType]:
        delivery.input === delivery.event ? 'application/cloudevents+json' : 'application/json',
      ...(delivery.replay === null ? {} : { [QUEUE_HEADERS.replayId]: delivery.replay }),
    },
  }
}
