import type { SubscriptionView } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Row, TablesPort } from '../../engines/tables/index.ts'
import { describeWebhookUrl } from '../targets/index.ts'
import type { Bus } from './bus.ts'
import type { SubscriptionDefinition } from './definition.ts'
import type { Place } from './place.ts'
import type { Subscriptions } from './subscriptions.ts'

const NO_FIGURES = {
  delivered: 0,
  failed: 0,
  deliveredPerSecond: 0,
  failedPerSecond: 0,
  latencyP50Ms: null,
  latencyP99Ms: null,
  lastError: null,
} as const

/** What operators see of the subscriptions. Counts of deliveries are those of the bus in this process, since it began to hold the lease. */
export async function viewSubscriptions(options: {
  subscriptions: Pick<Subscriptions, 'list'>
  bus: Pick<Bus, 'places' | 'holds'>
  tables: TablesPort
  log: Pick<LogPort, 'bounds'>
}): Promise<readonly SubscriptionView[]> {
  const { subscriptions, bus, tables, log } = options
  const [definitions, positions, parked, dead] = await Promise.all([
    subscriptions.list(),
    tables.query({ sql: 'SELECT subscription, topic, partition_number, next_offset FROM hub_positions' }),
    tables.query({
      sql: `SELECT subscription, COUNT(*) AS events, COUNT(DISTINCT event_key) AS event_keys
        FROM hub_parked GROUP BY subscription`,
    }),
    tables.query({
      sql: `SELECT name, generation, COUNT(*) AS letters FROM hub_dead_letters
        WHERE state = 'open' AND kind = 'delivery' GROUP BY name, generation`,
    }),
  ])
  const ends = await findEnds(log, positions)
  // By name: with a thousand subscriptions, looking through all rows for each would take a tenth of a second.
  const positionsOf = Map.groupBy(positions, (row) => String(row['subscription']))
  const parkedOf = new Map(parked.map((row) => [String(row['subscription']), row]))
  const lettersOf = new Map(dead.map((row) => [`${row['name']} ${row['generation']}`, Number(row['letters'])]))
  const places = bus.places()
  return definitions.map((definition): SubscriptionView => {
    const { name, owner, target, pattern } = definition
    const place = places.get(name)
    return {
      name,
      owner,
      kind: target.kind,
      pattern,
      target: describeTarget(target),
      ...stateOf(definition, place, bus.holds()),
      lagRecords: lagOf(positionsOf.get(name) ?? [], place, ends),
      parked: Number(parkedOf.get(name)?.['events'] ?? 0),
      parkedKeys: Number(parkedOf.get(name)?.['event_keys'] ?? 0),
      deadLetters: lettersOf.get(`${name} ${definition.generation}`) ?? 0,
      ...(place?.subscriber.deliveries.figures() ?? NO_FIGURES),
    }
  })
}

function describeTarget(target: SubscriptionDefinition['target']): string {
  if (target.kind === 'webhook') return describeWebhookUrl(new URL(target.url))
  return target.kind === 'topic' ? target.topic : target.kind
}

function stateOf(
  { state, detail }: SubscriptionDefinition,
  place: Place | undefined,
  isHere: boolean,
): Pick<SubscriptionView, 'state' | 'detail'> {
  if (state === 'disabled') return { state, detail }
  if (place === undefined)
    return { state: 'waiting', detail: isHere ? 'nothing here can take its events' : 'the bus runs elsewhere' }
  const waitsFor = place.subscriber.waitsFor()
  return waitsFor === null ? { state: 'active', detail: null } : { state: 'waiting', detail: waitsFor }
}

/** By topic and partition. */
async function findEnds(log: Pick<LogPort, 'bounds'>, positions: readonly Row[]): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>()
  for (const topic of new Set(positions.map((row) => String(row['topic']))))
    for (const [partition, { end }] of Object.entries(await log.bounds(topic))) ends.set(`${topic} ${partition}`, end)
  return ends
}

function lagOf(rows: readonly Row[], place: Place | undefined, ends: ReadonlyMap<string, number>): number {
  const saved = rows.map((row) => ({
    topic: String(row['topic']),
    partition: Number(row['partition_number']),
    offset: Number(row['next_offset']),
  }))
  const behind = (place?.positions() ?? saved).map(({ topic, partition, offset }) =>
    Math.max(0, (ends.get(`${topic} ${partition}`) ?? 0) - offset),
  )
  return behind.reduce((sum, records) => sum + records, 0)
}
