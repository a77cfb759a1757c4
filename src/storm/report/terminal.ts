import { toColumns, toLine } from './columns.ts'
import type { FaultResult, ObjectiveResult, Sample, StormReport, TimelineEntry, Totals } from './report.ts'
import {
  formatBytes,
  formatCount,
  formatLimit,
  formatMeasure,
  formatMoment,
  formatMs,
  formatRatio,
  OUTCOME_WORDS,
  plural,
  rebufferRatio,
  verdictLine,
} from './words.ts'

const SIGNS: Readonly<Record<ObjectiveResult['outcome'], string>> = { met: '✓', missed: '✗', 'not-measured': '–' }

/** Paths as they are to be shown. */
export type ReportFiles = { readonly html: string; readonly json: string }

/** What is left on the screen in the end: the verdict, why, and where the whole report is. */
export function renderSummary(report: StormReport, files?: ReportFiles): string[] {
  const { totals } = report
  return [
    '',
    toLine(verdictLine(report)),
    ...(report.invalidBecause.length > 1 ? report.invalidBecause.map((reason) => `  ${toLine(reason)}`) : []),
    '',
    ...renderObjectives(report.objectives),
    ...renderFaults(report.faults),
    `${plural(totals.viewers, 'viewer')} (${formatCount(totals.viewersPeak)} at once), ${plural(totals.requests, 'request')} ` +
      `(${formatCount(totals.requestsPerSecondPeak)}/s at peak), ${plural(totals.errors, 'error')}, ${formatBytes(totals.bytes)}`,
    `generator lag p99 ${formatMs(report.generator.lagP99Ms)}`,
    `again: ${toLine(report.repeat)}`,
    ...(files === undefined ? [] : [`report: ${files.html}`, `        ${files.json}`]),
  ]
}

function renderObjectives(objectives: readonly ObjectiveResult[]): string[] {
  if (objectives.length === 0) return []
  const rows = objectives.map((objective) => [
    SIGNS[objective.outcome],
    objective.name,
    OUTCOME_WORDS[objective.outcome],
    objective.measured === null ? '' : formatMeasure(objective.measured, objective.unit),
    objective.measured === null ? toLine(objective.detail) : `(${formatLimit(objective)})`,
  ])
  return [...toColumns(rows, [3]), '']
}

function renderFaults(faults: readonly FaultResult[]): string[] {
  if (faults.length === 0) return []
  const rows = faults.map((fault) => [toLine(fault.label), tellStrikes(fault), tellRecovery(fault)])
  return ['Faults', ...toColumns(rows).map((line) => `  ${line}`), '']
}

function tellStrikes(fault: FaultResult): string {
  const struck = fault.marks.filter((mark) => mark.phase === 'struck')
  const first = struck[0]
  if (first === undefined) return 'never struck'
  return `struck at ${formatMoment(first.atMs)}${struck.length > 1 ? `, ${struck.length} times` : ''}`
}

function tellRecovery(fault: FaultResult): string {
  if (fault.failure !== null) return `could not strike: ${toLine(fault.failure)}`
  return fault.recoveredAfterMs === null
    ? 'did not recover within the storm'
    : `recovered after ${formatMs(fault.recoveredAfterMs)}`
}

/** What the live view shows of the storm so far. */
export type LiveTotals = Pick<Totals, 'requests' | 'errors' | 'gaveUp' | 'startupP95Ms' | 'playedMs' | 'stalledMs'>

export type LiveView = {
  /** Once a second. */
  update(sample: Sample, phase: string, totals: LiveTotals): void
  mark(entry: TimelineEntry): void
  /** Leaves what was last shown and writes nothing more. */
  end(): void
}

/**
 * The storm as it blows. On a terminal a block of lines is drawn anew each second and faults scroll by above it; elsewhere
 * every second and every mark is one plain line.
 */
export function createLiveView(options: {
  write: (text: string) => void
  isTty: boolean
  /** Asked at every draw: windows change. */
  width: () => number
  name: string
  durationMs: number
}): LiveView {
  const { write } = options
  const seen: Sample[] = []
  let block: readonly string[] = []
  let ended = false
  /** The cursor stands below the block; `\u001b[J` clears from there down. */
  const above = (): string => (block.length > 0 ? `\u001b[${block.length}A\r\u001b[J` : '')
  const fit = (line: string): string => [...line].slice(0, Math.max(20, options.width() - 1)).join('')
  const lines = (some: readonly string[]): string => some.map((line) => `${line}\n`).join('')
  return {
    update(sample, phase, totals) {
      if (ended) return
      seen.push(sample)
      if (!options.isTty) return write(`${renderPlain(sample, phase, totals)}\n`)
      const next = renderBlock({ seen, phase, totals, name: options.name, durationMs: options.durationMs }).map(fit)
      write(above() + lines(next))
      block = next
    },
    mark(entry) {
      if (ended) return
      const line = `${formatMoment(entry.atMs)}  ${entry.kind.padEnd(9)}  ${toLine(entry.label)}`
      if (options.isTty) write(above() + lines([fit(line), ...block]))
      else write(`${line}\n`)
    },
    end() {
      ended = true
    },
  }
}

function renderPlain(sample: Sample, phase: string, totals: LiveTotals): string {
  return [
    `${formatMoment(sample.atMs)}  ${toLine(phase)}: ${plural(viewersOf(sample), 'viewer')}`,
    `${formatCount(sample.requests)} requests/s`,
    `p50 ${tellMs(sample.p50Ms)}`,
    `p99 ${tellMs(sample.p99Ms)}`,
    `${formatCount(sample.errors)} errors/s`,
    `startup p95 ${formatMs(totals.startupP95Ms)}`,
    `stalled ${formatRatio(rebufferRatio(totals) ?? 0)}`,
    `lag p99 ${formatMs(sample.lagP99Ms)}`,
  ].join(', ')
}

function renderBlock(state: {
  seen: readonly Sample[]
  phase: string
  totals: LiveTotals
  name: string
  durationMs: number
}): string[] {
  const { seen, totals } = state
  const sample = seen.at(-1)
  if (sample === undefined) return []
  const ratio = totals.requests > 0 ? totals.errors / totals.requests : 0
  const recent = seen.slice(-SPARK_MAX)
  const rows = [
    [
      'viewers',
      formatCount(viewersOf(sample)),
      spark(recent.map(viewersOf)),
      `${formatCount(sample.playing)} playing, ${formatCount(sample.browsing)} browsing, ${formatCount(sample.starting)} starting, ${formatCount(sample.stalled)} stalled`,
    ],
    [
      'requests/s',
      formatCount(sample.requests),
      spark(recent.map((one) => one.requests)),
      `${formatBytes(sample.bytes)}/s`,
    ],
    [
      'p99',
      tellMs(sample.p99Ms),
      spark(recent.map((one) => one.p99Ms ?? 0)),
      `p50 ${tellMs(sample.p50Ms)}, home p99 ${tellMs(sample.homeP99Ms)}, play p99 ${tellMs(sample.playbackP99Ms)}`,
    ],
    [
      'errors/s',
      formatCount(sample.errors),
      spark(recent.map((one) => one.errors)),
      `${formatCount(totals.errors)} in all (${formatRatio(ratio)})`,
    ],
    [
      'startup p95',
      formatMs(totals.startupP95Ms),
      spark(recent.map((one) => one.startupP95Ms ?? 0)),
      `${formatRatio(rebufferRatio(totals) ?? 0)} of time stalled, ${formatCount(totals.gaveUp)} lost`,
    ],
    [
      'generator',
      formatMs(sample.lagP99Ms),
      spark(recent.map((one) => one.lagP99Ms)),
      `lag p99, ${formatRatio(sample.cpu)} of a core`,
    ],
  ]
  const down =
    sample.rolesDown !== null && sample.rolesDown.length > 0 ? [`not healthy: ${sample.rolesDown.join(', ')}`] : []
  return [
    renderProgress(state.name, state.phase, sample.atMs, state.durationMs),
    ...toColumns(rows, [1]),
    ...down.map(toLine),
  ]
}

const BAR_CELLS = 24

function renderProgress(name: string, phase: string, atMs: number, durationMs: number): string {
  const share = Math.min(1, Math.max(0, atMs / Math.max(1, durationMs)))
  const filled = Math.round(share * BAR_CELLS)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
  return `${bar} ${formatMoment(atMs)} of ${formatMoment(durationMs)}  ${toLine(name)}: ${toLine(phase)}`
}

const SPARK_MAX = 20
const SPARKS = '▁▂▃▄▅▆▇█'

/** The last seconds in bars, the highest among them full; as wide from the first second on. */
function spark(values: readonly number[]): string {
  const peak = Math.max(...values)
  const bar = (value: number): string => SPARKS[peak > 0 ? Math.round((value / peak) * (SPARKS.length - 1)) : 0] ?? ' '
  return values.map(bar).join('').padStart(SPARK_MAX)
}

function viewersOf(sample: Sample): number {
  return sample.browsing + sample.starting + sample.playing + sample.stalled
}

function tellMs(value: number | null): string {
  return value === null ? '–' : formatMs(value)
}
