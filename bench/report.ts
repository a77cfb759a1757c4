import { cpus } from 'node:os'

export type BenchRow = {
  readonly metric: string
  readonly ours: number
  readonly unit: string
  readonly peer?: string
  readonly theirs?: number
  readonly ratio?: number
  /** What else belongs to the figure: percentiles, rate, errors. */
  readonly detail?: Readonly<Record<string, number>>
}
export type BenchMissing = { readonly metric: string; readonly why: string }
export type BenchResult = { readonly rows: readonly BenchRow[]; readonly missing: readonly BenchMissing[] }

export type BenchOptions = {
  /** May take longer than a minute. */
  readonly full: boolean
  /** What is being done now, for people; never on standard output. */
  readonly say: (message: string) => void
}
export type Bench = (options: BenchOptions) => Promise<BenchResult>

/** The one JSON object that `--json` ends with. */
export function toJson(bench: string, result: BenchResult): string {
  return JSON.stringify({ bench, at: new Date().toISOString(), machine: { cores: cpus().length }, ...result })
}

/** The same for people. */
export function toTable(bench: string, { rows, missing }: BenchResult): string {
  const cells = rows.map((row) => [
    row.metric,
    toFigure(row.ours),
    row.unit,
    row.peer === undefined ? '' : `${row.peer} ${toFigure(row.theirs ?? 0)} (${(row.ratio ?? 0).toFixed(2)}x)`,
    Object.entries(row.detail ?? {})
      .map(([name, value]) => `${name} ${toFigure(value)}`)
      .join('  '),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return [`${bench}`, ...lines, ...missing.map(({ metric, why }) => `${metric}: not measured: ${why}`)].join('\n')
}

function toFigure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}
