import type { AnyEvent, EventPosition, Registry } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, describeError, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import { createMatcher, parsePattern } from '../patterns/index.ts'
import { parseTransformer } from '../transformer/index.ts'
import { createDecoder, type LoadClaim } from './decode.ts'
import { DEFINITION_COLUMNS, type SubscriptionDefinition, toDefinition } from './definition.ts'
import type { Fence } from './fence.ts'
import type { Settled } from './item.ts'
import { createLiveReader, type LiveReader } from './live-reader.ts'
import { createPlace, type Place } from './place.ts'
import { createPositions } from './positions.ts'
import type { Past } from './reading.ts'
import { createSubscriber, type SubscriberLimits } from './subscriber.ts'
import type { Target } from './target.ts'

export type SessionLimits = SubscriberLimits &
  Pick<Limits, 'hubCatchUpRecordsMax' | 'hubPositionsSaveMs' | 'hubBusSweepMs' | 'drainMs'>

export type SessionOptions = {
  readonly log: LogPort
  readonly tables: TablesPort
  readonly registry: Registry
  /** For subscriptions whose position lies before what the log has kept; without it they go on at what there is, which is told. */
  readonly past?: Past
  readonly loadClaim: LoadClaim
  /** Where a subscription's events go; null when this process has nothing of that name. */
  readonly targets: (definition: SubscriptionDefinition) => Target | null
  readonly fence: Fence
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly onEvent: (event: AnyEvent) => void
  readonly onGone: (name: string, reason: string) => Promise<void>
}

/** The bus at work in this process, from when it got the lease until it gives it up. */
export type Session = {
  places(): ReadonlyMap<string, Place>
  /** Looks at the tables: what subscriptions came, went or changed. */
  reconcile(): Promise<void>
  /** Somebody else has parked something. */
  look(): void
  sweep(): Promise<void>
  replay(to: { id: string; subscription: string }, what: ReplayedEvent): Promise<Settled>
  close(): Promise<void>
}

export type ReplayedEvent = {
  readonly event: AnyEvent
  readonly position: EventPosition
  readonly key?: string
  readonly appendedAtMs: number
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { log, tables, registry, loadClaim, targets, fence, limits, clock, random, logger } = options
  const closing = new AbortController()
  const decoder = createDecoder({ registry, loadClaim, logger, retryMs: limits.hubRestMs, closed: closing.signal })
  const matcher = createMatcher()
  const places = new Map<string, Place>()
  const readers = new Map<string, LiveReader>()
  const topics = registry.topics()
  const positions = createPositions({ tables, log, fence, topics, clock, limits })
  const starts = await positions.load()
  const reached = (topic: string, partition: number): number =>
    readers.get(topic)?.reached(partition) ?? starts.get(topic)?.[partition] ?? 0

  const open = async (definition: SubscriptionDefinition): Promise<void> => {
    const { name } = definition
    const pattern = parsePattern(definition.pattern)
    const transformer = definition.transformer ? parseTransformer(definition.transformer) : null
    const target = targets(definition)
    if (!pattern.ok || transformer?.ok === false || target === null) {
      logger.error('a subscription cannot be brought its events here', { subscription: name })
      return
    }
    const offsets = await positions.of(definition)
    if (closing.signal.aborted) return
    const own = logger.with({ subscription: name })
    const onGone = (reason: string): void => {
      options.onGone(name, reason).catch((error: unknown) => {
        own.error('the subscription could not be disabled; it rests until the bus starts again', {
          error: describeError(error),
        })
      })
    }
    const subscriber = createSubscriber({
      ...{ definition, target, transformer, tables, fence, decoder, limits, clock, random, onGone },
      logger: own,
    })
    const alone = createMatcher()
    alone.add(name, pattern.pattern)
    matcher.add(name, pattern.pattern)
    places.set(
      name,
      createPlace({
        subscriber,
        offsets,
        log,
        past: options.past ?? null,
        decoder,
        matcher: alone,
        reached,
        limits,
        logger: own,
      }),
    )
  }
  const end = async (name: string): Promise<void> => {
    const place = places.get(name)
    if (!place) return
    matcher.remove(name)
    places.delete(name)
    await place.close(limits.drainMs)
    await positions.save([place])
  }
  const reconcile = async (): Promise<void> => {
    const rows = await tables.query({ sql: `SELECT ${DEFINITION_COLUMNS} FROM hub_subscriptions` })
    const wanted = new Map(
      rows
        .map(toDefinition)
        .filter(({ state }) => state === 'enabled')
        .map((definition) => [definition.name, definition]),
    )
    const gone = [...places].filter(([name, { subscriber }]) => !isSame(wanted.get(name), subscriber.definition))
    // Side by side: one whose target is slow to end must not keep the others.
    await Promise.all(gone.map(([name]) => end(name)))
    if (gone.length > 0) await fence.batch(LEFT_BEHIND)
    for (const [name, definition] of wanted) if (!places.has(name) && !closing.signal.aborted) await open(definition)
  }
  const toReader = (topic: string): LiveReader =>
    createLiveReader({
      ...{ log, topic, decoder, matcher },
      offsets: starts.get(topic) ?? {},
      place: (name) => places.get(name),
      onEvent: options.onEvent,
    })

  await reconcile()
  for (const topic of topics) readers.set(topic, toReader(topic))

  return {
    places: () => places,
    reconcile,
    look() {
      for (const { subscriber } of places.values()) subscriber.look()
    },
    async sweep() {
      for (const { subscriber } of places.values()) subscriber.sweep()
      await positions.saveIfDue([...places.values()])
    },
    async replay({ id, subscription }, { event, position, key = event.subject, appendedAtMs }) {
      const place = places.get(subscription)
      if (!place)
        throw new Fault(
          'subscription-unavailable',
          `there is no subscription ${subscription} that is enabled here; enable it, or ask the process that runs the bus`,
        )
      return place.subscriber.replay(id, { ...position, key, bytes: 0, appendedAtMs }, event)
    },
    async close() {
      closing.abort()
      await Promise.all([...readers.values()].map((reader) => reader.close()))
      const all = [...places.values()]
      await Promise.all(all.map((place) => place.close(limits.drainMs)))
      await positions.save(all)
      places.clear()
    },
  }
}

function isSame(now: SubscriptionDefinition | undefined, then: SubscriptionDefinition): boolean {
  return now?.generation === then.generation && now.revision === then.revision
}

/** Of subscriptions that are there no more: what was written while they were being removed. */
const LEFT_BEHIND: readonly Statement[] = ['hub_parked', 'hub_positions'].map((table) => ({
  sql: `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM hub_subscriptions WHERE name = ${table}.subscription)`,
}))
