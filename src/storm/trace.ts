import { Fault } from '../kernel/index.ts'
import { peakPerSecond as peakOf } from './arrivals.ts'
import type { Phase, Scenario } from './scenario.ts'

const MINUTE_MS = 60_000
const HEADER = 'period,count'
const ROW = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::\d{2})?,(\d{1,12})$/
/** Two years of minutes: 16 MB. */
const MINUTES_MAX = 2 * 366 * 24 * 60
/** So many faults are told; a file of another kind has one in every line. */
const FAULTS_TOLD_MAX = 10
/** More ramps than this cannot be told apart in a storm of a minute. */
const RAMPS_MAX = 30
const DEFAULT_MINUTES = 120

/** Requests per minute, without gaps: a minute that the file leaves out counts 0. */
export type Trace = {
  /** Minutes since 1970-01-01 00:00, in the file's own time zone. */
  readonly firstMinute: number
  readonly counts: Float64Array
}

export type TraceWindow = {
  /** Such as "1998-06-30 20:00"; by default the window that has the highest minute in its middle. */
  readonly from?: string
  readonly minutes?: number
}

/** Reads `period,count`, one row a minute, rising. Fault `trace-invalid` with the lines at fault. */
export function parseTrace(csvText: string): Trace {
  const lines = csvText.replace(/^\uFEFF/, '').split(/\r?\n/)
  const [header = '', ...rows] = lines
  const faults = header.trim() === HEADER ? [] : [`line 1: expected the header "${HEADER}", got ${quote(header)}`]
  const minutes: number[] = []
  const counts: number[] = []
  for (const [at, line] of rows.entries()) {
    if (line === '' || faults.length >= FAULTS_TOLD_MAX) continue
    const row = toRow(line)
    const latest = minutes.at(-1)
    if (row === null) faults.push(`line ${at + 2}: expected "YYYY-MM-DD HH:MM:SS,COUNT", got ${quote(line)}`)
    else if (latest !== undefined && row.minute <= latest)
      faults.push(`line ${at + 2}: expected a later minute than the line before, got ${quote(line)}`)
    else {
      minutes.push(row.minute)
      counts.push(row.count)
    }
  }
  const [firstMinute = 0, lastMinute = firstMinute] = [minutes[0], minutes.at(-1)]
  if (faults.length === 0 && minutes.length < 2) faults.push(`expected at least two rows, got ${minutes.length}`)
  if (lastMinute - firstMinute >= MINUTES_MAX)
    faults.push(`expected at most ${MINUTES_MAX} minutes, got ${lastMinute - firstMinute + 1}; cut the file`)
  if (faults.length > 0) throw new Fault('trace-invalid', `the trace cannot be used:\n  ${faults.join('\n  ')}`)
  const whole = new Float64Array(lastMinute - firstMinute + 1)
  for (const [at, minute] of minutes.entries()) whole[minute - firstMinute] = counts[at] ?? 0
  return { firstMinute, counts: whole }
}

/**
 * A window of the trace, compressed into `durationMs`: ramps between means of its minutes, so scaled that the highest of
 * them is `peakPerSecond`. Fault `trace-window` for a window that the trace does not have, or in which nothing happens.
 */
export function toPhases(
  trace: Trace,
  options: TraceWindow & {
    readonly durationMs: number
    readonly peakPerSecond: number
    readonly baselinePerSecond: number
  },
): Phase[] {
  const { from, minutes } = windowOf(trace, options)
  const ramps = Math.min(RAMPS_MAX, minutes - 1)
  const levels = Array.from({ length: ramps + 1 }, (_, knot) => meanAround(trace, from, minutes, knot / ramps, ramps))
  const highest = Math.max(...levels)
  if (highest === 0)
    throw new Fault(
      'trace-window',
      `the trace counts nothing from ${toPeriod(trace.firstMinute + from)} on; choose another window`,
    )
  const scale = options.peakPerSecond / options.baselinePerSecond / highest
  return Array.from({ length: ramps }, (_, ramp) => ({
    name: toPeriod(trace.firstMinute + from + Math.round((ramp / ramps) * (minutes - 1))).slice(11),
    durationMs: options.durationMs / ramps,
    arrivals: { from: (levels[ramp] ?? 0) * scale, to: (levels[ramp + 1] ?? 0) * scale },
  }))
}

/** The scenario with its arrivals by the trace: as long, with the same peak, and the premiere ends when it did. */
export function withTrace(scenario: Scenario, trace: Trace, window: TraceWindow = {}): Scenario {
  const durationMs = scenario.phases.reduce((sum, phase) => sum + phase.durationMs, 0)
  const { baselinePerSecond } = scenario
  const phases = toPhases(trace, { ...window, durationMs, baselinePerSecond, peakPerSecond: peakOf(scenario) })
  const endings = new Map<number, Phase['premiereEnds']>()
  let beganMs = 0
  for (const { durationMs: lengthMs, premiereEnds } of scenario.phases) {
    if (premiereEnds)
      endings.set(Math.min(phases.length - 1, Math.round((beganMs / durationMs) * phases.length)), premiereEnds)
    beganMs += lengthMs
  }
  return {
    ...scenario,
    phases: phases.map((phase, at) => {
      const premiereEnds = endings.get(at)
      return premiereEnds === undefined ? phase : { ...phase, premiereEnds }
    }),
  }
}

function windowOf(
  trace: Trace,
  { from: wanted, minutes = DEFAULT_MINUTES }: TraceWindow,
): { from: number; minutes: number } {
  const { counts, firstMinute } = trace
  if (!Number.isInteger(minutes) || minutes < 2 || minutes > counts.length)
    throw new Fault('trace-window', `expected 2 to ${counts.length} minutes, which the trace has; got ${minutes}`)
  const latest = counts.length - minutes
  if (wanted === undefined) {
    const peak = counts.reduce((best, count, at) => (count > (counts[best] ?? 0) ? at : best), 0)
    return { from: Math.min(latest, Math.max(0, peak - Math.floor(minutes / 2))), minutes }
  }
  const from = (toMinute(wanted) ?? Number.NaN) - firstMinute
  if (from >= 0 && from <= latest) return { from, minutes }
  throw new Fault(
    'trace-window',
    `expected a beginning from "${toPeriod(firstMinute)}" to "${toPeriod(firstMinute + latest)}", so that ${minutes} minutes follow; got ${quote(wanted)}`,
  )
}

/** The mean of the minutes nearest to one knot, none of them outside the window. */
function meanAround({ counts }: Trace, from: number, minutes: number, place: number, ramps: number): number {
  const middle = from + place * (minutes - 1)
  const reach = (minutes - 1) / ramps / 2
  const near = counts.subarray(
    Math.max(from, Math.ceil(middle - reach)),
    Math.min(from + minutes, Math.floor(middle + reach) + 1),
  )
  return near.reduce((sum, count) => sum + count, 0) / near.length
}

function toRow(line: string): { minute: number; count: number } | null {
  const [, date = '', time = '', count = ''] = ROW.exec(line) ?? []
  const minute = toMinute(`${date} ${time}`)
  return minute === null ? null : { minute, count: Number(count) }
}

/** Null for what is no moment, the 30th of February included. */
function toMinute(period: string): number | null {
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::\d{2})?$/.exec(period) ?? []
  const minute = Date.parse(`${date}T${time}:00Z`) / MINUTE_MS
  return Number.isNaN(minute) || toPeriod(minute) !== `${date} ${time}` ? null : minute
}

const toPeriod = (minute: number): string => new Date(minute * MINUTE_MS).toISOString().slice(0, 16).replace('T', ' ')

const quote = (text: string): string => JSON.stringify(text.slice(0, 80))
