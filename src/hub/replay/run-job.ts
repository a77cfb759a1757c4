import type { AnyEvent, EventPosition } from '../../contracts/index.ts'
import type { LogRecord } from '../../engines/log/index.ts'
import { type Clock, describeError, Fault, faultCode, type Limits, type Logger, pause } from '../../kernel/index.ts'
import type { ArchiveReader } from '../archive/index.ts'
import { createMatcher, type Matcher, parsePattern } from '../patterns/index.ts'
import { type Bucket, burstOf, decideTake } from './bucket.ts'
import type { ReplayJob } from './job.ts'
import { mergeByTime } from './merge.ts'
import { createProgress, type ReplayPosition } from './progress.ts'

/** The bus's way in, beside a subscription's position. Resolves when the event is settled; `interrupted`: nobody has it. */
export type DeliverReplay = (
  to: { readonly id: string; readonly subscription: string },
  what: {
    readonly event: AnyEvent
    readonly position: EventPosition
    readonly key: string
    readonly bytes: number
    readonly appendedAtMs: number
  },
) => Promise<'done' | 'withheld' | 'parked' | 'dead' | 'interrupted'>

/** An event in its newest version, and as patterns see it; null for a record that is no event anybody may be given. */
export type DecodeReplay = (record: LogRecord) => Decoded | null | Promise<Decoded | null>
type Decoded = { readonly event: AnyEvent; readonly seen: AnyEvent }

export type RunPorts = {
  readonly reader: ArchiveReader
  readonly topics: readonly string[]
  readonly decode: DecodeReplay
  readonly deliver: DeliverReplay
  readonly limits: Pick<Limits, 'hubReplayDeliveriesMax'>
  readonly logger: Logger
  readonly clock: Clock
}

/** A replay under way. */
export type Run = {
  /** `position` may be saved at any time: from there on everything that is not settled comes again. */
  progress(): {
    readonly position: ReplayPosition
    readonly read: number
    readonly delivered: number
    readonly lost: number
  }
  /** Resolves when everything is settled. Faults `replay-stopped` after `signal` was aborted; what is under way is left. */
  readonly ended: Promise<void>
}

const RETRY_MIN_MS = 20
const RETRY_MAX_MS = 2_000

/** Delivers the events of a job's time range that match both patterns, in order per key, at the job's rate. */
export function runReplay(job: ReplayJob, pattern: unknown, signal: AbortSignal, ports: RunPorts): Run {
  const { decode, deliver, limits, logger, clock } = ports
  const progress = createProgress(job.position)
  const take = createRate(job.eventsPerSecond, clock, signal)
  const lanes = createLanes(limits.hubReplayDeliveriesMax, signal)
  let { read, delivered, lost } = job
  let told: string | null = null

  /** The same trouble is told once: it may last as long as nobody enables the subscription. */
  const tell = (error: string): void => {
    if (told === error) return
    told = error
    logger.warn('replayed events could not be given to the bus; they are tried again', { replay: job.id, error })
  }
  const deliverOne = async (record: LogRecord, event: AnyEvent): Promise<void> => {
    const { topic, partition, offset, key, value, appendedAtMs } = record
    const what = { event, position: { topic, partition, offset }, key, bytes: value.byteLength, appendedAtMs }
    for (let waitMs = RETRY_MIN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
      const settled = await deliver({ id: job.id, subscription: job.subscription }, what).catch((error: unknown) => {
        if (faultCode(error) !== 'hub-busy') tell(describeError(error))
        return 'interrupted' as const
      })
      if (settled === 'interrupted') {
        await pause(waitMs, signal)
        continue
      }
      if (settled !== 'withheld') delivered += 1
      told = null
      progress.settle(placeOf(record), offset)
      return
    }
  }
  const readAll = async (): Promise<void> => {
    const matches = createTest(pattern, job.pattern)
    const onLoss = ({ from, to }: { from: number; to: number }): void => {
      lost += to - from
    }
    for await (const record of mergeByTime(await openSources(job, { ...ports, onLoss }))) {
      progress.begin(placeOf(record), record.offset)
      read += 1
      const decoded = await decode(record)
      if (signal.aborted) break
      if (decoded === null || !matches(decoded.seen)) {
        progress.settle(placeOf(record), record.offset)
        continue
      }
      await take()
      await lanes.add(record.key, () => deliverOne(record, decoded.event))
      if (signal.aborted) break
    }
  }
  const run = async (): Promise<void> => {
    try {
      await readAll()
    } finally {
      // Whoever goes on from the position gives them again, and must not overtake them.
      await lanes.idle()
    }
    if (signal.aborted) throw new Fault('replay-stopped', `replay ${job.id} was stopped`)
  }

  return { progress: () => ({ position: progress.position(), read, delivered, lost }), ended: run() }
}

const placeOf = ({ topic, partition }: Pick<LogRecord, 'topic' | 'partition'>): string => `${topic}:${partition}`

async function openSources(
  { fromMs, toMs, position }: ReplayJob,
  { reader, topics, onLoss }: RunPorts & { onLoss(loss: { from: number; to: number }): void },
): Promise<AsyncGenerator<readonly LogRecord[]>[]> {
  const sources: AsyncGenerator<readonly LogRecord[]>[] = []
  for (const topic of topics)
    for (const name of Object.keys(await reader.bounds(topic))) {
      const at = { topic, partition: Number(name) }
      const from = position[placeOf(at)]
      sources.push(
        reader.read({ ...at, fromMs, toMs, skipDamaged: true, onLoss, ...(from === undefined ? {} : { from }) }),
      )
    }
  return sources
}

/** Whether an event matches all of the patterns; those that are null take everything. */
function createTest(...patterns: readonly unknown[]): (event: AnyEvent) => boolean {
  const matcher: Matcher = createMatcher()
  for (const [index, json] of patterns.entries()) {
    if (json === null) continue
    const parsed = parsePattern(json)
    if (!parsed.ok) throw new Fault('pattern-invalid', `pattern: ${parsed.detail}`)
    matcher.add(String(index), parsed.pattern)
  }
  return (event) => matcher.rules === 0 || matcher.matchParsed(event).length === matcher.rules
}

function createRate(perSecond: number, clock: Clock, signal: AbortSignal): () => Promise<void> {
  let bucket: Bucket = { tokens: burstOf(perSecond), atMs: clock.elapsedMs() }
  return async () => {
    while (!signal.aborted) {
      const decided = decideTake(bucket, clock.elapsedMs(), perSecond)
      bucket = decided.bucket
      if (decided.waitMs === 0) return
      await pause(decided.waitMs, signal)
    }
  }
}

type Lanes = {
  /** Resolves when there is room for one more; the work begins when the key's work before it is over. */
  add(key: string, work: () => Promise<void>): Promise<void>
  /** All over, or stopped. */
  idle(): Promise<void>
}

function createLanes(max: number, signal: AbortSignal): Lanes {
  const lanes = new Map<string, Promise<void>>()
  let underWay = 0
  let tell: (() => void) | null = null
  signal.addEventListener('abort', () => tell?.(), { once: true })

  const waitUntil = async (holds: () => boolean): Promise<void> => {
    while (!holds() && !signal.aborted)
      await new Promise<void>((resolve) => {
        tell = resolve
      })
  }
  return {
    async add(key, work) {
      await waitUntil(() => underWay < max)
      if (signal.aborted) return
      underWay += 1
      const lane = (lanes.get(key) ?? Promise.resolve()).then(work).finally(() => {
        underWay -= 1
        if (lanes.get(key) === lane) lanes.delete(key)
        tell?.()
      })
      lanes.set(key, lane)
    },
    idle: () => waitUntil(() => underWay === 0),
  }
}
