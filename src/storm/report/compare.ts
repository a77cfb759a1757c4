import { toColumns, toLine } from './columns.ts'
import type { FaultResult, StormReport } from './report.ts'
import { formatBytes, formatCount, formatMs, formatRatio, OUTCOME_WORDS, rebufferRatio } from './words.ts'

/** One figure of two reports beside one another; null where a report has none. */
export type ComparisonRow = {
  readonly name: string
  readonly unit: 'ms' | 'ratio' | 'count' | 'bytes' | 'word'
  readonly a: number | string | null
  readonly b: number | string | null
  /** Of b against a, as a share of a: 0.1 is a tenth more. Null where there is nothing to divide by, or no figures. */
  readonly change: number | null
}

export type Comparison = {
  /** What makes the two hard to compare. */
  readonly warnings: readonly string[]
  readonly rows: readonly ComparisonRow[]
}

export function compareReports(a: StormReport, b: StormReport): Comparison {
  const pair = (
    name: string,
    unit: ComparisonRow['unit'],
    read: (report: StormReport) => number | string | null,
  ): ComparisonRow => toRow(name, unit, read(a), read(b))
  return {
    warnings: findDifferences(a, b),
    rows: [
      pair('verdict', 'word', (report) => report.verdict),
      ...compareObjectives(a, b),
      pair('viewers at once', 'count', (report) => report.totals.viewersPeak),
      pair('requests', 'count', (report) => report.totals.requests),
      pair('requests/s at peak', 'count', (report) => report.totals.requestsPerSecondPeak),
      pair('errors', 'count', (report) => report.totals.errors),
      pair('startup p50', 'ms', (report) => ofStarts(report, report.totals.startupP50Ms)),
      pair('startup p95', 'ms', (report) => ofStarts(report, report.totals.startupP95Ms)),
      pair('time stalled', 'ratio', (report) => rebufferRatio(report.totals)),
      pair('viewers lost', 'count', (report) => report.totals.gaveUp),
      pair('data', 'bytes', (report) => report.totals.bytes),
      ...compareLatencies(a, b),
      ...compareRecoveries(a, b),
      pair('generator lag p99', 'ms', (report) => report.generator.lagP99Ms),
      pair('generator CPU, mean', 'ratio', (report) => report.generator.cpuMean),
      pair('generator memory', 'bytes', (report) => report.generator.rssBytesMax),
    ],
  }
}

/** Nobody who began means no startup time, not one of 0 ms. */
function ofStarts({ totals }: StormReport, value: number): number | null {
  return totals.startups > 0 ? value : null
}

function compareObjectives(a: StormReport, b: StormReport): ComparisonRow[] {
  const tell = (report: StormReport, id: string): string | null => {
    const found = report.objectives.find((objective) => objective.id === id)
    return found === undefined ? null : OUTCOME_WORDS[found.outcome]
  }
  const all = new Map([...a.objectives, ...b.objectives].map((objective) => [objective.id, objective.name]))
  return [...all].map(([id, name]) => toRow(`objective: ${name}`, 'word', tell(a, id), tell(b, id)))
}

function compareLatencies(a: StormReport, b: StormReport): ComparisonRow[] {
  const kinds = new Set([...a.requests, ...b.requests].filter((row) => row.count > 0).map((row) => row.kind))
  const measures = [
    ['p50', 'p50Ms'],
    ['p99', 'p99Ms'],
  ] as const
  return [...kinds].flatMap((kind) =>
    measures.map(([word, key]) => {
      const read = (report: StormReport): number | null => {
        const row = report.requests.find((candidate) => candidate.kind === kind)
        return row === undefined || row.count === 0 ? null : row[key]
      }
      return toRow(`${kind} ${word}`, 'ms', read(a), read(b))
    }),
  )
}

/** Faults of the same name belong together, in the order they are planned. */
function compareRecoveries(a: StormReport, b: StormReport): ComparisonRow[] {
  const labels = [...new Set([...a.faults, ...b.faults].map((fault) => fault.label))]
  const named = (report: StormReport, label: string): FaultResult[] =>
    report.faults.filter((fault) => fault.label === label)
  return labels.flatMap((label) => {
    const [ofA, ofB] = [named(a, label), named(b, label)]
    return Array.from({ length: Math.max(ofA.length, ofB.length) }, (_, at) =>
      toRow(`recovery: ${label}`, 'ms', ofA[at]?.recoveredAfterMs ?? null, ofB[at]?.recoveredAfterMs ?? null),
    )
  })
}

function toRow(
  name: string,
  unit: ComparisonRow['unit'],
  a: number | string | null,
  b: number | string | null,
): ComparisonRow {
  const change = typeof a === 'number' && typeof b === 'number' && a !== 0 ? (b - a) / a : null
  return { name, unit, a, b, change }
}

function findDifferences(a: StormReport, b: StormReport): string[] {
  const checks: readonly (readonly [string, (report: StormReport) => string])[] = [
    ['scenarios', ({ scenario }) => scenario.name],
    ['baselines', ({ scenario }) => `${scenario.baselinePerSecond} viewers/s`],
    ['lengths', ({ scenario }) => formatMs(scenario.durationMs)],
    ['seeds', ({ seed }) => String(seed)],
    ['machines', ({ machine }) => `${machine.cores} cores, ${formatBytes(machine.memoryBytes)}, ${machine.os}`],
    ['tools', ({ tool }) => `${tool.version} on Bun ${tool.bun}`],
  ]
  const differing = checks.flatMap(([what, read]) =>
    read(a) === read(b) ? [] : [`different ${what}: ${toLine(read(a))} against ${toLine(read(b))}`],
  )
  const invalid = [a, b].flatMap((report, at) =>
    report.verdict === 'invalid'
      ? [`${at === 0 ? 'A' : 'B'} is invalid: ${report.invalidBecause.map(toLine).join('; ')}`]
      : [],
  )
  return [...differing, ...invalid]
}

/** Side by side, warnings first. */
export function renderComparison(comparison: Comparison): string[] {
  const rows = comparison.rows.map((row) => [
    toLine(row.name),
    tell(row.a, row.unit),
    tell(row.b, row.unit),
    tellChange(row),
  ])
  const warnings = comparison.warnings.map((warning) => `warning: ${warning}`)
  return [
    ...warnings,
    ...(warnings.length > 0 ? [''] : []),
    ...toColumns([['', 'A', 'B', 'change'], ...rows], [1, 2, 3]),
  ]
}

const FORMATS: Readonly<Record<ComparisonRow['unit'], (value: number) => string>> = {
  ms: formatMs,
  ratio: formatRatio,
  count: formatCount,
  bytes: formatBytes,
  word: String,
}

function tell(value: number | string | null, unit: ComparisonRow['unit']): string {
  if (value === null) return 'none'
  return typeof value === 'string' ? toLine(value) : FORMATS[unit](value)
}

function tellChange(row: ComparisonRow): string {
  if (row.unit === 'word') return row.a === row.b ? '' : 'changed'
  if (row.change === null || row.a === row.b) return row.a === row.b ? '=' : ''
  return `${row.change > 0 ? '+' : '−'}${formatRatio(Math.abs(row.change))}`
}
