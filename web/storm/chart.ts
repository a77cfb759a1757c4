import uPlot from 'uplot'
import { AXIS_LOOK, colour, STROKES } from '../common/plot-look.ts'
import type { AxisPlan, ChartPlan, LinePlan } from './charts.ts'
import { element } from './dom.ts'
import type { Marks } from './marks.ts'
import 'uplot/dist/uPlot.min.css'

/** A chart on the page. Moments are indices into the series. */
export type Chart = {
  readonly figure: HTMLElement
  show(at: number): void
  redraw(): void
}

const HEIGHT = 260
/** Above the plot: a row for the phases' names, one for the faults'. */
const TOP_ROWS = 40

/** Draws a plan over the storm's seconds. All charts of one page share their cursor; `onMoment` hears where it is. */
export function createChart(options: {
  plan: ChartPlan
  atMs: readonly number[]
  marks: Marks
  onMoment: (at: number | null) => void
}): Chart {
  const { plan, atMs, marks } = options
  const plot = element('div', { class: 'plot', role: 'img', 'aria-label': describe(plan, marks) })
  const legend = createLegend(plan, (line, shown) => chart.setSeries(line + 1, { show: shown }))
  const figure = renderFigure(plan, plot, legend.list)
  const chart = new uPlot(
    {
      width: 320,
      height: HEIGHT,
      padding: [TOP_ROWS, plan.rightAxis === undefined ? 12 : 0, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'storm', scales: ['x', null] } },
      scales: {
        x: { time: false, range: [0, marks.endMs / 1000] },
        left: scaleOf(plan.axis),
        ...(plan.rightAxis === undefined ? {} : { right: scaleOf(plan.rightAxis) }),
      },
      axes: [
        { ...AXIS_LOOK, size: 28, space: 44 },
        { ...AXIS_LOOK, ...axisOf(plan.axis), scale: 'left', size: 52 },
        ...(plan.rightAxis === undefined
          ? []
          : [{ ...AXIS_LOOK, ...axisOf(plan.rightAxis), scale: 'right', side: 1, size: 48, grid: { show: false } }]),
      ],
      series: [{}, ...plan.lines.map(toSeries)],
      hooks: {
        setCursor: [
          (self) => {
            legend.show(self.cursor.idx ?? null)
            // Only the chart under the pointer tells: the others follow it.
            if (self.cursor.event !== undefined) options.onMoment(self.cursor.idx ?? null)
          },
        ],
      },
    },
    [atMs.map((ms) => ms / 1000), ...plan.lines.map((line) => [...line.values])],
    plot,
  )
  renderMarks(chart.under, marks)
  new ResizeObserver(() => chart.setSize({ width: Math.max(200, plot.clientWidth), height: HEIGHT })).observe(plot)
  return {
    figure,
    show: (at) => chart.setCursor({ left: chart.valToPos((atMs[at] ?? 0) / 1000, 'x'), top: 0 }),
    redraw: () => chart.redraw(false),
  }
}

function renderFigure(plan: ChartPlan, plot: HTMLElement, legend: HTMLElement): HTMLElement {
  const right = plan.rightAxis === undefined ? [] : [element('span', { class: 'axis-label' }, plan.rightAxis.label)]
  return element(
    'figure',
    { class: 'chart', id: `chart-${plan.id}`, 'aria-labelledby': `chart-${plan.id}-title` },
    element('h3', { id: `chart-${plan.id}-title` }, plan.title),
    legend,
    element('div', { class: 'axis-labels' }, element('span', { class: 'axis-label' }, plan.axis.label), ...right),
    plot,
    element('div', { class: 'axis-label axis-label-x' }, 'Time since the storm began (s)'),
  )
}

function axisOf(axis: AxisPlan): uPlot.Axis {
  const isDecade = (value: number): boolean => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)
  // Nine lines a decade would be a hatching.
  const grid: uPlot.Axis.Grid = { filter: (_self, splits) => splits.map((value) => (isDecade(value) ? value : null)) }
  return {
    ...(axis.logarithmic ? { grid: { ...AXIS_LOOK.grid, ...grid }, ticks: { show: false } } : {}),
    space: 36,
    values: (_self, splits) => splits.map((value) => (value === null ? '' : axis.format(value))),
  }
}

function scaleOf(axis: AxisPlan): uPlot.Scale {
  if (axis.logarithmic) {
    return {
      distr: 3,
      range: (_self, min, max) => (max > 0 ? uPlot.rangeLog(min, max, 10, true) : [1, 10]),
    }
  }
  // From zero, with room above: a line must not look steeper than it is.
  return { range: (_self, _min, max) => [0, max > 0 ? max * 1.08 : 1] }
}

function toSeries(line: LinePlan): uPlot.Series {
  return {
    label: line.name,
    scale: line.right ? 'right' : 'left',
    stroke: () => colour(`--series-${line.look}`),
    ...STROKES[line.look],
    points: { show: line.values.filter((value) => value !== null).length < 4 },
  }
}

/** Names, strokes and values; a press hides a line. Without a cursor it tells each line's peak. */
function createLegend(
  plan: ChartPlan,
  onToggle: (line: number, shown: boolean) => void,
): { list: HTMLElement; show: (at: number | null) => void } {
  const values = plan.lines.map(() => element('span', { class: 'legend-value' }))
  const items = plan.lines.map((line, at) => {
    const marker = element('span', { class: `marker look-${line.look}`, 'aria-hidden': 'true' })
    const button = element(
      'button',
      { type: 'button', 'aria-pressed': 'true' },
      marker,
      `${line.name} `,
      values[at] ?? '',
    )
    button.addEventListener('click', () => {
      const shown = button.getAttribute('aria-pressed') !== 'true'
      button.setAttribute('aria-pressed', String(shown))
      onToggle(at, shown)
    })
    return element('li', {}, button)
  })
  const show = (at: number | null): void => {
    for (const [index, line] of plan.lines.entries()) {
      const axis = line.right ? (plan.rightAxis ?? plan.axis) : plan.axis
      const value = at === null ? peakOf(line) : (line.values[at] ?? null)
      const text = value === null ? 'none' : axis.format(value)
      values[index]?.replaceChildren(at === null ? `peak ${text}` : text)
    }
  }
  show(null)
  return { list: element('ul', { class: 'legend' }, ...items), show }
}

function peakOf(line: LinePlan): number | null {
  return line.values.reduce<number | null>(
    (peak, value) => (value === null ? peak : Math.max(peak ?? value, value)),
    null,
  )
}

/** Laid out in shares of the plot's width, so that a resize needs nothing from us. */
function renderMarks(under: HTMLElement, marks: Marks): void {
  const place = (node: HTMLElement, fromMs: number, toMs: number): HTMLElement => {
    node.style.left = `${(fromMs / marks.endMs) * 100}%`
    node.style.width = `${(Math.max(0, toMs - fromMs) / marks.endMs) * 100}%`
    return node
  }
  for (const phase of marks.phases) {
    const name = element('span', { class: 'phase-name' }, phase.name)
    under.append(place(element('div', { class: 'phase-band' }, name), phase.fromMs, phase.toMs))
  }
  for (const strike of marks.strikes) {
    under.append(place(element('div', { class: 'fault-mark' }), strike.fromMs, strike.toMs))
    if (strike.labelToMs === null) continue
    const badge = element('span', { class: 'fault-number' }, String(strike.number))
    const label = element('div', { class: 'fault-label', title: strike.label }, badge, ` ${strike.label}`)
    under.append(place(label, strike.fromMs, strike.labelToMs))
  }
  for (const recovery of marks.recoveries) {
    under.append(place(element('div', { class: 'recovery-mark' }), recovery.atMs, recovery.atMs))
  }
}

/** The picture in a sentence, for those who do not see it. */
function describe(plan: ChartPlan, marks: Marks): string {
  const axes = [plan.axis.label, ...(plan.rightAxis === undefined ? [] : [plan.rightAxis.label])].join(' and ')
  const peaks = plan.lines.map((line) => {
    const peak = peakOf(line)
    const axis = line.right ? (plan.rightAxis ?? plan.axis) : plan.axis
    return `${line.name} at most ${peak === null ? 'none' : axis.format(peak)}`
  })
  const faults = marks.strikes
    .filter((strike) => strike.labelToMs !== null)
    .map((strike) => `${strike.label} at ${Math.round(strike.fromMs / 1000)} s`)
  const struck = faults.length > 0 ? ` Faults: ${faults.join('; ')}.` : ''
  return `${plan.title}: ${axes} over the time since the storm began (s). ${peaks.join(', ')}.${struck}`
}
