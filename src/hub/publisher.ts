import type { z } from 'zod'
import type { CloudEvent, EVENTS, EventType } from '../contracts/index.ts'
import type { LogAppend, LogPort } from '../engines/log/index.ts'
import { encodeEvent, toEvent, topicOf } from './event.ts'

export type Publisher = {
  /**
   * Says it: validated, then appended to the type's topic under the key `subject`. Durable when resolved. Events of one
   * subject keep the order of the calls. Faults: `event-invalid` (nothing was appended) and those of `LogPort.append`;
   * after `timeout` or `log-unavailable` it may be on the log, so whoever repeats it gives the same `id`.
   */
  publish<T extends EventType>(
    type: T,
    subject: string,
    data: z.input<(typeof EVENTS)[T]['data']>,
    options?: { id?: string },
  ): Promise<CloudEvent<T>>
  /** The same for events made by `toEvent`; topics are appended to side by side, each in the order given. */
  publishMany(events: readonly CloudEvent[]): Promise<void>
}

/** On the press-play path: one validation, one JSON text, one append. */
export function createPublisher(options: { log: LogPort; source: string }): Publisher {
  const { log, source } = options
  return {
    async publish(type, subject, data, origin) {
      const event = toEvent(type, subject, data, origin?.id === undefined ? { source } : { source, id: origin.id })
      await log.append(topicOf(type), [{ key: subject, value: encodeEvent(event as CloudEvent) }])
      return event
    },
    async publishMany(events) {
      const byTopic = new Map<string, LogAppend[]>()
      for (const event of events) {
        const topic = topicOf(event.type)
        const appends = byTopic.get(topic)
        const append = { key: event.subject, value: encodeEvent(event) }
        if (appends) appends.push(append)
        else byTopic.set(topic, [append])
      }
      await Promise.all([...byTopic].map(([topic, appends]) => log.append(topic, appends)))
    },
  }
}
