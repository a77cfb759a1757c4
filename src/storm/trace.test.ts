import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError } from '../kernel/index.ts'
import { arrivalsExpected, peakPerSecond } from './arrivals.ts'
import { durationOf } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { parseTrace, toPhases, withTrace } from './trace.ts'

const SHARED = resolve(import.meta.dir, '../../../shared/traces/worldcup98-requests-per-minute.csv')
const SCALE = { durationMs: 60_000, baselinePerSecond: 2, peakPerSecond: 100 }

/** One row a minute from midnight on. */
function toCsv(counts: readonly number[]): string {
  const rows = counts.map((count, at) => {
    const time = new Date(Date.UTC(2026, 0, 2) + at * 60_000).toISOString()
    return `${time.slice(0, 10)} ${time.slice(11, 19)},${count}`
  })
  return ['period,count', ...rows, ''].join('\n')
}

const messageOf = (run: () => unknown): string => {
  try {
    run()
    return 'nothing is wrong'
  } catch (error) {
    return describeError(error)
  }
}

test('rows are minutes; those that are left out count nothing', () => {
  const { counts } = parseTrace('period,count\r\n2026-01-01 00:00:00,5\r\n2026-01-01 00:03:00,7\r\n')
  expect([...counts]).toEqual([5, 0, 0, 7])
})

const refused: [what: string, text: string, ...told: string[]][] = [
  ['another header', 'time;n\n2026-01-01 00:00:00,1\n2026-01-01 00:01:00,1', 'line 1', 'time;n'],
  ['a row that is none', 'period,count\n2026-01-01 00:00:00,1\nnonsense', 'line 3', 'nonsense'],
  ['a day that is none', 'period,count\n2026-02-30 00:00:00,1\n2026-03-01 00:00:00,1', 'line 2'],
  ['a count below nothing', 'period,count\n2026-01-01 00:00:00,-1\n2026-01-01 00:01:00,1', 'line 2', '-1'],
  ['time that goes back', 'period,count\n2026-01-01 00:01:00,1\n2026-01-01 00:00:00,1', 'line 3', 'later'],
  ['the same minute twice', 'period,count\n2026-01-01 00:01:00,1\n2026-01-01 00:01:30,1', 'line 3', 'later'],
  ['a file without rows', 'period,count\n', 'two rows'],
  ['centuries', 'period,count\n1998-01-01 00:00:00,1\n2026-01-01 00:00:00,1', 'minutes'],
]
for (const [what, text, ...told] of refused)
  test(`refused: ${what}`, () => {
    for (const part of told) expect(messageOf(() => parseTrace(text))).toContain(part)
  })

test('a file of another kind is not told line by line', () => {
  expect(messageOf(() => parseTrace('x\n'.repeat(100_000))).split('\n').length).toBeLessThan(15)
})

test('two hours around the highest minute fill the time, and the highest ramp meets the peak', () => {
  const counts = Array.from({ length: 1_000 }, (_, at) => (at >= 700 && at < 710 ? 900 : 100))
  const phases = toPhases(parseTrace(toCsv(counts)), SCALE)
  expect(durationOf({ phases })).toBeCloseTo(60_000, 6)
  expect(peakPerSecond({ phases, baselinePerSecond: 2 })).toBeCloseTo(100, 9)
  const highest = phases.findIndex(({ arrivals }) => typeof arrivals === 'object' && arrivals.to > 40)
  expect(Math.abs(highest - phases.length / 2)).toBeLessThan(3)
  expect(phases[0]?.arrivals).toEqual({ from: expect.closeTo(5.56, 1), to: expect.closeTo(5.56, 1) })
})

test('ramps meet, and keep the shape of the minutes', () => {
  const phases = toPhases(parseTrace(toCsv([0, 10, 20, 40])), { ...SCALE, minutes: 4 })
  expect(phases.map(({ arrivals }) => arrivals)).toEqual([
    { from: 0, to: 12.5 },
    { from: 12.5, to: 25 },
    { from: 25, to: 50 },
  ])
  expect(phases.map(({ name }) => name)).toEqual(['00:00', '00:01', '00:02'])
})

test('a window is found by its minute, and refused where the trace has none', () => {
  const trace = parseTrace(toCsv([...Array(60).fill(1), ...Array(60).fill(10)]))
  const [first] = toPhases(trace, { ...SCALE, from: '2026-01-02 01:00', minutes: 30 })
  expect(first).toMatchObject({ name: '01:00', arrivals: { from: 50, to: 50 } })
  const wrong: [from: string | undefined, minutes: number, told: string][] = [
    ['2026-01-02 01:45', 30, '2026-01-02 01:30'],
    ['2026-01-01 23:00', 30, '2026-01-02 00:00'],
    ['tonight', 30, 'tonight'],
    [undefined, 500, '120'],
    [undefined, 1, 'got 1'],
  ]
  for (const [from, minutes, told] of wrong)
    expect(messageOf(() => toPhases(trace, { ...SCALE, minutes, ...(from ? { from } : {}) }))).toContain(told)
})

test('a window in which nothing happens is refused', () => {
  const trace = parseTrace(toCsv([...Array(30).fill(0), 5, 5]))
  expect(messageOf(() => toPhases(trace, { ...SCALE, from: '2026-01-02 00:00', minutes: 20 }))).toContain(
    'counts nothing',
  )
})

test('a scenario keeps its length, its peak and the end of its premiere', () => {
  const premiere = SCENARIOS[0]
  if (!premiere) throw new Error('expected a premiere')
  const traced = withTrace(premiere, parseTrace(toCsv(Array.from({ length: 300 }, (_, at) => 50 + (at % 90)))))
  expect(durationOf(traced)).toBeCloseTo(durationOf(premiere), 6)
  expect(peakPerSecond(traced)).toBeCloseTo(peakPerSecond(premiere), 6)
  const endsAt = traced.phases.findIndex((phase) => phase.premiereEnds !== undefined)
  // As near as ramps of two seconds can be.
  expect(Math.abs(durationOf({ phases: traced.phases.slice(0, endsAt) }) - 45_000)).toBeLessThanOrEqual(1_000)
  expect(traced.phases[endsAt]?.premiereEnds).toEqual({ spreadMs: 3_000 })
})

test.skipIf(!existsSync(SHARED))('the World Cup of 1998: 88 days, and the kick-off that was asked for', () => {
  const trace = parseTrace(readFileSync(SHARED, 'utf8'))
  expect(trace.counts.length).toBeGreaterThan(86 * 24 * 60)
  const phases = toPhases(trace, { ...SCALE, from: '1998-06-30 20:00', minutes: 180 })
  expect(peakPerSecond({ phases, baselinePerSecond: 2 })).toBeCloseTo(100, 9)
  expect(arrivalsExpected({ phases, baselinePerSecond: 2 })).toBeGreaterThan(1_000)
})
