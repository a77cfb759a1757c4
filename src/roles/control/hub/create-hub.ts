import { type AnyEvent, TOPICS } from '../../../contracts/index.ts'
import type { LogPort } from '../../../engines/log/index.ts'
import type { ObjectsPort } from '../../../engines/objects/index.ts'
import type { TablesPort } from '../../../engines/tables/index.ts'
import {
  type Bus,
  boundLetters,
  checkClaimed,
  claimOf,
  createArchiveReader,
  createArchiver,
  createBus,
  createClaimSweeper,
  createClaims,
  createDeadLetters,
  createDecoder,
  createPipe,
  createProducer,
  createProducers,
  createRecordAppender,
  createRecordOpener,
  createReplayRunner,
  createReplays,
  createSpokes,
  createStreamHub,
  createSubscriptions,
  type LoadedHub,
  type Pipe,
} from '../../../hub/index.ts'
import { type Clock, Fault, faultCode, type Limits, type Logger } from '../../../kernel/index.ts'
import type { Auth } from '../auth.ts'
import { watchBus } from './bus-watch.ts'
import { createHousekeeping } from './housekeeping.ts'
import { createHubTail } from './hub-tail.ts'
import { createLookUp } from './look-up.ts'
import type { HubPorts } from './ports.ts'
import { createQueueTopics, putChecked, registerFunctions } from './subscriptions.ts'
import { createTargets } from './targets.ts'
import { createHubViews } from './views.ts'

/** What viewers wait for right now: of no use to anybody a minute later. */
const UNARCHIVED_TOPICS: readonly string[] = ['media']
const DEAD_LETTERS_TOPIC = 'dead-letters'

export type Hub = {
  readonly ports: HubPorts
  close(): Promise<void>
}

export type HubOptions = {
  readonly log: LogPort
  readonly tables: TablesPort
  readonly objects: ObjectsPort
  readonly loaded: LoadedHub
  readonly webhookNetworks: readonly string[]
  readonly auth: Auth
  readonly cut: HubPorts['cut']
  /** CloudEvents `source` of what says none, and who holds the leases. */
  readonly name: string
  readonly limits: Limits
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The hub at work in this process: what the contract's routes need, and behind it the bus, pipes, archive, replays and the
 * sweeping of payloads. Each of those holds a lease or a group of the log, so a second process with the same stands by.
 */
export function createHub(options: HubOptions): Hub {
  const { log, tables, objects, loaded, auth, name, limits, clock, logger } = options
  const { registry } = loaded
  const shared = { limits, clock, logger }
  const claims = createClaims({ objects, tables, ...shared })
  const producer = createProducer({ log, registry, claims, source: name, ...shared })
  // With room of their own: what others send, however slowly, holds up no pipe.
  const pipesProducer = createProducer({ log, registry, claims, source: name, ...shared })
  const records = createRecordAppender({ log, claims, ...shared })
  const deadLetters = createDeadLetters({ tables, log, ...shared })
  const spokes = createSpokes({ tables, ...shared })
  const streams = createStreamHub()
  const producers = createProducers({ limits, clock })
  const reader = createArchiveReader({ log, objects, ...shared })
  const subscriptions = createSubscriptions({ tables, registry, log, past: reader, ...shared })

  const sources = [...new Set(loaded.pipes.map(({ from }) => from.topic))]
  const readTopics = [...new Set([...registry.topics(), ...sources, DEAD_LETTERS_TOPIC])]
  const isRead = (topic: string): boolean => readTopics.includes(topic)

  const loadClaim = (event: AnyEvent): Promise<Uint8Array> => {
    const claim = claimOf(event)
    if (claim) return claims.bytes(claim, limits.hubRecordBytesMax)
    throw new Fault('claim-invalid', `event ${event.id}: expected dataref, datasize and datadigest`)
  }
  const withData = async (event: AnyEvent): Promise<AnyEvent> => {
    const isJson = event.dataref !== undefined && (registry.get(event.type)?.data ?? null) !== null
    try {
      return isJson ? checkClaimed(registry, event, await loadClaim(event)) : event
    } catch (error) {
      // Gone or damaged for good: there is no more to be seen of it than what it says itself.
      if (LOST_CLAIM.has(faultCode(error))) return event
      throw error
    }
  }

  const targets = createTargets({
    ...{ log, registry, claims, functions: loaded.subscriptions, streams, spokes, isRead, withData },
    webhookNetworks: options.webhookNetworks,
    ...shared,
  })
  const bus: Bus = createBus({
    ...{ log, tables, registry, loadClaim, targets, past: reader, owner: name, onEvent: producers.count },
    ...shared,
  })
  const pipes: readonly Pipe[] = loaded.pipes.map((definition) =>
    createPipe({
      definition,
      log,
      registry,
      publishEvents: pipesProducer.publish,
      addDeadLetters: boundLetters(deadLetters.add, { pipe: definition.name, tables, limits }),
      openRecord: createRecordOpener({ claims, limits }),
      ...shared,
    }),
  )
  const patternOf = async (subscription: string): Promise<unknown> => {
    const found = await subscriptions.get(subscription)
    return found?.state === 'enabled' ? found.pattern : null
  }
  const replays = createReplays({ tables, patternOf, limits, clock })
  const decoder = createDecoder({ registry, loadClaim, logger, retryMs: limits.hubRestMs })
  const closing = new AbortController()
  const runner = createReplayRunner({
    ...{
      tables,
      patternOf,
      reader,
      topics: registry.topics(),
      decode: (record) => decoder.decode(record, { signal: closing.signal }),
      deliver: bus.replay,
      holds: bus.holds,
    },
    ...shared,
  })
  const ownTopics: readonly string[] = TOPICS
  const archiver = createArchiver({
    ...{ log, objects, tables, owner: name },
    topics: readTopics.filter((topic) => !UNARCHIVED_TOPICS.includes(topic)),
    // The platform's own are kept whole, or trimmed by the store itself.
    trimmedTopics: readTopics.filter((topic) => !ownTopics.includes(topic)),
    neededFrom: (topic, partition) => neededByPipes(pipes, topic, partition),
    ...shared,
  })
  const busWatch = watchBus({ holds: bus.holds, limits, clock, onGone: () => streams.end('closing', () => true) })
  const stopHearing = spokes.onHeard(({ isCurrent }) =>
    streams.end('revoked', ({ owner, tokenId }) => owner !== null && tokenId !== null && !isCurrent(owner, tokenId)),
  )
  const queues = createQueueTopics(subscriptions)
  const sweeper = createClaimSweeper({
    ...{ log, objects, tables, topics: () => [...readTopics, ...queues.names()] },
    ...shared,
  })
  const views = createHubViews({
    ...{ views: loaded.views, log, archive: reader, events: { registry, loadClaim } },
    snapshots: { objects, isWriter: true },
    ...shared,
  })
  const functions = registerFunctions({ subscriptions, functions: loaded.subscriptions, logger })
  const housekeeping = createHousekeeping({ deadLetters, queues, logger })

  const tail = createHubTail({ log, registry, limits, logger })

  const ports: HubPorts = {
    ...{ tail, auth, registry, spokes, streams, claims, deadLetters, replays, views, withData, limits, logger },
    isBusHere: busWatch.isHere,
    cut: options.cut,
    publish: producer.publish,
    appendRecords(topic, given) {
      refuseBehind(pipes, topic, limits)
      return records.append(topic, given)
    },
    subscriptions: {
      ...subscriptions,
      put: (wanted) =>
        putChecked(wanted, {
          ...{ subscriptions, isRead, functions: loaded.subscriptions, queues },
          webhookNetworks: options.webhookNetworks,
        }),
    },
    ...createLookUp({
      log,
      tables,
      registry,
      reader,
      subscriptions,
      bus,
      pipes,
      producers,
      topics: readTopics,
      decode: (record) => decoder.decode(record, { signal: closing.signal, timeoutMs: limits.hubClaimLoadMs }),
      ...shared,
    }),
  }
  return {
    ports,
    async close() {
      streams.end('closing', () => true)
      stopHearing()
      busWatch.close()
      functions.close()
      await tail.close()
      housekeeping.close()
      await Promise.all([...pipes.map((pipe) => pipe.close()), runner.close()])
      // What replays and journeys still wait for is wanted no more.
      closing.abort()
      await Promise.all([bus.close(), archiver.close(), sweeper.close(), views.close()])
      spokes.close()
    },
  }
}

const LOST_CLAIM: ReadonlySet<string> = new Set(['claim-missing', 'claim-damaged', 'claim-invalid', 'event-invalid'])

/** Raw records are taken no faster than the pipe works them off, in the long run: whoever sends them waits, and nothing is dropped. */
function refuseBehind(pipes: readonly Pipe[], topic: string, limits: Pick<Limits, 'hubPipeLagRecordsMax'>): void {
  for (const pipe of pipes) {
    const { name, from, lagRecords } = pipe.view()
    if (from !== topic || lagRecords < limits.hubPipeLagRecordsMax) continue
    throw new Fault(
      'hub-busy',
      `the pipe ${name} is ${lagRecords} records behind (hubPipeLagRecordsMax is ${limits.hubPipeLagRecordsMax}); try again shortly`,
      { detail: { retryAfterMs: 1_000 } },
    )
  }
}

/** What a pipe has not worked off yet stays in the log. */
function neededByPipes(pipes: readonly Pipe[], topic: string, partition: number): number | null {
  const needed = pipes.filter((pipe) => pipe.view().from === topic).map((pipe) => pipe.neededFrom(partition))
  return needed.length === 0 ? null : Math.min(...needed)
}
