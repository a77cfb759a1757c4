import type { FaultResult, StormReport } from '../../src/storm/report/report.ts'

/** What lies behind and above every chart, ms from the storm's begin. */
export type Marks = {
  readonly endMs: number
  readonly phases: readonly PhaseSpan[]
  readonly strikes: readonly Strike[]
  readonly recoveries: readonly Recovery[]
}

export type PhaseSpan = { readonly name: string; readonly fromMs: number; readonly toMs: number }

/** One strike of a fault; `number` is the fault's in the tables below. */
export type Strike = {
  readonly number: number
  readonly label: string
  readonly fromMs: number
  readonly toMs: number
  /** Where its label has to stop for the next fault's; null where only the line is drawn, since it strikes again and again. */
  readonly labelToMs: number | null
}

export type Recovery = { readonly number: number; readonly atMs: number }

export function planMarks(report: Pick<StormReport, 'scenario' | 'series' | 'faults'>): Marks {
  const endMs = Math.max(1_000, report.scenario.durationMs, report.series.at(-1)?.atMs ?? 0)
  const spans = report.faults.flatMap((fault, at) => spansOf(fault, endMs).map((span) => ({ ...span, number: at + 1 })))
  const first = spans.filter((span, at) => spans.findIndex(({ number }) => number === span.number) === at)
  const starts = first.map((span) => span.fromMs).sort((one, other) => one - other)
  return {
    endMs,
    phases: report.scenario.phases.map(({ name, fromMs, toMs }) => ({ name, fromMs, toMs })),
    strikes: spans.map((span) => ({
      ...span,
      labelToMs: first.includes(span) ? (starts.find((start) => start > span.fromMs) ?? endMs) : null,
    })),
    recoveries: report.faults.flatMap((fault, at) => recoveryOf(fault, at + 1)),
  }
}

/** Each strike to its end; one that never ended lasts to the storm's end, one that is over at once is a moment. */
function spansOf(fault: FaultResult, endMs: number): { label: string; fromMs: number; toMs: number }[] {
  const struck = fault.marks.filter((mark) => mark.phase === 'struck')
  return struck.map((mark, at) => {
    const next = struck[at + 1]?.atMs ?? Number.POSITIVE_INFINITY
    const end = fault.marks.find((other) => other.phase === 'ended' && other.atMs >= mark.atMs && other.atMs <= next)
    const lasts = fault.marks.some((other) => other.phase === 'ended')
    return { label: fault.label, fromMs: mark.atMs, toMs: end?.atMs ?? (lasts ? mark.atMs : endMs) }
  })
}

function recoveryOf(fault: FaultResult, number: number): Recovery[] {
  if (fault.recoveredAfterMs === null) return []
  const end = Math.max(...fault.marks.filter((mark) => mark.phase !== 'failed').map((mark) => mark.atMs))
  return Number.isFinite(end) ? [{ number, atMs: end + fault.recoveredAfterMs }] : []
}

/** What goes on at a moment, in words. */
export function describeMoment(marks: Marks, atMs: number): string {
  const phase = marks.phases.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)
  const striking = marks.strikes.filter(({ fromMs, toMs }) => atMs >= fromMs && atMs <= Math.max(toMs, fromMs + 1_000))
  return [phase?.name, ...striking.map(({ label }) => label)].filter((text) => text !== undefined).join(' · ')
}
