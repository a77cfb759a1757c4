import { expect, test } from 'bun:test'
import type { Sample } from '../../src/storm/report/report.ts'
import { makeStormReport } from '../../test/fixtures/storm-report.ts'
import { planCharts } from './charts.ts'

const REPORT = makeStormReport()
const LINES_MAX = 5

test('every axis says its unit, no chart has more than five lines, no two of a chart look alike', () => {
  const charts = planCharts(REPORT)
  expect(charts.map(({ id }) => id)).toEqual([
    'viewers',
    'latency',
    'requests',
    'errors',
    'startup',
    'data',
    'roles',
    'generator',
  ])
  for (const { axis, rightAxis, lines } of charts) {
    for (const { label } of [axis, rightAxis ?? axis])
      expect(label).toMatch(/\((?:count|per second|ms|MB|viewers|% of)/)
    expect(lines.length).toBeLessThanOrEqual(LINES_MAX)
    expect(new Set(lines.map(({ look }) => look)).size).toBe(lines.length)
    for (const { values } of lines) expect(values).toHaveLength(REPORT.series.length)
  }
})

test('the errors of cells: the worst each by itself, the others together, never more than all', () => {
  const [model] = REPORT.series as [Sample]
  const errorsByCell = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`c${at}`, at]))
  const errors = planCharts({ series: [{ ...model, errors: 36, errorsByCell }] }).find(({ id }) => id === 'errors')
  expect(errors?.lines.map(({ name, values }) => [name, ...values])).toEqual([
    ['All', 36],
    ['Cell c8', 8],
    ['Cell c7', 7],
    ['Cell c6', 6],
    ['Other cells', 15],
  ])
})

test('with one cell its line would say the same twice; where nobody sees inside there is no chart of roles', () => {
  const series = REPORT.series.map((sample) => ({ ...sample, errorsByCell: { a: sample.errors }, rolesDown: null }))
  const charts = planCharts({ series })
  expect(charts.find(({ id }) => id === 'errors')?.lines.map(({ name }) => name)).toEqual(['All'])
  expect(charts.find(({ id }) => id === 'roles')).toBeUndefined()
})

test('a logarithmic axis is never given a zero', () => {
  const series = REPORT.series.map((sample) => ({ ...sample, p50Ms: 0 }))
  expect(
    planCharts({ series })
      .find(({ id }) => id === 'latency')
      ?.lines[0]?.values.every((value) => value === null),
  ).toBe(true)
})
