import type { AnyEvent } from '../../contracts/index.ts'
import type { Target } from '../bus/target.ts'
import type { Spokes } from './spokes.ts'

/**
 * A target of a spoke's subscription, given only what the spoke may see: an event beyond its patterns is passed over, also
 * one that was allowed when the subscription was made, and nothing is made of it or told of it. With its spoke revoked the subscription is disabled, and keeps its place.
 */
export function withSpokeSight(
  target: Target,
  options: {
    readonly spoke: string
    readonly spokes: Pick<Spokes, 'look' | 'sight' | 'hasHeard'>
    /** The event with JSON data that went by claim check put back, as patterns see it; itself when there is none. */
    readonly withData: (event: AnyEvent) => Promise<AnyEvent>
  },
): Target {
  const { spoke, spokes, withData } = options
  return {
    ...target,
    ready: () => spokes.hasHeard() && target.ready?.() !== false,
    // Data behind a claim is not here to be looked at: `deliver` loads it.
    sees: (event) => event.dataref !== undefined || spokes.sight(spoke, event) !== 'withheld',
    async deliver(delivery) {
      const { event } = delivery
      const sight = await spokes.look(spoke, event.dataref === undefined ? event : await withData(event))
      if (sight === 'visible') return target.deliver(delivery)
      if (sight === 'withheld') return { kind: 'withheld' }
      return { kind: 'gone', reason: `the spoke ${spoke} was revoked; create it again, then enable the subscription` }
    },
  }
}
