import type { CloudEvent, EventPosition } from '../../contracts/index.ts'
import { type Clock, DEFAULT_LIMITS, Fault, systemClock } from '../../kernel/index.ts'
import { createRecordDecoder } from './decode.ts'
import { createListeners } from './listeners.ts'
import { persist, within } from './persist.ts'
import { createPositionWaits } from './position-waits.ts'
import type { Positions } from './positions.ts'
import { createTopicReader, type TopicReader } from './topic-reader.ts'
import type { ViewOptions } from './view-options.ts'
import { createViewWriter, openStore, restore } from './view-snapshots.ts'
import { createViewState } from './view-state.ts'

const WAIT_TIMEOUT_MS = 10_000

export type View<State> = {
  readonly state: State
  /** Events applied so far: rises with every change. */
  readonly version: number
  /** Records of its topics not yet applied; 0 before it is open. */
  lag(): number
  /** The same measured: how many, and the age of the oldest of them by the clock of who appended it; 0 when there is none. */
  measureLag(): Promise<ViewLag>
  /** Ms since the log was last heard from, for the topic it was longest ago; Infinity before it is open. */
  silentForMs(): number
  /** Resolves when all that is on the log now has been applied; fault `timeout`. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /**
   * "At least up to event X": resolves when the event at this position is in the state, at once if it is. Faults: `timeout`,
   * `position-unknown` when the view does not follow the topic, `view-busy` when `hubViewWaitsMax` wait already, `closed`.
   */
  reached(position: EventPosition, options?: { timeoutMs?: number }): Promise<void>
  /** The next offset to be applied, per topic and partition; a partition of which nothing was applied may be missing. */
  positions(): Positions
  /** Events that `apply` threw for, which are not in the state. */
  readonly leftOut: number
  /** `fn` is called after each applied event; returns how to stop. */
  onChange(fn: (event: CloudEvent) => void): () => void
  /** `fn` is called when the state as a whole has become another: from a snapshot, or of another version. Returns how to stop. */
  onReplaced(fn: () => void): () => void
  close(): Promise<void>
}

export type ViewLag = { readonly records: number; readonly ageMs: number }

type Readers = ReadonlyMap<string, TopicReader>

/**
 * A view in memory: the newest good snapshot and the tail behind it, or all from the beginning, archive and log. An event id takes
 * effect once. Order holds per key within a topic; between topics there is none, so `apply` must not rely on it.
 */
export function createView<State>(options: ViewOptions<State>): View<State> {
  const { definition, limits = DEFAULT_LIMITS, clock = systemClock } = options
  const { name, topics } = definition
  const logger = options.logger.with({ view: name, version: definition.version })
  const closing = new AbortController()
  const replaced = createListeners<void>(logger)
  const decode = createRecordDecoder({ events: options.events, logger, closed: closing.signal })
  const held = createViewState({ definition, decode, limits, logger })
  let readers: Readers = new Map()

  const positions = (): Positions => Object.fromEntries([...readers].map(([topic, reader]) => [topic, reader.next()]))
  const waits = createPositionWaits({
    view: name,
    waitsMax: limits.hubViewWaitsMax,
    isReached: ({ topic, partition, offset }) => (readers.get(topic)?.nextOf(partition) ?? 0) > offset,
  })
  const store = openStore({ ...options, limits, logger })
  const writer =
    store && options.snapshots?.isWriter
      ? createViewWriter({ store, held, positions, limits, clock, logger })
      : { passed: () => {}, close: () => Promise.resolve() }

  const open = async (): Promise<void> => {
    const from = store ? await restore({ ...options, logger }, { store, held, closed: closing.signal }) : {}
    let told = held.applied
    const onBatch = (records: number): void => {
      writer.passed(records, held.applied - told)
      told = held.applied
      waits.moved()
    }
    const parts = { log: options.log, archive: options.archive, apply: held.take, onBatch, closed: closing.signal }
    readers = new Map(topics.map((topic) => [topic, createTopicReader({ ...parts, topic, from: from[topic] ?? {} })]))
    if (held.applied > 0) replaced.tell()
    waits.moved()
    await Promise.all(
      [...readers.values()].map((reader) => persist(() => reader.start(), { logger, closed: closing.signal })),
    )
  }
  const opened = open()
  // Only closing ends it early, and then nobody needs to hear of it.
  opened.catch(() => {})

  return {
    get state() {
      return held.state
    },
    get version() {
      return held.applied
    },
    get leftOut() {
      return held.leftOut
    },
    positions,
    lag: () => lagOf(readers),
    measureLag: () => measureLag(readers, clock),
    silentForMs: () => silentForMs(readers),
    async caughtUp({ timeoutMs = WAIT_TIMEOUT_MS } = {}) {
      const untilMs = clock.elapsedMs() + timeoutMs
      await within(opened, timeoutMs, `view ${name}: expected it to be open within ${timeoutMs} ms`)
      const left = { timeoutMs: Math.max(0, untilMs - clock.elapsedMs()) }
      await Promise.all([...readers.values()].map((reader) => reader.caughtUp(left)))
      waits.moved()
    },
    reached(position, { timeoutMs = WAIT_TIMEOUT_MS } = {}) {
      if (topics.includes(position.topic)) return waits.wait(position, timeoutMs)
      const detail = `view ${name} follows ${topics.join(', ')}: expected a position of one of these, got one of ${position.topic}`
      return Promise.reject(new Fault('position-unknown', detail))
    },
    onChange: held.changed.add,
    onReplaced: replaced.add,
    async close() {
      closing.abort()
      await opened.catch(() => {})
      await Promise.all([...readers.values()].map((reader) => reader.close()))
      await writer.close()
      waits.close()
    },
  }
}

function lagOf(readers: Readers): number {
  return [...readers.values()].reduce((sum, reader) => sum + reader.lag(), 0)
}

async function measureLag(readers: Readers, clock: Clock): Promise<ViewLag> {
  const records = lagOf(readers)
  const times = await Promise.all([...readers.values()].map((reader) => reader.oldestAtMs()))
  const known = times.filter((atMs) => atMs !== null)
  return { records, ageMs: known.length === 0 ? 0 : Math.max(0, clock.nowMs() - Math.min(...known)) }
}

function silentForMs(readers: Readers): number {
  if (readers.size === 0) return Number.POSITIVE_INFINITY
  return Math.max(0, ...[...readers.values()].map((reader) => reader.silentForMs()))
}
