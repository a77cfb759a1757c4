import type { ObjectiveResult, StormReport } from './report.ts'

/** Figures and verdicts as people read them: the same words on the terminal and on the page. */

/** `4.2 ms`, `412 ms`, `1,240 ms`, `12.4 s`. */
export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${toFigure(ms / 1000, 1)} s`
  return `${toFigure(ms, ms < 1000 ? 1 : 0)} ms`
}

/** `0%`, `0.04%`, `12.3%`. What is not quite all or nothing never reads as if it were. */
export function formatRatio(ratio: number): string {
  const percent = ratio * 100
  if (percent > 0 && percent < 1) return `${percent.toLocaleString('en-US', { maximumSignificantDigits: 2 })}%`
  if (percent < 100 && percent > 99.9) return `${toFigure(Math.floor(percent * 1000) / 1000, 3)}%`
  return `${toFigure(percent, 1)}%`
}

/** `12,345`. */
export function formatCount(count: number): string {
  return toFigure(count, 0)
}

/** `12.3k`, `4.6M`: for the ticks of an axis and for narrow lines. */
export function formatShort(value: number): string {
  if (value >= 1e6) return `${toFigure(value / 1e6, 1)}M`
  if (value >= 10_000) return `${toFigure(value / 1000, 1)}k`
  return toFigure(value, value < 10 ? 2 : 0)
}

/** `3.4 MB`, powers of 1000 as disks and networks count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return `${toFigure(value, step === 0 || value >= 100 ? 0 : 1)} ${units[step]}`
}

/** `0:20.4`: a moment of the storm. */
export function formatMoment(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100))
  const seconds = Math.floor(tenths / 10)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}.${tenths % 10}`
}

/** A value in an objective's unit. */
export function formatMeasure(value: number, unit: ObjectiveResult['unit']): string {
  if (unit === 'ms') return formatMs(value)
  return unit === 'ratio' ? formatRatio(value) : formatCount(value)
}

/** `at most 500 ms`, `at least 90%`, `none allowed`. */
export function formatLimit(objective: Pick<ObjectiveResult, 'limit' | 'bound' | 'unit'>): string {
  if (objective.bound === 'max' && objective.limit === 0) return 'none allowed'
  return `${objective.bound === 'max' ? 'at most' : 'at least'} ${formatMeasure(objective.limit, objective.unit)}`
}

export const OUTCOME_WORDS: Readonly<Record<ObjectiveResult['outcome'], string>> = {
  met: 'met',
  missed: 'missed',
  'not-measured': 'not measured',
}

/** `1 request`, `8,210 requests`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** `Failed: 2 of 11 objectives missed, 1 not measured`. What was not measured is said, since it is not met either. */
export function verdictLine(report: Pick<StormReport, 'verdict' | 'objectives' | 'invalidBecause'>): string {
  if (report.verdict === 'invalid') {
    const [first = 'no reason was recorded', ...others] = report.invalidBecause
    return `Invalid: ${first}${others.length > 0 ? `, and ${plural(others.length, 'reason')} more` : ''}`
  }
  const all = report.objectives.length
  const countOf = (outcome: ObjectiveResult['outcome']): number =>
    report.objectives.filter((objective) => objective.outcome === outcome).length
  const unmeasured = countOf('not-measured') > 0 ? `, ${formatCount(countOf('not-measured'))} not measured` : ''
  if (report.verdict === 'failed') {
    return `Failed: ${countOf('missed')} of ${plural(all, 'objective')} missed${unmeasured}`
  }
  if (all === 0) return 'Passed: no objective was set'
  return unmeasured === ''
    ? `Passed: ${all === 1 ? 'its one objective' : `all ${all} objectives`} met`
    : `Passed: ${countOf('met')} of ${plural(all, 'objective')} met${unmeasured}`
}

/** Played and stalled, as the share of time that stalled; null when nobody played. */
export function rebufferRatio(totals: { readonly playedMs: number; readonly stalledMs: number }): number | null {
  const watchedMs = totals.playedMs + totals.stalledMs
  return watchedMs > 0 ? totals.stalledMs / watchedMs : null
}

function toFigure(value: number, digits: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}
