import { expect, test } from 'bun:test'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import { compareReports, renderComparison } from './compare.ts'
import type { StormReport } from './report.ts'

const A = makeStormReport()
const row = (b: StormReport, name: string) => compareReports(A, b).rows.find((candidate) => candidate.name === name)

test('a report beside itself: nothing changed, nothing to warn of', () => {
  const { warnings, rows } = compareReports(A, A)
  expect(warnings).toEqual([])
  expect(rows.length).toBeGreaterThan(30)
  for (const { a, b, change } of rows) {
    expect(a).toEqual(b)
    expect(change === null || change === 0).toBe(true)
  }
})

const CHANGES: readonly (readonly [string, Partial<StormReport>, object])[] = [
  ['errors', { totals: { ...A.totals, errors: 107 } }, { unit: 'count', a: 214, b: 107, change: -0.5 }],
  ['time stalled', { totals: { ...A.totals, playedMs: 0, stalledMs: 0 } }, { unit: 'ratio', b: null, change: null }],
  ['startup p95', { totals: { ...A.totals, startups: 0, startupP95Ms: 0 } }, { a: 1_240, b: null }],
  [
    'home p99',
    { requests: A.requests.map((one) => ({ ...one, p99Ms: one.p99Ms * 2 })) },
    { a: 412, b: 824, change: 1 },
  ],
  ['home p99', { requests: [] }, { a: 412, b: null, change: null }],
  ['recovery: store killed', { faults: A.faults.slice(0, 1) }, { a: 1_300, b: null }],
  ['verdict', { verdict: 'passed' }, { unit: 'word', a: 'failed', b: 'passed' }],
  ['objective: Press play, p99', { objectives: [] }, { a: 'missed', b: null }],
  ['generator lag p99', { generator: { ...A.generator, lagP99Ms: 3.8 } }, { a: 1.9, b: 3.8, change: 1 }],
]

test.each(CHANGES)('%s with %#', (name, changes, expected) => {
  expect(row(makeStormReport(changes), name)).toMatchObject(expected)
})

const WARNINGS: readonly (readonly [Partial<StormReport>, string])[] = [
  [{ seed: 7 }, 'different seeds: 42 against 7'],
  [{ scenario: { ...A.scenario, name: 'cell-down' } }, 'different scenarios: premiere against cell-down'],
  [{ scenario: { ...A.scenario, baselinePerSecond: 4 } }, 'different baselines: 2 viewers/s against 4 viewers/s'],
  [{ machine: { ...A.machine, cores: 8 } }, 'different machines: 2 cores, 8.3 GB, linux 6.1 x64 against 8 cores'],
  [{ verdict: 'invalid', invalidBecause: ['it lagged'] }, 'B is invalid: it lagged'],
]

test.each(WARNINGS)('%j warns', (changes, warning) => {
  const { warnings } = compareReports(A, makeStormReport(changes))
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toStartWith(warning)
})

test('side by side, with the change of each', () => {
  const faster = makeStormReport({ seed: 7, totals: { ...A.totals, errors: 0 }, verdict: 'passed' })
  const lines = renderComparison(compareReports(A, faster))
  expect(lines.slice(0, 2)).toEqual(['warning: different seeds: 42 against 7', ''])
  expect(lines[2]).toMatch(/^ +A +B +change$/)
  const text = lines.join('\n')
  expect(text).toMatch(/\nverdict +failed +passed +changed\n/)
  expect(text).toMatch(/\nerrors +214 +0 +−100%\n/)
  expect(text).toMatch(/\nrequests +96,310 +96,310 +=\n/)
})
