import type { PipeView, Registry } from '../../contracts/index.ts'
import type { LogPort } from '../../engines/log/index.ts'
import type { Clock, Limits, Logger } from '../../kernel/index.ts'
import type { AddDeadLetters } from '../bus/dead-letter.ts'
import { createBatches, type Verdict } from './batches.ts'
import type { PipeDefinition } from './define-pipe.ts'
import { createIntake, type Job } from './intake.ts'
import { createLanes } from './lanes.ts'
import type { OpenRecord, PublishEvents } from './ports.ts'
import { createPositionSaver } from './position-saver.ts'
import { processRecord } from './process-record.ts'
import { type Refusal, toRefusal } from './refusal.ts'
import { createPersist } from './retry.ts'
import { createPipeStats } from './stats.ts'
import { createWindow, type WindowEntry } from './window.ts'

const CONCURRENCY = 16
const BATCH_RECORDS = 500

export type PipeLimits = Pick<
  Limits,
  | 'hubPipeRecordsMax'
  | 'hubPipeBytesMax'
  | 'hubPipeEventsPerRecordMax'
  | 'hubPipeEventsMax'
  | 'hubPipeEnrichTimeoutMs'
  | 'hubPipeEnrichTriesMax'
  | 'hubPipeRetryMinMs'
  | 'hubPipeRetryMaxMs'
  | 'logBatchBytesMax'
>

export type PipeOptions = {
  readonly definition: PipeDefinition
  readonly log: LogPort
  readonly registry: Registry
  readonly publishEvents: PublishEvents
  readonly addDeadLetters: AddDeadLetters
  readonly openRecord: OpenRecord
  readonly limits: PipeLimits
  readonly clock: Clock
  readonly logger: Logger
}

export type Pipe = {
  readonly name: string
  view(): PipeView
  /** Resolves when all that is on its topic now has been published or put into quarantine, and its position says so. Fault `timeout`. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /** The first offset it may still want to read: the log must keep what follows. */
  neededFrom(partition: number): number
  /** What is under way is finished or given up within one attempt; what is not finished comes again to the next one of its name. */
  close(): Promise<void>
}

/**
 * Runs a pipe: every record of its topic becomes events on the log, or a dead letter, or nothing by its filter; at least
 * once, under ids that are the same each time. Records of one key keep their order, keys go side by side, and a key that
 * takes long holds up the position, not the others. One process at a time works for a pipe's name: the log's group
 * `pipe-<name>` sees to that. What is not the record's fault (an engine that is away, `hub-busy`) is waited for without end.
 */
export function createPipe(options: PipeOptions): Pipe {
  const { definition, log, registry, limits, clock } = options
  const { name, from, concurrency = CONCURRENCY, batchMax = BATCH_RECORDS } = definition
  const group = `pipe-${name}`
  const logger = options.logger.with({ pipe: name })
  const closing = new AbortController()
  const closed = closing.signal
  const stats = createPipeStats(clock)
  const persist = createPersist({ limits, closed, logger, onFailure: stats.failed })
  const window = createWindow({ recordsMax: limits.hubPipeRecordsMax, bytesMax: limits.hubPipeBytesMax })

  const commit = (partition: number, offset: number): Promise<void> => {
    const act = (): Promise<void> => log.commit({ group, topic: from.topic, partition, offset })
    return closed.aborted ? act() : persist('committing the position', act)
  }
  const saver = createPositionSaver({ positions: window.positions, commit })

  const tellOfRefusal = ({ code, path }: Refusal, { partition, offset }: WindowEntry): void => {
    const { quarantined } = stats.view()
    // A feed gone bad fills the dead letters, and need not fill the log of the process too.
    if (Number.isInteger(Math.log2(quarantined)))
      logger.warn('a pipe puts records into quarantine', { code, path, partition, offset, quarantined })
  }
  const onSettled = ({ finished, refusal }: Verdict): void => {
    stats.settled(finished.processed.kind, refusal)
    if (refusal) tellOfRefusal(refusal, finished.entry)
    window.settle(finished.entry)
    saver.touch()
    intake.wake()
  }
  const batches = createBatches({
    ...options,
    pipe: name,
    recordsMax: batchMax,
    bytesMax: limits.logBatchBytesMax,
    eventsMax: limits.hubPipeEventsPerRecordMax,
    waitingEventsMax: limits.hubPipeEventsMax,
    persist,
    nowMs: clock.nowMs,
    onSettled,
  })

  const work = async ({ record, opened, entry }: Job): Promise<void> => {
    const claim = opened.ok ? opened.value.claim : null
    try {
      await batches.room()
      const processed = await processRecord(record, opened, { definition, registry, limits, closed, persist })
      batches.add({ record, claim, entry, processed })
    } catch (error) {
      if (closed.aborted) return
      // A fault of the platform's own must not hold up the topic for ever.
      const refusal = toRefusal('transform-failed', error)
      batches.add({ record, claim, entry, processed: { kind: 'refused', refusal } })
    }
  }
  const lanes = createLanes<Job>({ concurrency, work })

  const intake = createIntake({ ...options, window, closed, onJob: (job) => lanes.push(job.record.key, job) })
  const subscription = log.subscribe({ topic: from.topic, group, onRecords: intake.onRecords })

  return {
    name,
    view: () => ({ name, from: from.topic, lagRecords: subscription.lag() + window.size(), ...stats.view() }),
    neededFrom: (partition) => window.positions().get(partition) ?? subscription.position().next[partition] ?? 0,
    async caughtUp({ timeoutMs = 30_000 } = {}) {
      await subscription.caughtUp({ timeoutMs })
      await saver.reached(new Map(window.taken()), timeoutMs)
    },
    async close() {
      closing.abort()
      intake.wake()
      await subscription.close()
      await Promise.all([lanes.close(), batches.close()])
      await saver.close()
    },
  }
}
