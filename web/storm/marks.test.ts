import { expect, test } from 'bun:test'
import { makeStormReport } from '../../test/fixtures/storm-report.ts'
import { describeMoment, planMarks } from './marks.ts'

const REPORT = makeStormReport()
const [CELL] = REPORT.faults
if (CELL === undefined) throw new Error('the fixture has faults')
const mark = (phase: 'struck' | 'ended' | 'failed', atMs: number) => ({
  faultId: 'x',
  label: 'x',
  roles: [],
  phase,
  atMs,
})
const spans = (marks: ReturnType<typeof mark>[]) =>
  planMarks({ ...REPORT, faults: [{ ...CELL, marks }] }).strikes.map((strike) => [
    strike.fromMs,
    strike.toMs,
    strike.labelToMs,
  ])

const CASES: readonly (readonly [string, ReturnType<typeof mark>[], (number | null)[][]])[] = [
  ['struck and ended', [mark('struck', 1_000), mark('ended', 4_000)], [[1_000, 4_000, 60_000]]],
  ['never ended', [mark('struck', 50_000)], [[50_000, 60_000, 60_000]]],
  ['never struck', [mark('failed', 1_000)], []],
  [
    'again and again: one label',
    [mark('struck', 1_000), mark('ended', 1_010), mark('struck', 3_000), mark('ended', 3_010)],
    [
      [1_000, 1_010, 60_000],
      [3_000, 3_010, null],
    ],
  ],
  [
    'one end for several strikes: the earlier are moments',
    [mark('struck', 1_000), mark('struck', 3_000), mark('ended', 3_500)],
    [
      [1_000, 1_000, 60_000],
      [3_000, 3_500, null],
    ],
  ],
]

test.each(CASES)('%s', (_name, marks, expected) => {
  expect(spans(marks)).toEqual(expected)
})

test("a label ends where the next fault's begins; a recovery stands where it was seen", () => {
  const marks = planMarks(REPORT)
  expect(marks.strikes.map(({ number, labelToMs }) => [number, labelToMs])).toEqual([
    [1, 40_015],
    [2, 60_000],
  ])
  expect(marks.recoveries).toEqual([
    { number: 1, atMs: 28_900 },
    { number: 2, atMs: 41_320 },
  ])
})

test('a moment in words: its phase, and what strikes', () => {
  const marks = planMarks(REPORT)
  expect(describeMoment(marks, 5_000)).toBe('quiet evening')
  expect(describeMoment(marks, 20_000)).toBe('spike · cell-b killed and kept down for 8 s')
  expect(describeMoment(marks, 40_500)).toBe('hold · store killed')
  expect(describeMoment(marks, 99_000)).toBe('')
})
