import type { AnyEvent } from '../../contracts/index.ts'
import type { Delivery } from '../bus/target.ts'

export const TEST_EVENT: AnyEvent = {
  specversion: '1.0',
  id: '01985f2e-0000-7000-8000-000000000001',
  source: 'orders',
  type: 'com.example.order.placed.v1',
  subject: 'order-7',
  time: '2026-11-21T00:00:00.000Z',
  datacontenttype: 'application/json',
  data: { price: 12.5 },
}

/** For tests: a first attempt at bringing `TEST_EVENT` as it is, within five seconds. */
export function toTestDelivery(changed: Partial<Delivery> = {}): Delivery {
  const event = changed.event ?? TEST_EVENT
  return {
    id: event.id,
    subscription: 'shipping',
    event,
    input: event,
    key: event.subject,
    position: { topic: 'orders', partition: 0, offset: 7 },
    appendedAtMs: 1_000,
    attempt: 1,
    replay: null,
    signal: AbortSignal.timeout(5_000),
    ...changed,
  }
}
