import { type AnyEvent, type HubOverview, type Registry, toPositionText } from '../../../contracts/index.ts'
import type { LogPort, LogRecord } from '../../../engines/log/index.ts'
import type { TablesPort } from '../../../engines/tables/index.ts'
import {
  type ArchiveReader,
  type Bus,
  createFindEvent,
  type Decoded,
  findStops,
  type Pipe,
  type Producers,
  parseEvent,
  readArchivedTo,
  type Subscriptions,
  viewSubscriptions,
} from '../../../hub/index.ts'
import type { Clock, Limits } from '../../../kernel/index.ts'
import type { HubPorts } from './ports.ts'
import { shareNext } from './share-next.ts'

const PIPE_SOURCE = /^pipe-(.+)$/

/** What operators and spokes may look at: the hub as a whole, and what became of one event. */
export function createLookUp(parts: {
  readonly log: LogPort
  readonly tables: TablesPort
  readonly registry: Registry
  readonly reader: ArchiveReader
  readonly subscriptions: Subscriptions
  readonly bus: Bus
  readonly pipes: readonly Pipe[]
  readonly producers: Producers
  readonly topics: readonly string[]
  /** Faults `claim-late` when data behind a claim is not to be had for now. */
  readonly decode: (record: LogRecord) => Decoded | null | Promise<Decoded | null>
  readonly limits: Limits
  readonly clock: Clock
}): Pick<HubPorts, 'overview' | 'journey'> {
  const { log, tables, registry, reader, subscriptions, bus, pipes, producers, topics, decode, limits, clock } = parts
  const findEvent = createFindEvent({ reader, topics: registry.topics(), limits, clock })

  const viewTopics = async (): Promise<HubOverview['topics']> => {
    const archived = await readArchivedTo(tables)
    const views = topics.map(async (name) =>
      Object.entries(await log.bounds(name)).map(([partition, { first, end }]) => {
        const position = archived.find((each) => each.topic === name && each.partition === Number(partition))
        return { name, first, end, archivedTo: position?.next ?? null }
      }),
    )
    return (await Promise.all(views)).flat()
  }
  return {
    // Of a thousand subscriptions it is work, and any spoke may ask.
    overview: shareNext(async () => {
      const [views, topicViews] = await Promise.all([
        viewSubscriptions({ subscriptions, bus, tables, log }),
        viewTopics(),
      ])
      return {
        producers: [...producers.views()],
        pipes: pipes.map((pipe) => pipe.view()),
        subscriptions: [...views],
        topics: topicViews,
      }
    }),
    async journey(eventId) {
      const { found } = await findEvent(eventId)
      if (!found) return null
      const { position, record } = found
      const event: AnyEvent = parseEvent(registry, record.value)
      const decoded = await decode(record)
      const stops = decoded ? await findStops({ event: decoded.seen, position, subscriptions, bus, tables }) : []
      return {
        event,
        position: toPositionText(position),
        appendedAtMs: record.appendedAtMs,
        pipe: PIPE_SOURCE.exec(event.source)?.[1] ?? null,
        causedBy: event.causedby ?? null,
        stops: [...stops],
      }
    },
  }
}
