import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { type Clock, describeError, Fault, type Limits, type Logger } from '../../kernel/index.ts'
import { errorCode, isFull, syncFile, syncParent, truncateFile, writeFully } from './files.ts'
import type { LogAppend, LogRecord } from './port.ts'
import { NO_HEADERS, RECORD_HEADER_BYTES, type RecordSizes, toLogRecord, writeRecord } from './record.ts'
import { createSegment, listSegments, type Segment } from './segment.ts'
import { createTail } from './tail.ts'
import { type WalkDamage, walkSegment } from './walk.ts'

/** Tails are kept for this many batches. */
const TAIL_BATCHES = 2
const DAMAGE_REMEMBERED_MAX = 1_000

/** Records that were (or may have been) acknowledged and are not there any more: offsets `from` to before `to`. */
export type LogDamage = {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly file: string
  readonly bytes: number
  readonly reason: string
  readonly noticedAtMs: number
}

export type Measured = { readonly record: LogAppend; readonly sizes: RecordSizes }

export type TopicRead = {
  readonly records: readonly LogRecord[]
  /** Where to go on. */
  readonly next: number
  /** Damage found where `from` points; `records` is empty then. */
  readonly lost: { readonly from: number; readonly to: number } | null
}

/** One topic's segments on disk. One `writeGroup` at a time; reads whenever. */
export type Topic = {
  readonly name: string
  first(): number
  /** The next offset; everything before it is durable. */
  end(): number
  /** Writes the records after one another with one write and one fdatasync. Faults: `log-full`, `log-unavailable`; nothing was appended then. */
  writeGroup(group: readonly Measured[]): Promise<readonly number[]>
  read(from: number, bounds: { max: number; bytesMax: number }): Promise<TopicRead>
  /** Makes offsets before `offset` count as used up and, where there are no such records, as lost. */
  skipTo(offset: number, reason: string): Promise<void>
  /** Deletes whole segments that hold nothing from `offset` on; never the active one. */
  dropBefore(offset: number): Promise<void>
  segments(): number
  damage(): readonly LogDamage[]
  close(): Promise<void>
}

export type TopicOptions = {
  readonly directory: string
  readonly name: string
  readonly limits: Pick<Limits, 'logSegmentBytes' | 'logBatchBytesMax'>
  /** Whole segments beyond this are deleted, oldest first; null keeps everything. */
  readonly retentionBytes: number | null
  readonly clock: Clock
  readonly logger: Logger
  /** Makes a descriptor's bytes durable; fdatasync unless a test has it fail. */
  readonly sync?: (descriptor: number) => Promise<void>
}

/** Opens a topic: cuts an unfinished append off its end, and reports what is damaged. A topic without a directory is empty. */
export async function openTopic(options: TopicOptions): Promise<Topic> {
  const topic = createTopic(options)
  await topic.recover()
  return topic
}

/** The same without the recovery, for a topic that is known to have no directory yet. */
export function createTopic(options: TopicOptions): Topic & { recover(): Promise<void> } {
  const { directory, name, limits, retentionBytes, clock, logger, sync = syncFile } = options
  const tail = createTail(limits.logBatchBytesMax * TAIL_BATCHES)
  const damages = new Map<number, LogDamage>()
  let segments: Segment[] = existsSync(directory) ? listSegments(directory) : []
  let end = segments.at(-1)?.first ?? 0
  /** What a failed write left to do before the next one. */
  let repair: 'none' | 'truncate' | 'replace' = 'none'

  const report = (range: { from: number; to: number; bytes: number; file: string; reason: string }): void => {
    if (damages.has(range.from) || damages.size >= DAMAGE_REMEMBERED_MAX) return
    damages.set(range.from, { topic: name, partition: 0, ...range, noticedAtMs: clock.nowMs() })
    logger.error('the log is damaged: records are lost', { topic: name, ...range })
  }

  const addSegment = async (first: number): Promise<Segment> => {
    if (!existsSync(directory)) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await syncParent(directory)
    }
    const segment = await createSegment(directory, first)
    segments = [...segments, segment]
    return segment
  }

  const skipTo = async (offset: number, reason: string): Promise<void> => {
    if (offset <= end) return
    report({ from: end, to: offset, bytes: 0, file: segments.at(-1)?.path ?? directory, reason })
    await addSegment(offset)
    end = offset
  }

  const cutTail = async (segment: Segment, damage: WalkDamage): Promise<void> => {
    segment.bytes = damage.fromPosition
    await segment.withFile(async (descriptor) => {
      await truncateFile(descriptor, damage.fromPosition)
      await sync(descriptor)
    })
    const bytes = damage.toPosition - damage.fromPosition
    if (damage.incomplete) {
      logger.info('cut an append that never finished off the end of the log', { topic: name, bytes })
      return
    }
    // Whole bytes that do not check out may be a write that power loss tore, or an acknowledged record that was damaged
    // later. Nobody can tell, so they count as lost, and their offsets are not used again.
    logger.warn('cut bytes that are no record off the end of the log', { topic: name, bytes })
    // Bytes without a readable header may have held as many records as headers fit.
    const mayHaveHeld = Math.floor(damage.unexplainedBytes / RECORD_HEADER_BYTES)
    const next = Math.max(end + 1, Math.max(end, damage.highestSeen + 1) + mayHaveHeld)
    await skipTo(next, 'bytes at the end of the log that are no valid record')
  }

  const recover = async (): Promise<void> => {
    const segment = segments.at(-1)
    if (!segment) return
    const cuts: WalkDamage[] = []
    await walkSegment(
      segment,
      { offset: segment.first, position: 0 },
      {
        onRecord(_buffer, _at, header, position) {
          segment.remember(header.offset, position)
          end = header.offset + 1
          return true
        },
        onDamage(damage) {
          if (damage.to === null) cuts.push(damage)
          else report(toRange(damage, damage.to, segment.path))
          return true
        },
      },
    )
    for (const cut of cuts) await cutTail(segment, cut)
  }

  const mend = async (): Promise<void> => {
    const segment = segments.at(-1)
    if (repair === 'none' || !segment) return
    if (repair === 'truncate') {
      await segment.withFile((descriptor) => truncateFile(descriptor, segment.bytes))
    } else {
      // After a failed fdatasync the kernel may call lost pages clean: that file takes no more writes.
      await segment.withFile((descriptor) => truncateFile(descriptor, segment.bytes)).catch(() => {})
      // Two segments must not begin at one offset with bytes in both.
      if (segment.bytes === 0) {
        await segment.remove()
        segments = segments.filter((one) => one !== segment)
      }
      await addSegment(end)
    }
    repair = 'none'
  }

  const trim = async (): Promise<void> => {
    if (retentionBytes === null) return
    let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
    let keepFrom = 0
    for (const segment of segments.slice(0, -1)) {
      if (bytes <= retentionBytes) break
      bytes -= segment.bytes
      keepFrom = segments[segments.indexOf(segment) + 1]?.first ?? 0
    }
    if (keepFrom > 0) await dropBefore(keepFrom)
  }

  const dropBefore = async (offset: number): Promise<void> => {
    const kept = segments.filter(
      (_, index) => index === segments.length - 1 || (segments[index + 1]?.first ?? 0) > offset,
    )
    const dropped = segments.filter((segment) => !kept.includes(segment))
    segments = kept
    for (const [index, segment] of dropped.entries()) {
      try {
        await segment.remove()
      } catch (error) {
        if (errorCode(error) === 'ENOENT') {
          await segment.close()
          continue
        }
        logger.warn('a segment that is no longer needed could not be deleted; it and those after it stay for now', {
          file: segment.path,
          error: describeError(error),
        })
        // Oldest first and none left out: a hole between two files would read as records that were lost.
        segments = [...dropped.slice(index), ...segments].sort((a, b) => a.first - b.first || a.bytes - b.bytes)
        return
      }
    }
  }

  const activeSegment = async (): Promise<Segment> => {
    const last = segments.at(-1)
    if (last && last.bytes < limits.logSegmentBytes) return last
    const next = await addSegment(end)
    if (last) await trim()
    return next
  }

  const write = async (segment: Segment, buffer: Buffer): Promise<void> => {
    await segment.withFile(async (descriptor) => {
      repair = 'truncate'
      await writeFully(descriptor, buffer, segment.bytes)
      repair = 'replace'
      await sync(descriptor)
      repair = 'none'
    })
  }

  const writeGroup: Topic['writeGroup'] = async (group) => {
    try {
      await mend()
      const segment = await activeSegment()
      const meta = { topic: name, first: end, appendedAtMs: clock.nowMs(), salt: segment.salt }
      const { buffer, records } = encodeGroup(group, meta)
      await write(segment, buffer)
      segment.remember(end, segment.bytes)
      segment.bytes += buffer.byteLength
      end += group.length
      tail.push(
        records,
        group.map(({ sizes }) => sizes.totalBytes),
      )
      return records.map((record) => record.offset)
    } catch (error) {
      await mend().catch(() => {})
      throw toWriteFault(error, name)
    }
  }

  const read: Topic['read'] = async (from, bounds) => {
    let at = Math.max(from, segments[0]?.first ?? 0)
    while (at < end) {
      const remembered = tail.read(at, bounds)
      if (remembered) return { records: remembered, next: (remembered.at(-1)?.offset ?? at) + 1, lost: null }
      const index = segments.findLastIndex((segment) => segment.first <= at)
      const segment = segments[index]
      if (!segment) break
      const limit = segments[index + 1]?.first ?? end
      try {
        const found = await readSegment(segment, { from: at, limit, ...bounds, topic: name, report })
        if (found.records.length > 0 || found.lost) return found
        at = limit
      } catch (error) {
        // Trimmed while it was being read: what is left begins later.
        if (segments.includes(segment)) throw toReadFault(error, name)
        at = Math.max(at, segments[0]?.first ?? 0)
      }
    }
    return { records: [], next: at, lost: null }
  }

  return {
    recover,
    name,
    first: () => segments[0]?.first ?? 0,
    end: () => end,
    writeGroup,
    read,
    skipTo,
    dropBefore,
    segments: () => segments.length,
    damage: () => [...damages.values()],
    async close() {
      tail.clear()
      for (const segment of segments) await segment.close()
    },
  }
}

type Report = (range: { from: number; to: number; bytes: number; file: string; reason: string }) => void

/** Reads one segment from `from` up to `limit`, both offsets. Every damage met on the way is reported. */
async function readSegment(
  segment: Segment,
  want: { from: number; limit: number; max: number; bytesMax: number; topic: string; report: Report },
): Promise<TopicRead> {
  const { from, limit, max, bytesMax, topic, report } = want
  const records: LogRecord[] = []
  let bytes = 0
  let next = from
  let lost: TopicRead['lost'] = null
  let stopped = false
  const stop = (): false => {
    stopped = true
    return false
  }
  const onLoss = (range: { from: number; to: number; bytes: number; file: string; reason: string }): boolean => {
    report(range)
    if (range.to <= from) return true
    if (records.length === 0) {
      lost = { from: Math.max(range.from, from), to: range.to }
      next = range.to
    }
    return stop()
  }
  // Appends go on while this reads: what is durable now is what is read.
  const source = { salt: segment.salt, bytes: segment.bytes, read: segment.read }
  await walkSegment(source, segment.place(from), {
    onRecord(buffer, at, header, position) {
      if (header.offset >= limit) return stop()
      segment.remember(header.offset, position)
      if (header.offset < from) return true
      bytes += RECORD_HEADER_BYTES + header.bodyBytes
      if (records.length >= max || (records.length > 0 && bytes > bytesMax)) return stop()
      records.push(toLogRecord(buffer, at, header, topic))
      next = header.offset + 1
      return true
    },
    onDamage: (damage) => onLoss(toRange(damage, Math.min(damage.to ?? limit, limit), segment.path)),
  })
  if (!stopped && next < limit)
    onLoss({
      from: next,
      to: limit,
      bytes: 0,
      file: segment.path,
      reason: 'records are missing at the end of a segment',
    })
  return { records, next, lost }
}

function toRange(damage: WalkDamage, to: number, file: string) {
  const bytes = damage.toPosition - damage.fromPosition
  const reason = bytes > 0 ? 'bytes that are no valid record' : 'records are missing between two others'
  return { from: damage.from, to, bytes, file, reason }
}

function encodeGroup(
  group: readonly Measured[],
  meta: { topic: string; first: number; appendedAtMs: number; salt: number },
): { buffer: Buffer; records: LogRecord[] } {
  const { topic, first, appendedAtMs, salt } = meta
  const buffer = Buffer.allocUnsafeSlow(group.reduce((sum, { sizes }) => sum + sizes.totalBytes, 0))
  let end = 0
  const records = group.map(({ record, sizes }, index): LogRecord => {
    const offset = first + index
    end = writeRecord(buffer, end, record, { sizes, offset, appendedAtMs, salt })
    // The value is a view on our own copy: the caller may use its buffer again.
    const value = buffer.subarray(end - record.value.byteLength, end)
    const headers = record.headers ? { ...record.headers } : NO_HEADERS
    return { topic, partition: 0, offset, appendedAtMs, key: record.key, headers, value }
  })
  return { buffer, records }
}

function toWriteFault(error: unknown, topic: string): Fault {
  if (error instanceof Fault) return error
  if (isFull(error))
    return new Fault(
      'log-full',
      `topic ${topic}: there is no room on the disk for the append (${errorCode(error)}); nothing was appended; free space and retry`,
      { cause: error, detail: { topic } },
    )
  return new Fault(
    'log-unavailable',
    `topic ${topic}: the append could not be made durable, expected a working disk, got: ${describeError(error)}; check the disk and retry`,
    { cause: error, detail: { topic } },
  )
}

function toReadFault(error: unknown, topic: string): Fault {
  if (error instanceof Fault) return error
  return new Fault('log-unavailable', `topic ${topic}: the disk could not be read: ${describeError(error)}`, {
    cause: error,
    detail: { topic },
  })
}
