import { type Clock, Fault, type Limits } from '../../kernel/index.ts'
import type { LogAppend } from './port.ts'
import { measureRecord, RECORD_PART_BYTES_MAX } from './record.ts'
import type { Measured, Topic } from './topic.ts'

const SWEEP_MS = 100
/** Appends waiting for one topic's disk may hold this many batches; more are refused. */
const QUEUE_BATCHES_MAX = 16
/** A group this large says that many are appending: then waiting for company saves more than it costs. */
const CROWD = 8

export type GroupCommitLimits = Pick<
  Limits,
  'logBatchBytesMax' | 'logRecordBytesMax' | 'logGroupCommitMs' | 'logAppendTimeoutMs'
>

/** Gathers appends to one topic into groups, each made durable by one write and one fdatasync. */
export type GroupCommit = {
  append(records: readonly LogAppend[]): Promise<readonly number[]>
  /** Takes no more; resolves when what was taken is settled. */
  close(): Promise<void>
}

type Pending = {
  readonly measured: readonly Measured[]
  readonly bytes: number
  readonly deadlineMs: number
  readonly resolve: (offsets: readonly number[]) => void
  readonly reject: (fault: Fault) => void
}

/**
 * How long the next group waits for company, ms. While a group is being written the next one gathers by itself, and a
 * lone append must not wait at all; only a crowd is worth a wait, and never more than `logGroupCommitMs`.
 */
export function decideGatherMs(state: { lastGroup: number; waiting: number; logGroupCommitMs: number }): number {
  const { lastGroup, waiting, logGroupCommitMs } = state
  return lastGroup >= CROWD && waiting < lastGroup / 2 ? Math.min(1, logGroupCommitMs) : 0
}

export function createGroupCommit(options: {
  topic: Topic
  limits: GroupCommitLimits
  clock: Clock
  /** Called after each durable group. */
  onEnd: () => void
}): GroupCommit {
  const { topic, limits, clock, onEnd } = options
  const queueBytesMax = Math.max(limits.logBatchBytesMax * QUEUE_BATCHES_MAX, limits.logRecordBytesMax)
  let queue: Pending[] = []
  let queuedBytes = 0
  let group: Pending[] = []
  let running: Promise<void> | null = null
  let closed = false

  const sweep = (): void => {
    const now = clock.elapsedMs()
    const late = ({ deadlineMs }: Pending): boolean => deadlineMs <= now
    for (const pending of [...group, ...queue].filter(late)) pending.reject(toTimeout(topic.name, limits))
    queue = queue.filter((pending) => !late(pending))
    queuedBytes = queue.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  const takeGroup = (): Pending[] => {
    const { count, bytes } = measureBatch(queue, limits.logBatchBytesMax)
    queuedBytes -= bytes
    return queue.splice(0, count)
  }

  const commit = async (): Promise<void> => {
    const taken = group
    try {
      const offsets = await topic.writeGroup(taken.flatMap(({ measured }) => measured))
      let at = 0
      for (const { measured, resolve } of taken) {
        resolve(offsets.slice(at, at + measured.length))
        at += measured.length
      }
      onEnd()
    } catch (error) {
      for (const { reject } of taken) reject(error as Fault)
    }
  }

  const run = async (): Promise<void> => {
    const sweeper = setInterval(sweep, SWEEP_MS)
    // Everything called in this turn of the event loop goes into the first group.
    await nextTurn()
    while (queue.length > 0) {
      const { logGroupCommitMs } = limits
      const gatherMs = decideGatherMs({ lastGroup: group.length, waiting: queue.length, logGroupCommitMs })
      await (gatherMs > 0 ? wait(gatherMs) : nextTurn())
      group = takeGroup()
      await commit()
    }
    group = []
    clearInterval(sweeper)
    running = null
  }

  return {
    append(records) {
      if (closed) return Promise.reject(new Fault('log-unavailable', `topic ${topic.name}: the log is closed`))
      if (records.length === 0) return Promise.resolve([])
      const measured = records.map((record) => ({ record, sizes: measureRecord(record) }))
      const bytes = measured.reduce((sum, { sizes }) => sum + sizes.totalBytes, 0)
      const refused = checkSizes(topic.name, measured, bytes, limits)
      if (refused) return Promise.reject(refused)
      if (queuedBytes + bytes > queueBytesMax)
        return Promise.reject(
          new Fault(
            'log-unavailable',
            `topic ${topic.name}: ${queuedBytes} bytes wait for the disk, the limit is ${queueBytesMax}; retry later`,
          ),
        )
      return new Promise((resolve, reject) => {
        const deadlineMs = clock.elapsedMs() + limits.logAppendTimeoutMs
        queue.push({ measured, bytes, deadlineMs, resolve, reject })
        queuedBytes += bytes
        running ??= run()
      })
    },
    async close() {
      closed = true
      await running
    },
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** How much of a queue's front goes into one batch: what fits, and the first in any case. Also the store's client's messages. */
export function measureBatch(
  queue: readonly { readonly bytes: number }[],
  bytesMax: number,
): { count: number; bytes: number } {
  let bytes = 0
  let count = 0
  for (const pending of queue) {
    if (count > 0 && bytes + pending.bytes > bytesMax) break
    bytes += pending.bytes
    count += 1
  }
  return { count, bytes }
}

/** Also asked by the store's client, so that what can never be taken does not travel. */
export function checkSizes(
  topic: string,
  measured: readonly Measured[],
  bytes: number,
  limits: Pick<Limits, 'logRecordBytesMax'>,
): Fault | null {
  const fault = (what: string): Fault => new Fault('record-too-large', `topic ${topic}: ${what}`, { detail: { topic } })
  if (bytes > limits.logRecordBytesMax)
    return fault(
      `an append of ${measured.length} records takes ${bytes} bytes, expected at most logRecordBytesMax ${limits.logRecordBytesMax}; put large payloads into objects and append their key`,
    )
  for (const { sizes } of measured)
    if (sizes.keyBytes > RECORD_PART_BYTES_MAX || sizes.headersBytes > RECORD_PART_BYTES_MAX)
      return fault(
        `a record has a key of ${sizes.keyBytes} and headers of ${sizes.headersBytes} bytes, expected at most ${RECORD_PART_BYTES_MAX} each`,
      )
  return null
}

function toTimeout(topic: string, limits: GroupCommitLimits): Fault {
  return new Fault(
    'timeout',
    `topic ${topic}: the disk did not make an append durable within ${limits.logAppendTimeoutMs} ms; it may still happen; check the disk`,
    { detail: { topic } },
  )
}
