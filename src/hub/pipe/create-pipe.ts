import type { PipeView, Registry } from '../../contracts/index.ts'
import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import { type Clock, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import type { AddDeadLetters } from '../bus/dead-letter.ts'
import { createBatches, type Verdict } from './batches.ts'
import type { PipeDefinition } from './define-pipe.ts'
import { createLanes } from './lanes.ts'
import type { Step } from './make-events.ts'
import type { OpenedRecord, OpenRecord, PublishEvents } from './ports.ts'
import { createPositionSaver } from './position-saver.ts'
import { bytesToLoad, processRecord, tryOpen } from './process-record.ts'
import { toRefusal } from './refusal.ts'
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
  /** What is under way is finished or given up within one attempt; what is not finished comes again to the next one of its name. */
  close(): Promise<void>
}

type Job = { readonly record: LogRecord; readonly opened: Step<OpenedRecord>; readonly entry: WindowEntry }

/**
 * Runs a pipe: every record of its topic becomes events on the log, or a dead letter, or nothing by its filter; at least
 * once, under ids that are the same each time. Records of one key keep their order, keys go side by side, and a key that
 * takes long holds up the position, not the others. One process at a time works for a pipe's name: the log's group
 * `pipe-<name>` sees to that. What is not the record's fault (an engine that is away, `hub-busy`) is waited for without end.
 */
export function createPipe(options: PipeOptions): Pipe {
  const { definition, log, registry, openRecord, limits, clock } = options
  const { name, from, concurrency = CONCURRENCY, batchMax = BATCH_RECORDS } = definition
  const group = `pipe-${name}`
  const logger = options.logger.with({ pipe: name })
  const closing = new AbortController()
  const closed = closing.signal
  const stats = createPipeStats(clock)
  const persist = createPersist({ limits, closed, logger, onFailure: stats.failed })
  const window = createWindow({ recordsMax: limits.hubPipeRecordsMax, bytesMax: limits.hubPipeBytesMax })
  let onRoom = (): void => {}

  const commit = (partition: number, offset: number): Promise<void> => {
    const act = (): Promise<void> => log.commit({ group, topic: from.topic, partition, offset })
    return closed.aborted ? act() : persist('committing the position', act)
  }
  const saver = createPositionSaver({ positions: window.positions, commit })

  const onSettled = ({ finished, refusal }: Verdict): void => {
    stats.settled(finished.processed.kind, refusal)
    if (refusal)
      logger.warn('a record was refused and put into quarantine', {
        code: refusal.code,
        partition: finished.entry.partition,
        offset: finished.entry.offset,
        path: refusal.path,
      })
    window.settle(finished.entry)
    saver.touch()
    onRoom()
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

  const onRecords = async (records: readonly LogRecord[]): Promise<void> => {
    for (const record of records) {
      while (!window.hasRoom() && !closed.aborted)
        await new Promise<void>((resolve) => {
          onRoom = resolve
        })
      if (closed.aborted) throw new Fault('closed', 'the pipe was closed')
      const opened = tryOpen(openRecord, record)
      const { partition, offset, value } = record
      const loadedBytes = bytesToLoad(definition, opened)
      const entry = { partition, offset, recordBytes: value.byteLength, loadedBytes }
      if (window.take(entry)) lanes.push(record.key, { record, opened, entry })
    }
  }
  const subscription = log.subscribe({ topic: from.topic, group, onRecords })

  return {
    name,
    view: () => ({ name, from: from.topic, lagRecords: subscription.lag() + window.size(), ...stats.view() }),
    async caughtUp({ timeoutMs = 30_000 } = {}) {
      await subscription.caughtUp({ timeoutMs })
      await saver.reached(new Map(window.taken()), timeoutMs)
    },
    async close() {
      closing.abort()
      onRoom()
      await subscription.close()
      await Promise.all([lanes.close(), batches.close()])
      await saver.close()
    },
  }
}
