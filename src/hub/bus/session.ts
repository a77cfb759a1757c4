import type { AnyEvent, EventPosition, Registry } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Row, Statement, TablesPort } from '../../engines/tables/index.ts'
import { type Clock, describeError, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import { createMatcher, type Pattern, parsePattern } from '../patterns/index.ts'
import { parseTransformer, type Transformer } from '../transformer/index.ts'
import { createDecoder, type LoadClaim } from './decode.ts'
import { DEFINITION_COLUMNS, type SubscriptionDefinition, toDefinition } from './definition.ts'
import { createDeliveryIds } from './delivery-id.ts'
import { toEnvelopePattern } from './envelope-pattern.ts'
import type { Fence } from './fence.ts'
import type { Settled } from './item.ts'
import { createLiveReader, type LiveReader } from './live-reader.ts'
import { createPlace, type Place } from './place.ts'
import { createPositions } from './positions.ts'
import type { Past } from './reading.ts'
import { createSubscriber, type SubscriberLimits } from './subscriber.ts'
import type { Target } from './target.ts'

export type SessionLimits = SubscriberLimits &
  Pick<Limits, 'hubCatchUpRecordsMax' | 'hubClaimLoadMs' | 'hubPositionsSaveMs' | 'hubBusSweepMs' | 'drainMs'>

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
  /** Its target wants no more. Resolves when that is written down, or when the session is over. */
  readonly onGone: (definition: SubscriptionDefinition, reason: string, closed: AbortSignal) => Promise<void>
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
  /** Its size on the log. */
  readonly bytes?: number
  readonly appendedAtMs: number
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const { log, tables, registry, loadClaim, targets, fence, limits, clock, random, logger } = options
  const closing = new AbortController()
  const decoder = createDecoder({ registry, loadClaim, logger, retryMs: limits.hubRestMs })
  const matcher = createMatcher()
  const envelopes = createMatcher()
  const told = new Set<string>()
  const toDeliveryId = createDeliveryIds()
  const places = new Map<string, Place>()
  const readers = new Map<string, LiveReader>()
  const topics = registry.topics()
  const positions = createPositions({ tables, log, fence, topics, clock, limits })
  const starts = await positions.load()
  const reached = (topic: string, partition: number): number =>
    readers.get(topic)?.reached(partition) ?? starts.get(topic)?.[partition] ?? 0

  /** What is wrong with one subscription is told once, and keeps no other from its events. */
  const complain = (name: string, revision: unknown, reason: string): void => {
    const what = `${name} ${revision}`
    if (told.has(what)) return
    if (told.size >= TOLD_MAX) told.clear()
    told.add(what)
    logger.error('a subscription cannot be brought its events here', { subscription: name, reason })
  }
  const read = (row: Row): SubscriptionDefinition | null => {
    try {
      return toDefinition(row)
    } catch (error) {
      complain(String(row['name']), row['revision'], describeError(error))
      return null
    }
  }
  const prepare = (definition: SubscriptionDefinition): Prepared | null => {
    const refuse = (reason: string): null => {
      complain(definition.name, definition.revision, reason)
      return null
    }
    try {
      const pattern = parsePattern(definition.pattern)
      if (!pattern.ok) return refuse(pattern.detail)
      const transformer = definition.transformer ? parseTransformer(definition.transformer) : null
      if (transformer?.ok === false) return refuse(transformer.detail)
      const target = targets(definition)
      return target ? { pattern: pattern.pattern, transformer, target } : refuse('nothing here can take its events')
    } catch (error) {
      return refuse(describeError(error))
    }
  }
  const open = async (definition: SubscriptionDefinition): Promise<void> => {
    const { name } = definition
    const prepared = prepare(definition)
    if (!prepared) return
    const { pattern, transformer, target } = prepared
    const offsets = await positions.of(definition)
    if (closing.signal.aborted) return
    const own = logger.with({ subscription: name })
    const onGone = (reason: string): void => {
      options.onGone(definition, reason, closing.signal).catch((error: unknown) => {
        own.error('the subscription could not be disabled; it rests until the bus starts again', {
          error: describeError(error),
        })
      })
    }
    const subscriber = createSubscriber({
      ...{ definition, target, transformer, tables, fence, decoder, toDeliveryId, limits, clock, random, onGone },
      logger: own,
    })
    const alone = createMatcher()
    const aloneBesideData = createMatcher()
    alone.add(name, pattern)
    aloneBesideData.add(name, toEnvelopePattern(pattern))
    matcher.add(name, pattern)
    envelopes.add(name, toEnvelopePattern(pattern))
    places.set(
      name,
      createPlace({
        subscriber,
        offsets,
        log,
        past: options.past ?? null,
        decoder,
        matcher: alone,
        envelopes: aloneBesideData,
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
    envelopes.remove(name)
    places.delete(name)
    await place.close(limits.drainMs)
    await positions.save([place])
    positions.forget(place)
  }
  const reconcile = async (): Promise<void> => {
    const rows = await tables.query({ sql: `SELECT ${DEFINITION_COLUMNS} FROM hub_subscriptions` })
    const wanted = new Map(
      rows
        .map(read)
        .filter((definition) => definition !== null)
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
      ...{ log, topic, decoder, matcher, envelopes, limits },
      offsets: starts.get(topic) ?? {},
      place: (name) => places.get(name),
      onEvent: options.onEvent,
    })

  const close = async (): Promise<void> => {
    closing.abort()
    await Promise.all([...readers.values()].map((reader) => reader.close()))
    const all = [...places.values()]
    await Promise.all(all.map((place) => place.close(limits.drainMs)))
    await positions.save(all).finally(() => places.clear())
  }

  try {
    await reconcile()
    for (const topic of topics) readers.set(topic, toReader(topic))
  } catch (error) {
    // What was opened already would go on beside the next session.
    await close().catch((reason: unknown) =>
      logger.warn('a session did not end well', { error: describeError(reason) }),
    )
    throw error
  }

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
    async replay({ id, subscription }, { event, position, key = event.subject, bytes = 0, appendedAtMs }) {
      const place = places.get(subscription)
      if (!place)
        throw new Fault(
          'subscription-unavailable',
          `there is no subscription ${subscription} that is enabled here; enable it, or ask the process that runs the bus`,
        )
      return place.subscriber.replay(id, { ...position, key, bytes, appendedAtMs }, event)
    },
    close,
  }
}

type Prepared = {
  readonly pattern: Pattern
  readonly transformer: Transformer | null
  readonly target: Target
}

function isSame(now: SubscriptionDefinition | undefined, then: SubscriptionDefinition): boolean {
  return now?.generation === then.generation && now.revision === then.revision
}

/** A complaint beyond is told again. */
const TOLD_MAX = 1_000

/** Of subscriptions that are there no more: what was written while they were being removed. */
const LEFT_BEHIND: readonly Statement[] = ['hub_parked', 'hub_positions'].map((table) => ({
  sql: `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM hub_subscriptions
    WHERE name = ${table}.subscription AND generation = ${table}.generation)`,
}))
