import type { Acknowledger, Verdict } from './acknowledger.ts'
import { type Delivery, DeliveryRefused } from './types.ts'

/** Deliveries that may wait for a handler; the reader stops reading at as many. */
const WAITING_PER_WORKER_MAX = 4

export type Workers = {
  take(delivery: Delivery): void
  /** Resolves when there is room for more. */
  room(): Promise<void>
  /** Forgets what no handler has begun with: the hub delivers it again. */
  forgetWaiting(): void
  /** No handler begins after this; those at work are awaited. */
  stop(): Promise<void>
}

/**
 * Runs handlers, so many at once and one per subject at a time, in the order they came. A delivery that comes again while it is
 * at work, or whose acknowledgement is not told yet, is not handled twice: what becomes of it settles both.
 */
export function createWorkers(options: {
  handler: (delivery: Delivery) => Promise<void> | void
  concurrency: number
  acknowledger: Pick<Acknowledger, 'add' | 'repeat'>
}): Workers {
  const { handler, concurrency, acknowledger } = options
  const waiting: Delivery[] = []
  const known = new Set<string>()
  const subjects = new Set<string>()
  let working = 0
  let stopped = false
  let wake: (() => void)[] = []

  const notify = (): void => {
    const waked = wake
    wake = []
    for (const resolve of waked) resolve()
  }
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => wake.push(resolve))
  }
  const run = async (delivery: Delivery): Promise<void> => {
    const verdict = await judge(handler, delivery)
    working -= 1
    known.delete(delivery.id)
    subjects.delete(delivery.event.subject)
    acknowledger.add(delivery.id, verdict)
    begin()
    notify()
  }
  const begin = (): void => {
    for (let at = 0; at < waiting.length && working < concurrency && !stopped; ) {
      const delivery = waiting[at]
      if (!delivery || subjects.has(delivery.event.subject)) {
        at += 1
        continue
      }
      waiting.splice(at, 1)
      working += 1
      subjects.add(delivery.event.subject)
      void run(delivery)
    }
  }

  return {
    take(delivery) {
      if (known.has(delivery.id) || acknowledger.repeat(delivery.id)) return
      known.add(delivery.id)
      waiting.push(delivery)
      begin()
    },
    room: () => until(() => stopped || waiting.length < concurrency * WAITING_PER_WORKER_MAX),
    forgetWaiting() {
      for (const { id } of waiting) known.delete(id)
      waiting.length = 0
      notify()
    },
    async stop() {
      stopped = true
      notify()
      await until(() => working === 0)
    },
  }
}

async function judge(handler: (delivery: Delivery) => Promise<void> | void, delivery: Delivery): Promise<Verdict> {
  try {
    await handler(delivery)
    return { kind: 'ack' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'nack', reason, final: error instanceof DeliveryRefused }
  }
}
