import { expect, test } from 'bun:test'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import type { ObjectiveResult, Verdict } from './report.ts'
import { formatBytes, formatLimit, formatMoment, formatMs, formatRatio, formatShort, verdictLine } from './words.ts'

const FIGURES: readonly (readonly [string, string])[] = [
  [formatMs(0), '0 ms'],
  [formatMs(4.23), '4.2 ms'],
  [formatMs(500.3), '500.3 ms'],
  [formatMs(1_240.4), '1,240 ms'],
  [formatMs(12_400), '12.4 s'],
  [formatRatio(0), '0%'],
  [formatRatio(0.000_004), '0.0004%'],
  [formatRatio(0.123_4), '12.3%'],
  [formatRatio(1), '100%'],
  [formatRatio(0.999_999), '99.999%'],
  [formatShort(0.25), '0.25'],
  [formatShort(9_999), '9,999'],
  [formatShort(12_300), '12.3k'],
  [formatShort(4_600_000), '4.6M'],
  [formatBytes(0), '0 B'],
  [formatBytes(999), '999 B'],
  [formatBytes(3_410_000), '3.4 MB'],
  [formatMoment(0), '0:00.0'],
  [formatMoment(61_349), '1:01.3'],
  [formatMoment(59_970), '1:00.0'],
  [formatLimit({ limit: 0, bound: 'max', unit: 'count' }), 'none allowed'],
  [formatLimit({ limit: 0.9, bound: 'min', unit: 'ratio' }), 'at least 90%'],
]

test.each(FIGURES)('%s', (said, expected) => {
  expect(said).toBe(expected)
})

const LINES: readonly (readonly [Verdict, string, string])[] = [
  ['passed', '', 'Passed: no objective was set'],
  ['passed', 'met', 'Passed: its one objective met'],
  ['passed', 'met met', 'Passed: all 2 objectives met'],
  ['passed', 'met not-measured', 'Passed: 1 of 2 objectives met, 1 not measured'],
  ['failed', 'met missed missed', 'Failed: 2 of 3 objectives missed'],
  ['failed', 'missed not-measured', 'Failed: 1 of 2 objectives missed, 1 not measured'],
]

test.each(LINES)('%s with [%s]', (verdict, outcomes, expected) => {
  const [model] = makeStormReport().objectives as [ObjectiveResult]
  const objectives = outcomes
    .split(' ')
    .filter(Boolean)
    .map((outcome) => ({ ...model, outcome: outcome as ObjectiveResult['outcome'] }))
  expect(verdictLine({ verdict, objectives, invalidBecause: [] })).toBe(expected)
})

test('an invalid run says its first reason and how many more there are', () => {
  const line = verdictLine({ verdict: 'invalid', objectives: [], invalidBecause: ['one', 'two', 'three'] })
  expect(line).toBe('Invalid: one, and 2 reasons more')
})
