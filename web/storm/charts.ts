import type { Sample, StormReport } from '../../src/storm/report/report.ts'
import { formatBytes, formatCount, formatMs, formatRatio, formatShort } from '../../src/storm/report/words.ts'

/** What a chart shows: decided here, drawn in chart.ts. At most five lines each. */
export type ChartPlan = {
  readonly id: string
  readonly title: string
  readonly axis: AxisPlan
  /** A second measure that belongs with the first, on the right. */
  readonly rightAxis?: AxisPlan
  readonly lines: readonly LinePlan[]
}

export type AxisPlan = {
  /** What is measured, with its unit. */
  readonly label: string
  readonly logarithmic?: true
  /** How ticks and values read. */
  format(value: number): string
}

export type LinePlan = {
  readonly name: string
  /** Which of the five colours and strokes: the same thing looks the same in every chart. */
  readonly look: 1 | 2 | 3 | 4 | 5
  readonly right?: true
  readonly values: readonly (number | null)[]
}

/** Beyond these, cells are added up: nobody tells more lines apart. */
const CELL_LINES_MAX = 4

export function planCharts(report: Pick<StormReport, 'series'>): ChartPlan[] {
  const { series } = report
  const line = (look: LinePlan['look'], name: string, read: (sample: Sample) => number | null): LinePlan => ({
    name,
    look,
    values: series.map(read),
  })
  const charts: (ChartPlan | null)[] = [
    {
      id: 'viewers',
      title: 'Viewers',
      axis: { label: 'Viewers (count)', format: formatShort },
      lines: [
        line(1, 'Playing', (sample) => sample.playing),
        line(2, 'Browsing', (sample) => sample.browsing),
        line(3, 'Starting', (sample) => sample.starting),
        line(4, 'Stalled', (sample) => sample.stalled),
      ],
    },
    {
      id: 'latency',
      title: 'Latency',
      axis: { label: 'Latency (ms, logarithmic)', logarithmic: true, format: formatShort },
      lines: [
        line(1, 'p50', (sample) => aboveZero(sample.p50Ms)),
        line(3, 'p99', (sample) => aboveZero(sample.p99Ms)),
        line(5, 'Home p99', (sample) => aboveZero(sample.homeP99Ms)),
        line(2, 'Press play p99', (sample) => aboveZero(sample.playbackP99Ms)),
      ],
    },
    {
      id: 'requests',
      title: 'Requests and arrivals',
      axis: { label: 'Requests (per second)', format: formatShort },
      rightAxis: { label: 'Arrivals (viewers per second)', format: formatShort },
      lines: [
        line(1, 'Requests', (sample) => sample.requests),
        { ...line(2, 'Arrivals', (sample) => sample.arrivals), right: true },
      ],
    },
    {
      id: 'errors',
      title: 'Errors',
      axis: { label: 'Errors (per second)', format: formatShort },
      lines: [line(4, 'All', (sample) => sample.errors), ...planCellErrors(series)],
    },
    {
      id: 'startup',
      title: 'Startup time and viewers lost',
      axis: { label: 'Startup p95 (ms)', format: formatShort },
      rightAxis: { label: 'Lost (viewers per second)', format: formatShort },
      lines: [
        line(1, 'Startup p95', (sample) => sample.startupP95Ms),
        { ...line(4, 'Viewers lost', (sample) => sample.gaveUp), right: true },
      ],
    },
    {
      id: 'data',
      title: 'Data served',
      axis: { label: 'Data (MB per second)', format: formatShort },
      lines: [line(1, 'Data', (sample) => sample.bytes / 1e6)],
    },
    planRoles(series),
    {
      id: 'generator',
      title: 'The generator itself',
      axis: { label: 'Lag p99 (ms)', format: formatShort },
      rightAxis: { label: 'CPU (% of one core)', format: formatShort },
      lines: [
        line(1, 'Lag p99', (sample) => sample.lagP99Ms),
        { ...line(3, 'CPU', (sample) => sample.cpu * 100), right: true },
      ],
    },
  ]
  return charts.filter((chart) => chart !== null)
}

/** The cells with the most errors, each a line; the others as one. None where there is but one cell: it would say the same twice. */
function planCellErrors(series: readonly Sample[]): LinePlan[] {
  const totals = new Map<string, number>()
  for (const sample of series) {
    for (const [cell, errors] of Object.entries(sample.errorsByCell)) totals.set(cell, (totals.get(cell) ?? 0) + errors)
  }
  if (totals.size < 2) return []
  const ranked = [...totals].sort((one, other) => other[1] - one[1]).map(([cell]) => cell)
  const named = ranked.length <= CELL_LINES_MAX ? ranked : ranked.slice(0, CELL_LINES_MAX - 1)
  const others = ranked.slice(named.length)
  const sumOf = (cells: readonly string[]): (number | null)[] =>
    series.map((sample) => cells.reduce((sum, cell) => sum + (sample.errorsByCell[cell] ?? 0), 0))
  // Broken lines first: where one cell has all the errors, the line of all shows through.
  const looks = [2, 3, 5, 1] as const
  const groups: (readonly [string, readonly string[]])[] = named.map((cell) => [`Cell ${cell}`, [cell]])
  if (others.length > 0) groups.push(['Other cells', others])
  return groups.map(([name, cells], at) => ({ name, look: looks[at] ?? 1, values: sumOf(cells) }))
}

function planRoles(series: readonly Sample[]): ChartPlan | null {
  if (series.every((sample) => sample.rolesDown === null)) return null
  const values = series.map((sample) => sample.rolesDown?.length ?? null)
  return {
    id: 'roles',
    title: 'Roles not healthy',
    axis: { label: 'Roles (count)', format: formatShort },
    lines: [{ name: 'Not healthy', look: 4, values }],
  }
}

/** A logarithmic axis has no zero. */
function aboveZero(value: number | null): number | null {
  return value !== null && value > 0 ? value : null
}

/** A column of the second-by-second table: the same figures as the charts, for those who read rather than look. */
export const SECOND_COLUMNS: readonly { readonly head: string; tell(sample: Sample): string }[] = [
  { head: 'Browsing', tell: (sample) => formatCount(sample.browsing) },
  { head: 'Starting', tell: (sample) => formatCount(sample.starting) },
  { head: 'Playing', tell: (sample) => formatCount(sample.playing) },
  { head: 'Stalled', tell: (sample) => formatCount(sample.stalled) },
  { head: 'Arrivals', tell: (sample) => formatCount(sample.arrivals) },
  { head: 'Requests', tell: (sample) => formatCount(sample.requests) },
  { head: 'Errors', tell: (sample) => formatCount(sample.errors) },
  { head: 'p50', tell: (sample) => tellMs(sample.p50Ms) },
  { head: 'p99', tell: (sample) => tellMs(sample.p99Ms) },
  { head: 'Home p99', tell: (sample) => tellMs(sample.homeP99Ms) },
  { head: 'Press play p99', tell: (sample) => tellMs(sample.playbackP99Ms) },
  { head: 'Startup p95', tell: (sample) => tellMs(sample.startupP95Ms) },
  { head: 'Lost', tell: (sample) => formatCount(sample.gaveUp) },
  { head: 'Data', tell: (sample) => formatBytes(sample.bytes) },
  { head: 'Lag p99', tell: (sample) => tellMs(sample.lagP99Ms) },
  { head: 'CPU', tell: (sample) => formatRatio(sample.cpu) },
  {
    head: 'Roles not healthy',
    tell: (sample) => (sample.rolesDown === null ? 'unseen' : sample.rolesDown.join(', ') || 'none'),
  },
]

function tellMs(value: number | null): string {
  return value === null ? 'none' : formatMs(value)
}
