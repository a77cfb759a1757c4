import type { AnyEvent, ProducerView } from '../../contracts/index.ts'
import type { Clock, Limits } from '../../kernel/index.ts'
import { createRate, type Rate } from './rate.ts'

/** Who says what, by the events' `source`. */
export type Producers = { count(event: AnyEvent): void; views(): readonly ProducerView[] }

/** Sources beyond the bound are counted together. */
const OTHERS = 'others'

export function createProducers(options: { limits: Pick<Limits, 'hubProducersMax'>; clock: Clock }): Producers {
  const { limits, clock } = options
  const producers = new Map<string, { readonly rate: Rate; events: number; lastAtMs: number }>()

  const find = (source: string) => {
    const known = producers.get(source)
    if (known) return known
    if (producers.size >= limits.hubProducersMax && source !== OTHERS) return find(OTHERS)
    const producer = { rate: createRate(clock), events: 0, lastAtMs: 0 }
    producers.set(source, producer)
    return producer
  }

  return {
    count({ source }) {
      const producer = find(source)
      producer.rate.count()
      producer.events += 1
      producer.lastAtMs = clock.nowMs()
    },
    views: () =>
      [...producers].map(([source, { rate, events, lastAtMs }]) => ({
        source,
        events,
        eventsPerSecond: rate.perSecond(),
        lastAtMs,
      })),
  }
}
