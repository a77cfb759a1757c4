import type { FaultResult, ProbeResult, StormReport, TimelineEntry } from '../../src/storm/report/report.ts'
import { formatBytes, formatCount, formatMoment, formatMs, formatRatio, plural } from '../../src/storm/report/words.ts'
import { SECOND_COLUMNS } from './charts.ts'
import { type Child, type Column, element, facts, note, section, sign, table } from './dom.ts'

/** The parts below the charts, in their order. */
export function renderTables(report: StormReport): HTMLElement[] {
  return [
    renderFaults(report.faults),
    renderTimeline(report.timeline),
    renderRequests(report),
    renderCells(report),
    renderErrors(report),
    renderProbes(report.probes),
    renderJournal(report),
    renderGenerator(report),
    renderSeconds(report),
    renderRepeat(report),
  ]
}

const text = (...heads: string[]): Column[] => heads.map((head) => ({ head }))
const figures = (...heads: string[]): Column[] => heads.map((head) => ({ head, figures: true }))

function renderFaults(faults: readonly FaultResult[]): HTMLElement {
  if (faults.length === 0) return section('faults', 'Faults', note('The scenario has none.'))
  const rows = faults.map((fault, at): Child[] => {
    const of = (phase: 'struck' | 'ended'): string =>
      tellMoments(fault.marks.filter((mark) => mark.phase === phase).map((mark) => mark.atMs))
    return [
      element('span', {}, element('span', { class: 'fault-number' }, String(at + 1)), ` ${fault.label}`),
      fault.roles.join(', ') || 'none',
      of('struck'),
      of('ended'),
      tellRecovery(fault),
    ]
  })
  return section('faults', 'Faults', table('Faults', text('Fault', 'Aimed at', 'Struck', 'Ended', 'Recovered'), rows))
}

/** The first and the last where there are many: the charts show them all. */
function tellMoments(moments: readonly number[]): string {
  const [first, ...others] = moments
  const last = others.at(-1)
  if (first === undefined) return 'never'
  return last === undefined
    ? formatMoment(first)
    : `${moments.length} times, ${formatMoment(first)} to ${formatMoment(last)}`
}

function tellRecovery(fault: FaultResult): Child {
  if (fault.failure !== null) return outcome('bad', `could not strike: ${fault.failure}`)
  if (fault.recoveredAfterMs === null) return outcome('bad', 'not within the storm')
  return outcome('good', `after ${formatMs(fault.recoveredAfterMs)}`)
}

function outcome(kind: 'good' | 'bad' | 'unknown', words: string): HTMLElement {
  return element('span', { class: `outcome outcome-${kind}` }, sign(kind), words)
}

function renderTimeline(timeline: readonly TimelineEntry[]): HTMLElement {
  const items = timeline.map((entry) =>
    element(
      'li',
      { class: `event event-${entry.kind}` },
      element('span', { class: 'event-at' }, formatMoment(entry.atMs)),
      element('span', { class: 'event-kind' }, entry.kind),
      element('span', { class: 'event-label' }, entry.label),
    ),
  )
  const list =
    items.length === 0 ? note('Nothing happened that is worth a line.') : element('ol', { class: 'timeline' }, ...items)
  return section('timeline', 'Timeline', list)
}

function renderRequests({ requests }: StormReport): HTMLElement {
  const rows = requests.map((row) => [
    row.kind,
    formatCount(row.count),
    formatCount(row.errors),
    formatMs(row.p50Ms),
    formatMs(row.p99Ms),
    formatMs(row.p999Ms),
    formatMs(row.maxMs),
  ])
  const columns = [...text('Kind'), ...figures('Requests', 'Errors', 'p50', 'p99', 'p99.9', 'Longest')]
  return section(
    'requests',
    'Requests by kind',
    note('Latency counts from the moment a request was due, not from when it was sent.'),
    table('Requests by kind', columns, rows),
  )
}

function renderCells({ cells }: StormReport): HTMLElement {
  if (cells.length === 0) return section('cells', 'Cells', note('The target does not say which cell answers.'))
  const rows = cells.map((row) => [
    row.cell,
    formatCount(row.viewers),
    formatCount(row.requests),
    formatCount(row.errors),
    formatMs(row.p50Ms),
    formatMs(row.p99Ms),
  ])
  return section(
    'cells',
    'Cells',
    table('Cells', [...text('Cell'), ...figures('Viewers', 'Requests', 'Errors', 'p50', 'p99')], rows),
  )
}

function renderErrors({ totals }: StormReport): HTMLElement {
  const reasons = Object.entries(totals.errorsByReason).sort((one, other) => other[1] - one[1])
  if (reasons.length === 0) return section('errors', 'Errors by reason', note('None.'))
  const rows = reasons.map(([reason, count]) => [
    reason,
    formatCount(count),
    formatRatio(count / Math.max(1, totals.errors)),
  ])
  return section(
    'errors',
    'Errors by reason',
    table('Errors by reason', [...text('Reason'), ...figures('Errors', 'Share')], rows),
  )
}

function renderProbes(probes: readonly ProbeResult[]): HTMLElement {
  if (probes.length === 0) return section('probes', 'Promises probed during the storm', note('None was probed.'))
  const rows = probes.map((probe) => [probe.name, formatCount(probe.checks), tellProbe(probe)])
  const violations = probes.flatMap((probe) =>
    probe.violations.map((violation) => [formatMoment(violation.atMs), probe.name, violation.what]),
  )
  const found = violations.length === 0 ? [] : [table('Violations', text('At', 'Promise', 'What was seen'), violations)]
  const columns = [...text('Promise'), ...figures('Checks'), ...text('Outcome')]
  return section('probes', 'Promises probed during the storm', table('Promises', columns, rows), ...found)
}

function tellProbe(probe: ProbeResult): Child {
  const unseen = probe.notProbed === null ? '' : `not watched throughout: ${probe.notProbed}`
  if (probe.violations.length > 0)
    return outcome('bad', [plural(probe.violations.length, 'violation'), unseen].filter(Boolean).join('; '))
  return probe.checks === 0 || unseen !== ''
    ? outcome('unknown', unseen || 'not checked once')
    : outcome('good', 'kept')
}

function renderJournal({ journal }: StormReport): HTMLElement {
  const heading = 'Events on the log'
  if (journal.notChecked !== null) return section('journal', heading, note(`Not checked: ${journal.notChecked}`))
  return section(
    'journal',
    heading,
    facts([
      ['Acknowledged', formatCount(journal.acknowledged)],
      ['Lost', formatCount(journal.lost)],
      ['Doubled', formatCount(journal.doubled)],
      ['Delivered again, without effect', formatCount(journal.redelivered)],
    ]),
  )
}

function renderGenerator({ generator }: StormReport): HTMLElement {
  return section(
    'generator',
    'The generator itself',
    note('A tool that is late measures itself. With a lag p99 above 5 ms a run is invalid, whatever it found.'),
    facts([
      ['Lag p50', formatMs(generator.lagP50Ms)],
      ['Lag p99', formatMs(generator.lagP99Ms)],
      ['Longest lag', formatMs(generator.lagMaxMs)],
      ['CPU of one core, mean', formatRatio(generator.cpuMean)],
      ['CPU of one core, most', formatRatio(generator.cpuMax)],
      ['Memory, most', formatBytes(generator.rssBytesMax)],
      ['Priority over other processes', generator.priorityRaised ? 'yes' : 'no'],
    ]),
  )
}

function renderSeconds({ series }: StormReport): HTMLElement {
  const rows = series.map((sample) => [
    formatMoment(sample.atMs),
    ...SECOND_COLUMNS.map((column) => column.tell(sample)),
  ])
  const columns = [{ head: 'At', figures: true as const }, ...figures(...SECOND_COLUMNS.map(({ head }) => head))]
  const details = element(
    'details',
    {},
    element('summary', {}, `The figures behind the charts (${plural(series.length, 'second')})`),
    table('Second by second', columns, rows),
  )
  return section('seconds', 'Second by second', series.length === 0 ? note('No second was recorded.') : details)
}

function renderRepeat(report: StormReport): HTMLElement {
  return section(
    'repeat',
    'Run it again',
    note('The seed fixes who arrives when and what each viewer means to do; what the platform answers is its own.'),
    element('pre', { tabindex: '0', 'aria-label': 'Command' }, element('code', {}, report.repeat)),
    element('p', { class: 'note' }, `Report ${report.id}, format ${report.version}.`),
  )
}
