import type { StormReport } from '../../src/storm/report/report.ts'
import { formatMoment, verdictLine } from '../../src/storm/report/words.ts'
import { createChart } from './chart.ts'
import { planCharts } from './charts.ts'
import { element, note, section } from './dom.ts'
import { describeMoment, type Marks, planMarks } from './marks.ts'
import { renderTables } from './tables.ts'
import { renderHeader, renderObjectives } from './verdict.ts'
import './report.css'

// `as`: the page and the report inside it are written by one version of one tool.
const report = JSON.parse(document.getElementById('report')?.textContent ?? '') as StormReport
const main = document.getElementById('main')
document.title = `${verdictLine(report)} · ${report.scenario.name}`
main?.append(renderHeader(report), renderObjectives(report.objectives))
const charts = element('div', { class: 'charts' })
main?.append(section('charts', 'How it went', charts), ...renderTables(report))
// Labels on a canvas keep the face they were drawn with, so the face comes first.
await document.fonts.load('12px "Inter Variable"').catch(() => [])
fillCharts(charts)

function fillCharts(container: HTMLElement): void {
  if (report.series.length === 0) {
    container.append(note('There is nothing to draw: no second was recorded.'))
    return
  }
  const marks = planMarks(report)
  const atMs = report.series.map((sample) => sample.atMs)
  const scrubber = createScrubber(atMs, marks, (at) => {
    for (const chart of drawn) chart.show(at)
  })
  const drawn = planCharts(report).map((plan) => createChart({ plan, atMs, marks, onMoment: scrubber.follow }))
  container.before(renderKey(), scrubber.root)
  container.append(...drawn.map(({ figure }) => figure))
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', () => {
    for (const chart of drawn) chart.redraw()
  })
}

/** One slider for the cursor of all charts: what a mouse does by hovering, for keyboards and thumbs. */
function createScrubber(
  atMs: readonly number[],
  marks: Marks,
  onMove: (at: number) => void,
): { root: HTMLElement; follow: (at: number | null) => void } {
  const input = element('input', { type: 'range', id: 'moment', min: '0', max: String(atMs.length - 1), value: '0' })
  const output = element('output', { for: 'moment' }, 'Move to read every chart at one second')
  const tell = (at: number): void => {
    const ms = atMs[at] ?? 0
    output.textContent = `${formatMoment(ms)} ${describeMoment(marks, ms)}`
    input.setAttribute('aria-valuetext', output.textContent)
  }
  input.addEventListener('input', () => {
    tell(input.valueAsNumber)
    onMove(input.valueAsNumber)
  })
  return {
    root: element('div', { class: 'scrubber' }, element('label', { for: 'moment' }, 'Moment'), input, output),
    follow: (at) => {
      if (at === null) return
      input.value = String(at)
      tell(at)
    },
  }
}

function renderKey(): HTMLElement {
  return element(
    'p',
    { class: 'key' },
    keyPart('key-fault', 'a fault, from strike to end'),
    keyPart('key-recovery', 'recovered'),
    keyPart('key-phase', 'phases of the scenario'),
  )
}

function keyPart(look: string, words: string): HTMLElement {
  return element('span', {}, element('span', { class: `key-sign ${look}`, 'aria-hidden': 'true' }), words)
}
