import type { AnyEvent, EventJourney, EventPosition } from '../../contracts/index.ts'
import type { Row, TablesPort } from '../../engines/tables/index.ts'
import { createMatcher, parsePattern } from '../patterns/index.ts'
import type { Bus } from './bus.ts'
import type { SubscriptionDefinition } from './definition.ts'
import { toDeliveryId } from './delivery-id.ts'
import type { Subscriptions } from './subscriptions.ts'

export type JourneyStop = EventJourney['stops'][number]

/**
 * What became of one event at each subscription there is now, by the patterns they have now. `event` is as patterns see it: in its newest
 * version, with JSON data that went by claim check. Of a delivery, the time is known only while it is remembered.
 */
export async function findStops(options: {
  event: AnyEvent
  position: EventPosition
  subscriptions: Pick<Subscriptions, 'list'>
  bus: Pick<Bus, 'places'>
  tables: TablesPort
}): Promise<readonly JourneyStop[]> {
  const { event, position, subscriptions, bus, tables } = options
  const deliveryId = toDeliveryId(event)
  const [definitions, parked, found, positions] = await Promise.all([
    subscriptions.list(),
    tables.query({
      sql: 'SELECT subscription, generation, attempts, first_failed_at_ms, reason FROM hub_parked WHERE delivery_id = ?',
      parameters: [deliveryId],
    }),
    tables.query({
      sql: `SELECT name, generation, delivery_id, state, attempts, dead_at_ms, reason FROM hub_dead_letters
        WHERE event_id = ? AND kind = 'delivery' ORDER BY dead_at_ms`,
      parameters: [event.id],
    }),
    tables.query({
      sql: `SELECT subscription, generation, first_offset, next_offset FROM hub_positions WHERE topic = ? AND partition_number = ?`,
      parameters: [position.topic, position.partition],
    }),
  ])
  // Of events of the same id from other sources there may be some, too.
  const isOfEvent = (id: string): boolean => id === deliveryId || id.startsWith(`${deliveryId}~`)
  const letters = found.filter((row) => isOfEvent(String(row['delivery_id'])))
  return definitions.map((definition): JourneyStop => {
    const { name, generation } = definition
    const is = (column: string) => (row: Row) => row[column] === name && Number(row['generation']) === generation
    const place = bus.places().get(name)
    const own = positions.find(is('subscription'))
    const reached = place?.positions().find((at) => at.topic === position.topic && at.partition === position.partition)
    const stop = decideStop({
      isMatched: isMatched(definition, event),
      parked: parked.find(is('subscription')) ?? null,
      letter: letters.findLast(is('name')) ?? null,
      deliveredAtMs: place?.subscriber.deliveries.deliveredAtMs(deliveryId) ?? null,
      isBefore: own !== undefined && position.offset < Number(own['first_offset']),
      isPassed: position.offset < (reached?.offset ?? Number(own?.['next_offset'] ?? 0)),
    })
    return { subscription: name, ...stop }
  })
}

type Known = {
  readonly isMatched: boolean
  readonly parked: Row | null
  readonly letter: Row | null
  readonly deliveredAtMs: number | null
  /** Published before the subscription began. */
  readonly isBefore: boolean
  /** Its position is beyond it. */
  readonly isPassed: boolean
}
type Stop = Omit<JourneyStop, 'subscription'>

/** The tables first: what they say holds whatever the pattern is by now. */
function decideStop({ isMatched, parked, letter, deliveredAtMs, isBefore, isPassed }: Known): Stop {
  if (parked) {
    const attempts = Number(parked['attempts'])
    const atMs = parked['first_failed_at_ms'] === null ? null : Number(parked['first_failed_at_ms'])
    return { state: attempts > 0 ? 'parked' : 'waiting', attempts, atMs, reason: textOf(parked['reason']) }
  }
  if (deliveredAtMs !== null) return { state: 'delivered', attempts: null, atMs: deliveredAtMs, reason: null }
  if (letter)
    return {
      state: toLetterState(letter['state'] ?? null),
      attempts: Number(letter['attempts']),
      atMs: Number(letter['dead_at_ms']),
      reason: textOf(letter['reason']),
    }
  if (!isMatched) return { ...NOTHING, state: 'not-matched' }
  if (isBefore) return { ...NOTHING, state: 'not-matched', reason: 'the subscription began after it' }
  return { ...NOTHING, state: isPassed ? 'delivered' : 'pending' }
}

const NOTHING = { attempts: null, atMs: null, reason: null } as const

function textOf(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

function toLetterState(state: Row[string]): 'dead' | 'redriven' | 'discarded' {
  return state === 'redriven' || state === 'discarded' ? state : 'dead'
}

function isMatched({ name, pattern }: SubscriptionDefinition, event: AnyEvent): boolean {
  const parsed = parsePattern(pattern)
  if (!parsed.ok) return false
  const matcher = createMatcher()
  matcher.add(name, parsed.pattern)
  return matcher.matchParsed(event).length > 0
}
