import type uPlot from 'uplot'

/** How the lines of a chart are told apart besides their colours, `--series-1` to `--series-5`. */
export type SeriesLook = 1 | 2 | 3 | 4 | 5

export const STROKES: Readonly<Record<SeriesLook, { readonly width: number; readonly dash: number[] }>> = {
  1: { width: 2, dash: [] },
  2: { width: 2, dash: [7, 4] },
  3: { width: 2, dash: [2, 3] },
  4: { width: 2.5, dash: [] },
  5: { width: 2, dash: [10, 3, 2, 3] },
}

/** Colours come from the style sheet at every draw, so that a change of theme needs no more than a redraw. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

export const AXIS_LOOK: uPlot.Axis = {
  stroke: () => colour('--quiet'),
  font: '12px "Inter Variable", system-ui, sans-serif',
  gap: 6,
  grid: { stroke: () => colour('--line'), width: 1 },
  ticks: { stroke: () => colour('--line'), width: 1, size: 4 },
}
