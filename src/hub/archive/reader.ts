import type { LogPort, LogRecord } from '../../engines/log/index.ts'
import type { ObjectsPort } from '../../engines/objects/index.ts'
import { Fault, type Limits, type Logger } from '../../kernel/index.ts'
import { findOldestArchive, listArchives } from './catalog.ts'
import { findPosition } from './position.ts'
import { readArchive } from './read-object.ts'

const READ_RECORDS = 512

export type ArchiveReaderLimits = Pick<Limits, 'hubArchiveBlockBytes' | 'hubSearchSkewMs' | 'logRecordBytesMax'>
export type ArchiveReaderOptions = {
  readonly log: Pick<LogPort, 'read' | 'bounds'>
  readonly objects: ObjectsPort
  readonly limits: ArchiveReaderLimits
  readonly logger: Logger
}

/** Offsets whose records are lost, or were never archived; `from` equals `to` where an object is damaged and no record is lost. */
export type ArchiveLoss = { readonly from: number; readonly to: number; readonly reason: string }

export type ArchiveRead = {
  readonly topic: string
  readonly partition?: number
  /** The first offset; 0 when neither this nor a time is given. */
  readonly from?: number
  /** Only records that were appended from then on, and before then. */
  readonly fromMs?: number
  readonly toMs?: number
  /** To before which offset; the log's end at the time of the call when absent. */
  readonly until?: number
  /** Goes on behind what is lost instead of faulting. It is told in any case. */
  readonly skipDamaged?: boolean
  readonly onLoss?: (loss: ArchiveLoss) => void
}

export type ArchiveReader = {
  /**
   * The records of one partition in order, each once: from the log what it has, from the archive what it has not, without a
   * gap or a repeat where they meet. Records that are good come before the Fault `archive-damaged`, whose `detail` names the
   * offsets lost (`from` to before `to`): read on from `to`, or with `skipDamaged`.
   */
  read(options: ArchiveRead): AsyncGenerator<readonly LogRecord[]>
  /** An offset at or before the first record that was appended at `atMs` or later; the end when there is none. */
  positionAt(options: { topic: string; partition: number; atMs: number }): Promise<number>
  /** The partitions of a topic, and the first offset and the end of what can be read of each. */
  bounds(topic: string): Promise<Readonly<Record<number, { readonly first: number; readonly end: number }>>>
}

type Step = { readonly records: readonly LogRecord[]; readonly next: number; readonly loss: ArchiveLoss | null }

export function createArchiveReader(options: ArchiveReaderOptions): ArchiveReader {
  const { log, objects, limits, logger } = options

  async function boundsOf(topic: string, partition: number): Promise<{ first: number; end: number }> {
    return (await log.bounds(topic))[partition] ?? { first: 0, end: 0 }
  }
  const positionAt: ArchiveReader['positionAt'] = (wanted) => findPosition(options, wanted)

  async function* readPartition(
    at: { topic: string; partition: number },
    from: number,
    until: number,
  ): AsyncGenerator<Step> {
    let next = from
    while (next < until) {
      const { first, end } = await boundsOf(at.topic, at.partition)
      const steps = next >= first ? readLog(options, at, { from: next, end }) : readObjects(options, at, next, first)
      const before = next
      for await (const step of steps) {
        next = step.next
        yield cutAt(step, until)
        // At the end itself an object may still tell that it is damaged.
        if (next > until) return
      }
      // Elsewhere no progress means that the log was trimmed in this moment, and the archive goes on, or the other way round.
      if (next === before && next >= end) return
    }
  }

  async function* read(wanted: ArchiveRead): AsyncGenerator<readonly LogRecord[]> {
    const { topic, partition = 0, fromMs, toMs = Number.POSITIVE_INFINITY, skipDamaged = false } = wanted
    const at = { topic, partition }
    const skewMs = limits.hubSearchSkewMs
    const start = fromMs === undefined ? 0 : await positionAt({ ...at, atMs: fromMs - skewMs })
    const until = wanted.until ?? (await boundsOf(topic, partition)).end
    const isWanted = ({ appendedAtMs }: LogRecord): boolean => appendedAtMs >= (fromMs ?? 0) && appendedAtMs < toMs
    const isTimed = fromMs !== undefined || wanted.toMs !== undefined
    for await (const { records, loss } of readPartition(at, Math.max(wanted.from ?? 0, start), until)) {
      const given = isTimed ? records.filter(isWanted) : records
      if (given.length > 0) yield given
      if (records.length > 0 && records.every(({ appendedAtMs }) => appendedAtMs >= toMs + skewMs)) return
      if (loss === null) continue
      logger.error('records of a topic cannot be read any more', { ...at, ...loss })
      wanted.onLoss?.(loss)
      if (!skipDamaged) throw toFault(at, loss)
    }
  }

  return {
    read,
    positionAt,
    async bounds(topic) {
      const ofLog = Object.entries(await log.bounds(topic))
      const all = ofLog.map(async ([name, { first, end }]) => {
        const oldest = await findOldestArchive(objects, { topic, partition: Number(name) })
        return [name, { first: Math.min(first, oldest?.first ?? first), end }] as const
      })
      return Object.fromEntries(await Promise.all(all))
    },
  }
}

/** Without what lies from `until` on. */
function cutAt(step: Step, until: number): Step {
  const isBehind = step.loss !== null && step.loss.from >= until && step.loss.to > step.loss.from
  return {
    records: step.records.filter(({ offset }) => offset < until),
    next: step.next,
    loss: isBehind ? null : step.loss,
  }
}

type At = { readonly topic: string; readonly partition: number }

/** The next records of the log; where it is damaged, the archive's, if they are there. */
async function* readLog(
  { log, objects, limits }: ArchiveReaderOptions,
  at: At,
  { from, end }: { from: number; end: number },
): AsyncGenerator<Step> {
  try {
    const records = await log.read({ ...at, from, max: READ_RECORDS })
    const last = records.at(-1)
    // Trimmed in this moment: what was there is in the archive.
    if ((records[0]?.offset ?? from) > from && ((await log.bounds(at.topic))[at.partition]?.first ?? 0) > from)
      return yield { records: [], next: from, loss: null }
    yield { records, next: last ? last.offset + 1 : end, loss: null }
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'log-damaged') throw error
    const to = Number(error.detail['to'])
    const range = (await listArchives(objects, at)).find(({ first, end: rangeEnd }) => first <= from && from < rangeEnd)
    if (!range) return yield { records: [], next: to, loss: { from, to, reason: 'the log is damaged there' } }
    for await (const piece of readArchive({ objects, range, limits }, from)) {
      // The log knows the rest.
      const next = Math.min(piece.kind === 'lost' ? piece.to : piece.next, to)
      if (piece.kind === 'lost') yield { records: [], next, loss: { ...piece, to: next } }
      else yield { records: piece.records.filter(({ offset }) => offset < to), next, loss: null }
      if (next >= to) return
    }
  }
}

/** What the log has forgotten. `first` is where it begins. */
async function* readObjects(
  { objects, limits }: ArchiveReaderOptions,
  at: At,
  from: number,
  first: number,
): AsyncGenerator<Step> {
  let next = from
  for (const range of await listArchives(objects, at)) {
    if (range.end <= next) continue
    if (next >= first) return
    if (range.first > next) {
      const to = Math.min(range.first, first)
      yield { records: [], next: to, loss: { from: next, to, reason: NOT_ARCHIVED } }
      next = to
      if (next >= first) return
    }
    for await (const piece of readArchive({ objects, range, limits }, next)) {
      if (piece.kind === 'records') {
        next = piece.next
        yield { records: piece.records, next, loss: null }
        continue
      }
      // What the log still has is not lost.
      const isInLog = piece.to > first && piece.from < piece.to
      if (isInLog && piece.from >= first) return yield { records: [], next: piece.from, loss: null }
      next = isInLog ? first : piece.to
      yield { records: [], next, loss: { ...piece, to: next } }
      if (isInLog) return
    }
  }
  if (next < first) yield { records: [], next: first, loss: { from: next, to: first, reason: NOT_ARCHIVED } }
}

const NOT_ARCHIVED = 'neither the log nor the archive has them'

function toFault({ topic, partition }: At, { from, to, reason }: ArchiveLoss): Fault {
  const what = from === to ? 'an archive object is damaged, no record is lost' : 'records are lost'
  return new Fault(
    'archive-damaged',
    `topic ${topic}, partition ${partition}: ${what}, from offset ${from} to before ${to} (${reason}); go on at ${to}, or skip what is damaged`,
    { detail: { topic, partition, from, to, reason } },
  )
}
