import type { AnyEvent } from '../../contracts/index.ts'
import type { Target } from '../bus/target.ts'
import type { Spokes } from './spokes.ts'

/**
 * A target of a spoke's subscription, given only what the spoke may see: an event beyond its patterns is passed over, also
 * one that was allowed when the subscription was made. With its spoke revoked the subscription is disabled, and keeps its place.
 */
export function withSpokeSight(
  target: Target,
  options: {
    readonly spoke: string
    readonly spokes: Pick<Spokes, 'look'>
    /** The event with JSON data that went by claim check put back, as patterns see it; itself when there is none. */
    readonly withData: (event: AnyEvent) => Promise<AnyEvent>
  },
): Target {
  const { spoke, spokes, withData } = options
  return {
    ...target,
    async deliver(delivery) {
      const { event } = delivery
      const sight = await spokes.look(spoke, event.dataref === undefined ? event : await withData(event))
      if (sight === 'visible') return target.deliver(delivery)
      if (sight === 'withheld') return { kind: 'done' }
      return { kind: 'gone', reason: `the spoke ${spoke} was revoked; create it again, then enable the subscription` }
    },
  }
}
