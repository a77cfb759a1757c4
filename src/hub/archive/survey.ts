import type { LogRecord } from '../../engines/log/index.ts'
import type { Limits } from '../../kernel/index.ts'
import { measureRecord } from './block.ts'

/** What is known of the records from `from` to before `to`, which wait to be archived. */
export type Survey = {
  readonly from: number
  readonly to: number
  readonly records: number
  readonly bytes: number
  readonly earliestMs: number
  readonly latestMs: number
}

export type SurveyLimits = Pick<Limits, 'hubArchiveBytesMin' | 'hubArchiveAgeMs'>

export const emptySurvey = (from: number): Survey => ({
  from,
  to: from,
  records: 0,
  bytes: 0,
  earliestMs: Number.POSITIVE_INFINITY,
  latestMs: Number.NEGATIVE_INFINITY,
})

/** With the next records, as many as an object still takes. Records from `before` on are left out. */
export function decideSurvey(
  survey: Survey,
  records: readonly LogRecord[],
  bounds: { readonly bytesMin: number; readonly before: number },
): Survey {
  let { to, records: count, bytes, earliestMs, latestMs } = survey
  for (const record of records) {
    if (bytes >= bounds.bytesMin || record.offset >= bounds.before) break
    to = record.offset + 1
    count += 1
    bytes += measureRecord(record)
    earliestMs = Math.min(earliestMs, record.appendedAtMs)
    latestMs = Math.max(latestMs, record.appendedAtMs)
  }
  return { from: survey.from, to, records: count, bytes, earliestMs, latestMs }
}

/** Whether it is time to make an object of them. */
export function isDue(survey: Survey, nowMs: number, limits: SurveyLimits): boolean {
  if (survey.records === 0) return false
  return survey.bytes >= limits.hubArchiveBytesMin || nowMs - survey.earliestMs >= limits.hubArchiveAgeMs
}
