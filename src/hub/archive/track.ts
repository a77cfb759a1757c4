import type { Statement } from '../../engines/tables/index.ts'
import { Fault, systemClock } from '../../kernel/index.ts'
import type { ArchiverOptions } from './archiver-options.ts'
import {
  advanceStatement,
  beginStatement,
  findTrimOffset,
  gapStatement,
  objectStatement,
  type Partition,
  planStatement,
  readPosition,
} from './book.ts'
import { listArchives } from './catalog.ts'
import { type ArchiveRange, toArchiveKey } from './key.ts'
import { openArchive } from './open.ts'
import { verifyArchive } from './read-object.ts'
import { rollArchive } from './roll.ts'
import { decideSurvey, emptySurvey, isDue, type Survey } from './survey.ts'

const READ_RECORDS = 512

/** One partition's way into the archive. `step` does one thing, and says whether there may be more to do at once. */
export type Track = { step(): Promise<boolean> }

export function createTrack(
  at: Partition,
  options: ArchiverOptions,
  holder: { stayHolder(): Promise<void>; commit(statements: readonly Statement[]): Promise<void> },
): Track {
  const { log, objects, tables, limits, logger, clock = systemClock } = options
  const { commit, stayHolder } = holder
  let survey: Survey | null = null
  let plannedEnd: number | null = null
  /** Objects that are still to be taken over lie from there on; what is made next must not reach into them. */
  let ceiling = Number.POSITIVE_INFINITY

  const boundsOf = async (): Promise<{ first: number; end: number }> =>
    (await log.bounds(at.topic))[at.partition] ?? { first: 0, end: 0 }
  const goTo = (next: number): void => {
    survey = emptySurvey(next)
    plannedEnd = null
  }
  const passGap = async (from: number, to: number, reason: string): Promise<void> => {
    logger.error('records are missing in the archive', { ...at, from, to, reason })
    await commit([
      gapStatement({ ...at, from, to, reason, noticedAtMs: clock.nowMs() }),
      advanceStatement(at, from, to),
    ])
    goTo(to)
  }

  /**
   * Takes over an object that `tables` do not know: of an archiver that died before it could say so, or they are older than
   * the objects. False when something is to be made from the log first, which still has it: what is missing before the object, or
   * the object itself, as it is damaged.
   */
  const adopt = async (range: ArchiveRange, next: number): Promise<boolean> => {
    const { first, end } = await boundsOf()
    if (range.first > next && first <= next) {
      ceiling = range.first
      return false
    }
    if (range.first > next) await passGap(next, range.first, 'neither the archive nor its tables know of these')
    const from = Math.max(next, range.first)
    await stayHolder()
    const damage = await verifyArchive({ objects, range, limits })
    if (damage !== null && first <= range.first && range.end <= end && from === range.first) {
      logger.warn('a damaged archive object is made anew from the log', { key: toArchiveKey(range), damage })
      await stayHolder()
      await objects.delete(toArchiveKey(range))
      await commit([planStatement(at, from, range.end)])
      ceiling = range.end
      return false
    }
    if (damage !== null)
      logger.error('an archive object is damaged, and the log has forgotten its records', { ...range, damage })
    const bytes = (await openArchive(objects, range)).summary?.bytes ?? 0
    await commit([objectStatement(at, { ...range, bytes }), advanceStatement(at, from, range.end)])
    return true
  }

  const begin = async (): Promise<void> => {
    await commit([beginStatement(at)])
    let next = (await readPosition(tables, at))?.next ?? 0
    const ranges = (await listArchives(objects, at)).filter(({ end }) => end > next)
    checkAhead(at, ranges.at(-1)?.end ?? next, (await boundsOf()).end)
    ceiling = Number.POSITIVE_INFINITY
    for (const range of ranges) {
      if (!(await adopt(range, next))) break
      next = range.end
    }
    const position = await readPosition(tables, at)
    survey = emptySurvey(position?.next ?? next)
    plannedEnd = position?.plannedEnd ?? null
  }

  /** Reads on until there is enough for an object, or the end. */
  const look = async (from: Survey): Promise<Survey> => {
    let seen = from
    const before = plannedEnd ?? ceiling
    const bytesMin = plannedEnd === null ? limits.hubArchiveBytesMin : Number.POSITIVE_INFINITY
    while (seen.bytes < bytesMin && seen.to < before) {
      await stayHolder()
      const records = await log.read({ topic: at.topic, partition: at.partition, from: seen.to, max: READ_RECORDS })
      if (records.length === 0) break
      const more = decideSurvey(seen, records, { bytesMin, before })
      if (more.records === seen.records) break
      seen = more
    }
    return seen
  }

  const roll = async (seen: Survey): Promise<void> => {
    if (plannedEnd !== seen.to) await commit([planStatement(at, seen.from, seen.to)])
    plannedEnd = seen.to
    const range = await rollArchive(at, seen, { log, objects, limits, onBlock: stayHolder })
    await commit([objectStatement(at, { ...range, bytes: seen.bytes }), advanceStatement(at, seen.from, seen.to)])
    goTo(seen.to)
    if (ceiling !== Number.POSITIVE_INFINITY) survey = null
    if (!options.trimmedTopics.includes(at.topic)) return
    const before = await findTrimOffset(tables, at, limits.logRetentionBytes)
    if (before === null) return
    const needed = options.neededFrom?.(at.topic, at.partition) ?? before
    await log.trim({ ...at, before: Math.min(before, needed) })
  }

  const step = async (): Promise<boolean> => {
    if (survey === null) await begin()
    const known = survey ?? emptySurvey(0)
    const { first, end } = await boundsOf()
    checkAhead(at, known.from, end)
    if (first > known.from) {
      await passGap(known.from, first, 'the log was trimmed before they were archived')
      return true
    }
    try {
      survey = await look(known)
    } catch (error) {
      const lost = error instanceof Fault && error.code === 'log-damaged' ? error.detail : null
      if (!lost) throw error
      return passDamage(known, { from: Number(lost['from']), to: Number(lost['to']) })
    }
    const seen: Survey = survey
    const isWanted = plannedEnd !== null || ceiling !== Number.POSITIVE_INFINITY
    if (isWanted ? seen.records === 0 : !isDue(seen, clock.nowMs(), limits)) return false
    await roll(seen)
    return true
  }

  /** What comes before damage in the log becomes an object of its own. */
  const passDamage = async (known: Survey, lost: { from: number; to: number }): Promise<boolean> => {
    plannedEnd = lost.from > known.from ? lost.from : null
    const before = plannedEnd === null ? known : await look(emptySurvey(known.from))
    if (before.records > 0) await roll(before)
    await passGap(before.records > 0 ? before.to : known.from, lost.to, 'the log is damaged there')
    return true
  }

  return { step }
}

function checkAhead({ topic, partition }: Partition, archivedTo: number, end: number): void {
  if (archivedTo <= end) return
  throw new Fault(
    'archive-ahead',
    `topic ${topic}, partition ${partition}: the archive goes to offset ${archivedTo}, expected a log that goes as far, got one that ends at ${end}; it was replaced or restored: move the archive away, or restore the log whole`,
  )
}
