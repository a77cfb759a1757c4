import type { ObjectiveResult, StormReport } from '../../src/storm/report/report.ts'
import {
  formatBytes,
  formatCount,
  formatLimit,
  formatMeasure,
  formatMs,
  formatRatio,
  OUTCOME_WORDS,
  plural,
  rebufferRatio,
  verdictLine,
} from '../../src/storm/report/words.ts'
import { element, facts, section, sign, table } from './dom.ts'

const VERDICT_SIGNS = { passed: 'good', failed: 'bad', invalid: 'unknown' } as const
const OUTCOME_SIGNS = { met: 'good', missed: 'bad', 'not-measured': 'unknown' } as const

/** The top of the page: what came out, of what, where and when. */
export function renderHeader(report: StormReport): HTMLElement {
  const reasons = report.invalidBecause.map((reason) => element('li', {}, reason))
  return element(
    'header',
    { class: 'header' },
    element('p', { class: 'eyebrow' }, `Storm report · ${report.scenario.name}`),
    element(
      'h1',
      { class: `verdict verdict-${VERDICT_SIGNS[report.verdict]}`, 'data-testid': 'verdict' },
      sign(VERDICT_SIGNS[report.verdict]),
      element('span', {}, headline(report)),
    ),
    ...(reasons.length > 0 ? [element('ul', { class: 'reasons', 'aria-label': 'Why it is invalid' }, ...reasons)] : []),
    element('p', { class: 'lead' }, report.scenario.description),
    renderFacts(report),
    renderHeadlineFigures(report),
  )
}

/** The reasons of an invalid run stand below it, so its headline is only a word. */
function headline(report: StormReport): string {
  return report.verdict === 'invalid' ? 'Invalid: this run says nothing about the platform' : verdictLine(report)
}

function renderFacts(report: StormReport): HTMLElement {
  const { scenario, target, machine, tool } = report
  const version = target.version === null ? '' : `, version ${target.version}`
  return facts([
    [
      'Scenario',
      `${scenario.name}, ${formatMs(scenario.durationMs)}, baseline ${scenario.baselinePerSecond} viewers/s`,
    ],
    ['Seed', String(report.seed)],
    ['Target', `${target.url} (${target.startedByStorm ? 'started by the storm' : 'already running'}${version})`],
    ['Begun', `${report.startedAt.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '')} UTC`],
    ['Machine', `${plural(machine.cores, 'core')}, ${formatBytes(machine.memoryBytes)}, ${machine.os}`],
    ['Tool', `tentpole ${tool.version}, Bun ${tool.bun}`],
  ])
}

/** The night in eight figures. */
function renderHeadlineFigures({ totals, generator }: StormReport): HTMLElement {
  const stalled = rebufferRatio(totals)
  const tiles: readonly (readonly [string, string, string])[] = [
    ['Viewers at once', formatCount(totals.viewersPeak), `${formatCount(totals.viewers)} in all`],
    ['Requests at peak', `${formatCount(totals.requestsPerSecondPeak)}/s`, `${formatCount(totals.requests)} in all`],
    [
      'Errors',
      formatCount(totals.errors),
      totals.requests > 0 ? `${formatRatio(totals.errors / totals.requests)} of requests` : 'no requests',
    ],
    ['Startup p95', formatMs(totals.startupP95Ms), `p50 ${formatMs(totals.startupP50Ms)}`],
    ['Time stalled', stalled === null ? 'none' : formatRatio(stalled), plural(totals.stalls, 'stall')],
    ['Viewers lost', formatCount(totals.gaveUp), `of ${formatCount(totals.viewers)} who came`],
    ['Data served', formatBytes(totals.bytes), `${plural(totals.started, 'film')} begun`],
    ['Generator lag p99', formatMs(generator.lagP99Ms), 'at most 5 ms is believable'],
  ]
  const items = tiles.map(([name, value, beside]) =>
    element(
      'div',
      { class: 'tile' },
      element('dt', {}, name),
      element('dd', { class: 'tile-value' }, value),
      element('dd', {}, beside),
    ),
  )
  return element('dl', { class: 'tiles' }, ...items)
}

export function renderObjectives(objectives: readonly ObjectiveResult[]): HTMLElement {
  if (objectives.length === 0)
    return section('objectives', 'Objectives', element('p', { class: 'note' }, 'The scenario sets none.'))
  const rows = objectives.map((objective) => [
    objective.name,
    element(
      'span',
      { class: `outcome outcome-${OUTCOME_SIGNS[objective.outcome]}` },
      sign(OUTCOME_SIGNS[objective.outcome]),
      OUTCOME_WORDS[objective.outcome],
    ),
    objective.measured === null ? '–' : formatMeasure(objective.measured, objective.unit),
    formatLimit(objective),
    element('span', { class: 'detail' }, objective.detail),
  ])
  const columns = [
    { head: 'Objective' },
    { head: 'Outcome' },
    { head: 'Measured', figures: true as const },
    { head: 'Limit', figures: true as const },
    { head: 'How it was found' },
  ]
  return section('objectives', 'Objectives', table('Objectives', columns, rows))
}
