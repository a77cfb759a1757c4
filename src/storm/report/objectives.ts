import type { Objectives } from '../scenario.ts'
import type { RequestKind } from '../viewer/protocol.ts'
import type { FaultResult, ObjectiveResult, ProbeResult, StormReport } from './report.ts'
import { formatCount, formatMs, formatRatio, plural, rebufferRatio } from './words.ts'

/** What the objectives are measured on: the parts of the report that say what happened. */
export type Evidence = Pick<StormReport, 'totals' | 'requests' | 'cells' | 'faults' | 'probes' | 'journal'> & {
  readonly publications: Publications
  /** Promises that the scenario gives no occasion to watch, such as a withdrawal that it does not make. */
  readonly unasked: readonly ProbeResult['id'][]
  /** How long it ran, ms: an upper bound for what never came. */
  readonly ranMs: number
}

/** The films of `publish` operations. */
export type Publications = {
  readonly asked: number
  readonly unpublished: number
  /** Why they could not be followed, such as no operator's token. */
  readonly notWatched: string | null
}

/** `said` names the value in words; `missed` overrules the limit where the value is only how long nothing was seen. */
export type Measurement =
  | { readonly value: number; readonly said: string; readonly missed?: true }
  | { readonly why: string }

export type ObjectiveKind = {
  readonly id: keyof Objectives
  readonly name: string
  readonly bound: ObjectiveResult['bound']
  readonly unit: ObjectiveResult['unit']
  measure(evidence: Evidence): Measurement
}

/** In the order of the verdict: what viewers feel first, then what nobody may lose. */
export const OBJECTIVE_KINDS: readonly ObjectiveKind[] = [
  { id: 'errorRatioMax', name: 'Requests that failed', bound: 'max', unit: 'ratio', measure: measureErrors },
  {
    id: 'homeP99MsMax',
    name: 'Home page, p99',
    bound: 'max',
    unit: 'ms',
    measure: (evidence) => measureP99(evidence, 'home'),
  },
  {
    id: 'playbackP99MsMax',
    name: 'Press play, p99',
    bound: 'max',
    unit: 'ms',
    measure: (evidence) => measureP99(evidence, 'playback'),
  },
  { id: 'startupP95MsMax', name: 'Startup time, p95', bound: 'max', unit: 'ms', measure: measureStartup },
  { id: 'rebufferRatioMax', name: 'Time spent stalled', bound: 'max', unit: 'ratio', measure: measureRebuffering },
  { id: 'viewersLostRatioMax', name: 'Viewers lost', bound: 'max', unit: 'ratio', measure: measureViewersLost },
  { id: 'originOffloadMin', name: 'Origin offload', bound: 'min', unit: 'ratio', measure: measureOffload },
  { id: 'eventsLostMax', name: 'Events lost', bound: 'max', unit: 'count', measure: (e) => measureEvents(e, 'lost') },
  {
    id: 'eventsDoubledMax',
    name: 'Events doubled',
    bound: 'max',
    unit: 'count',
    measure: (evidence) => measureEvents(evidence, 'doubled'),
  },
  { id: 'recoveryMsMax', name: 'Recovery from a fault', bound: 'max', unit: 'ms', measure: measureRecovery },
  {
    id: 'sparedCellsErrorsMax',
    name: 'Errors in spared cells',
    bound: 'max',
    unit: 'count',
    measure: measureSparedCells,
  },
  { id: 'unpublishedMax', name: 'Films not published', bound: 'max', unit: 'count', measure: measureUnpublished },
  { id: 'violationsMax', name: 'Broken promises', bound: 'max', unit: 'count', measure: measureViolations },
]

function measureErrors({ totals }: Evidence): Measurement {
  if (totals.requests === 0) return { why: 'no request was made' }
  const value = totals.errors / totals.requests
  return {
    value,
    said: `${formatCount(totals.errors)} of ${plural(totals.requests, 'request')} failed (${formatRatio(value)})`,
  }
}

function measureP99({ requests }: Evidence, kind: RequestKind): Measurement {
  const figures = requests.find((row) => row.kind === kind)
  if (figures === undefined || figures.count === 0) return { why: `no request of the kind ${kind} was made` }
  return {
    value: figures.p99Ms,
    said: `p99 of ${kind} ${formatMs(figures.p99Ms)} of ${plural(figures.count, 'request')}`,
  }
}

function measureStartup({ totals }: Evidence): Measurement {
  if (totals.startups === 0) return { why: 'nobody who pressed play waited for a picture' }
  const who = `${plural(totals.started, 'start')}, ${formatCount(totals.gaveUp)} gave up`
  return {
    value: totals.startupP95Ms,
    said: `p95 from click to first picture ${formatMs(totals.startupP95Ms)} (${who})`,
  }
}

function measureRebuffering({ totals }: Evidence): Measurement {
  const value = rebufferRatio(totals)
  if (value === null) return { why: 'nobody played anything' }
  return {
    value,
    said: `${formatRatio(value)} of watching time stalled (${formatMs(totals.stalledMs)} in ${plural(totals.stalls, 'stall')})`,
  }
}

function measureViewersLost({ totals }: Evidence): Measurement {
  if (totals.viewers === 0) return { why: 'nobody came' }
  const value = totals.gaveUp / totals.viewers
  return {
    value,
    said: `${formatCount(totals.gaveUp)} of ${plural(totals.viewers, 'viewer')} gave up (${formatRatio(value)})`,
  }
}

function measureOffload({ totals }: Evidence): Measurement {
  if (totals.offloadKnown === 0) return { why: "no Cache-Status in the target's answers" }
  const value = totals.offloadHits / totals.offloadKnown
  return {
    value,
    said: `${formatRatio(value)} of ${plural(totals.offloadKnown, 'media file')} came without asking the origin`,
  }
}

function measureEvents({ journal }: Evidence, what: 'lost' | 'doubled'): Measurement {
  if (journal.notChecked !== null) return { why: `the log was not checked: ${journal.notChecked}` }
  if (journal.acknowledged === 0) return { why: 'no session or signal was acknowledged' }
  const said = `${formatCount(journal[what])} ${what}; ${plural(journal.acknowledged, 'event')} acknowledged`
  return { value: journal[what], said }
}

/** The slowest counts. One that never recovered is missed whatever the limit: a promise not seen kept was not kept. */
function measureRecovery({ faults, ranMs }: Evidence): Measurement {
  const struck = faults.filter(hasStruck)
  if (struck.length === 0) return { why: 'no fault struck' }
  const lasting = struck.find((fault) => fault.recoveredAfterMs === null)
  if (lasting !== undefined) {
    const value = Math.max(0, ranMs - endOf(lasting))
    return {
      value,
      missed: true,
      said: `${lasting.label}: not recovered when the storm ended, ${formatMs(value)} after the fault`,
    }
  }
  const value = Math.max(...struck.map((fault) => fault.recoveredAfterMs ?? 0))
  const slowest = struck.find((fault) => fault.recoveredAfterMs === value)
  return { value, said: `healthy and without errors ${formatMs(value)} after the end of: ${slowest?.label}` }
}

function measureSparedCells({ faults, cells }: Evidence): Measurement {
  const struck = faults.filter(hasStruck)
  if (struck.length === 0) return { why: 'no fault struck, so no cell was spared one' }
  const aimed = new Set(struck.flatMap((fault) => [...fault.roles, ...fault.marks.flatMap((mark) => mark.roles)]))
  const spared = cells.filter((cell) => !isAimedAt(cell.cell, aimed))
  const requests = spared.reduce((sum, cell) => sum + cell.requests, 0)
  if (requests === 0) return { why: 'no request went to a cell that was spared' }
  const value = spared.reduce((sum, cell) => sum + cell.errors, 0)
  const names = spared.map((cell) => cell.cell).join(', ')
  return { value, said: `${formatCount(value)} of ${plural(requests, 'request')} failed in ${names}` }
}

function measureUnpublished({ publications }: Evidence): Measurement {
  if (publications.notWatched !== null) return { why: publications.notWatched }
  if (publications.asked === 0) return { why: 'the scenario publishes no film' }
  return {
    value: publications.unpublished,
    said: `${formatCount(publications.unpublished)} of ${plural(publications.asked, 'film')} not published at the end`,
  }
}

function measureViolations({ probes: all, unasked }: Evidence): Measurement {
  const probes = all.filter((probe) => !unasked.includes(probe.id))
  const value = probes.reduce((sum, probe) => sum + probe.violations.length, 0)
  const watched = probes.filter((probe) => probe.checks > 0 || probe.violations.length > 0)
  const blind = probes.filter((probe) => probe.notProbed !== null)
  const missing = blind.map((probe) => `${probe.name}: ${probe.notProbed}`).join('; ')
  if (watched.length === 0) return { why: missing === '' ? 'nothing was probed' : missing }
  // A promise that nobody looked at was not kept; one that was broken is broken all the same.
  if (value === 0 && watched.length < probes.length) return { why: `not watched: ${missing}` }
  const checks = watched.reduce((sum, probe) => sum + probe.checks, 0)
  const said = `${plural(value, 'violation')} in ${plural(checks, 'check')} of ${plural(watched.length, 'promise')}`
  return { value, said: missing === '' ? said : `${said} (not watched throughout: ${missing})` }
}

function hasStruck(fault: FaultResult): boolean {
  return fault.marks.some((mark) => mark.phase === 'struck')
}

function endOf(fault: FaultResult): number {
  return Math.max(0, ...fault.marks.filter((mark) => mark.phase !== 'failed').map((mark) => mark.atMs))
}

/** A fault's roles may be patterns (`cell-*`); a cell is named with or without its role's prefix. */
function isAimedAt(cell: string, roles: ReadonlySet<string>): boolean {
  const role = cell.startsWith('cell-') ? cell : `cell-${cell}`
  return [...roles].some((aim) => (aim.endsWith('*') ? role.startsWith(aim.slice(0, -1)) : aim === role))
}
