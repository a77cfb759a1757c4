import type { AnyEvent } from '../../contracts/index.ts'
import type { Delivery } from '../bus/target.ts'

/** For tests: an event of any type. */
export function eventOf(type: string, data: unknown = {}, id: string = crypto.randomUUID()): AnyEvent {
  return {
    specversion: '1.0',
    id,
    source: 'tests',
    type,
    subject: 's',
    time: '2026-01-01T00:00:00Z',
    datacontenttype: 'application/json',
    data,
  }
}

export function deliveryOf(event: AnyEvent, more: Partial<Delivery> = {}): Delivery {
  return {
    id: event.id,
    subscription: 'titles',
    event,
    input: event,
    key: event.subject,
    position: { topic: 'orders', partition: 0, offset: 1 },
    appendedAtMs: 0,
    attempt: 1,
    replay: null,
    signal: new AbortController().signal,
    ...more,
  }
}
