import { type ReactElement, useEffect, useId, useRef } from 'react'
import uPlot from 'uplot'
import { AXIS_LOOK, colour, type SeriesLook, STROKES } from '../../common/plot-look.ts'
import 'uplot/dist/uPlot.min.css'

export type ChartLine = {
  readonly name: string
  readonly look: SeriesLook
  readonly values: readonly (number | null)[]
}
export type ChartProps = {
  readonly title: string
  /** What the left axis measures, with its unit. */
  readonly unit: string
  readonly atMs: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly format: (value: number | null) => string
  /** The axis ends here; else a little above the highest value. */
  readonly top?: number
}

type Drawn = {
  readonly lines: readonly ChartLine[]
  readonly format: ChartProps['format']
  readonly top: number | undefined
}

const HEIGHT = 200

/** Lines over the last minutes. The legend tells the newest values; what is drawn is also said in a sentence. */
export function Chart({ title, unit, atMs, lines, format, top }: ChartProps): ReactElement {
  const titleId = useId()
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const drawn = useRef<Drawn>({ lines, format, top })
  drawn.current = { lines, format, top }
  useEffect(() => {
    const parent = place.current
    if (parent === null) return
    const chart = openPlot(parent, drawn)
    plot.current = chart
    const resized = new ResizeObserver(() =>
      chart.setSize({ width: Math.max(160, parent.clientWidth), height: HEIGHT }),
    )
    resized.observe(parent)
    const theme = matchMedia('(prefers-color-scheme: light)')
    const redraw = (): void => chart.redraw(false)
    theme.addEventListener('change', redraw)
    return () => {
      theme.removeEventListener('change', redraw)
      resized.disconnect()
      chart.destroy()
    }
  }, [])
  useEffect(() => {
    plot.current?.setData([atMs.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])])
  }, [atMs, lines])
  const newest = lines.map(({ name, values }) => `${name} ${format(values.at(-1) ?? null)}`).join(', ')
  return (
    <figure className="panel edge-chart" aria-labelledby={titleId}>
      <figcaption>
        <h3 id={titleId}>{title}</h3>
        <ul className="edge-legend">
          {lines.map(({ name, look, values }) => (
            <li key={name}>
              <Stroke look={look} />
              {name} <b>{format(values.at(-1) ?? null)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <p className="edge-unit">{unit}</p>
      <div
        ref={place}
        className="edge-plot"
        role="img"
        aria-label={`${title}, ${unit}, the newest values: ${newest}.`}
      />
    </figure>
  )
}

/** A piece of the line itself: its dashes tell it as well as its colour does. */
function Stroke({ look }: { look: SeriesLook }): ReactElement {
  const { width, dash } = STROKES[look]
  return (
    <svg width="1.5rem" height="0.5rem" viewBox="0 0 24 8" aria-hidden="true" focusable="false">
      <path d="M0 4h24" stroke={`var(--series-${look})`} strokeWidth={width} strokeDasharray={dash.join(' ')} />
    </svg>
  )
}

function openPlot(parent: HTMLElement, drawn: { readonly current: Drawn }): uPlot {
  const { lines } = drawn.current
  return new uPlot(
    {
      width: Math.max(160, parent.clientWidth),
      height: HEIGHT,
      padding: [12, 12, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true },
        // From zero, with room above: a line must not look steeper than it is.
        y: { range: (_self, _min, max) => [0, drawn.current.top ?? (max > 0 ? max * 1.08 : 1)] },
      },
      axes: [
        { ...AXIS_LOOK, size: 28, space: 72 },
        {
          ...AXIS_LOOK,
          size: 56,
          space: 36,
          values: (_self, splits) => splits.map((value) => drawn.current.format(value)),
        },
      ],
      series: [
        {},
        ...lines.map(({ name, look }) => ({
          label: name,
          stroke: () => colour(`--series-${look}`),
          ...STROKES[look],
          points: { show: false },
        })),
      ],
    },
    [[], ...lines.map(() => [])],
    parent,
  )
}
