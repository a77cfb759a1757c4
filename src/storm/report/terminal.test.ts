import { expect, test } from 'bun:test'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import { toColumns, toLine } from './columns.ts'
import type { Sample } from './report.ts'
import { createLiveView, renderSummary } from './terminal.ts'

const REPORT = makeStormReport()
const [FIRST, SECOND] = REPORT.series as [Sample, Sample]
const summary = (changes: Parameters<typeof makeStormReport>[0] = {}): string =>
  renderSummary(makeStormReport(changes), { html: 'out/report.html', json: 'out/report.json' }).join('\n')

test('the summary says the verdict, each objective, each fault and where the report is', () => {
  const text = summary()
  expect(text).toContain('\nFailed: 3 of 12 objectives missed\n')
  for (const objective of REPORT.objectives) expect(text).toContain(objective.name)
  expect(text).toMatch(/✗ {2}Press play, p99 +missed +548 ms {2}\(at most 500 ms\)/)
  expect(text).toMatch(/store killed +struck at 0:40\.0 +recovered after 1,300 ms/)
  expect(text).toContain('again: npx tentpole storm --scenario premiere --seed 42')
  expect(text).toEndWith('report: out/report.html\n        out/report.json')
})

test('what was not measured says why; what could not strike or never recovered says so', () => {
  const [objective] = REPORT.objectives
  const [fault] = REPORT.faults
  if (objective === undefined || fault === undefined) throw new Error('the fixture has objectives and faults')
  const text = summary({
    objectives: [{ ...objective, measured: null, outcome: 'not-measured', detail: 'no log within reach' }],
    faults: [
      { ...fault, recoveredAfterMs: null },
      { ...fault, marks: [], failure: 'no such role' },
    ],
  })
  expect(text).toMatch(/– {2}Requests that failed {2}not measured +no log within reach/)
  expect(text).toMatch(/struck at 0:18\.0 +did not recover within the storm/)
  expect(text).toMatch(/never struck +could not strike: no such role/)
})

test('every reason of an invalid run is there', () => {
  const text = summary({ verdict: 'invalid', invalidBecause: ['it lagged', 'it ended early'] })
  expect(text).toContain('Invalid: it lagged, and 1 reason more\n  it lagged\n  it ended early')
})

test('not a terminal: one plain line a second, no control character', () => {
  const { view, written } = start(false)
  view.update(FIRST, 'quiet evening', REPORT.totals)
  view.mark({ atMs: 18_020, kind: 'fault', label: 'store \u001b[2J killed\n' })
  view.update(SECOND, 'quiet evening', REPORT.totals)
  view.end()
  view.update(SECOND, 'quiet evening', REPORT.totals)
  const lines = written().split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatch(/^0:01\.0 {2}quiet evening: \d+ viewers, \d+ requests\/s, p50 .* ms, .*lag p99/)
  expect(lines[1]).toBe('0:18.0  fault      store  [2J killed ')
  expect(lines[2]).toStartWith('0:02.0  quiet evening')
})

test('a terminal: the block is drawn over itself, marks scroll by above it, no line wraps', () => {
  for (const width of [40, 200]) {
    const { view, written } = start(true, width)
    for (const sample of REPORT.series.slice(0, 17)) view.update(sample, 'quiet evening', REPORT.totals)
    view.mark({ atMs: 18_020, kind: 'fault', label: 'store killed' })
    for (const sample of REPORT.series.slice(17)) view.update(sample, 'spike', REPORT.totals)
    view.end()
    const screen = replay(written())
    expect(screen.filter((line) => line.includes('store killed'))).toHaveLength(1)
    expect(screen[0]).toStartWith('0:18.0  fault')
    expect(screen[1]).toStartWith('████████████████████████ 1:00.0')
    expect(screen.filter((line) => line.startsWith('requests/s'))).toHaveLength(1)
    expect(Math.max(...screen.map((line) => [...line].length))).toBeLessThan(width)
  }
})

test('a terminal shows which roles are down for as long as they are', () => {
  const { view, written } = start(true)
  const down = REPORT.series.findIndex((sample) => (sample.rolesDown ?? []).length > 0)
  for (const sample of REPORT.series.slice(0, down + 1)) view.update(sample, 'spike', REPORT.totals)
  expect(replay(written()).at(-1)).toBe('not healthy: cell-b')
  for (const sample of REPORT.series.slice(down + 1)) view.update(sample, 'hold', REPORT.totals)
  expect(replay(written()).join('\n')).not.toContain('not healthy')
})

test('columns line up, figures to the right', () => {
  const rows = [
    ['a', '1', 'x'],
    ['long', '1,000', ''],
  ]
  expect(toColumns(rows, [1])).toEqual(['a         1  x', 'long  1,000'])
  expect(toLine('a\r\n\u001b]0;b')).toBe('a ]0;b')
})

function start(isTty: boolean, columns = 120) {
  let text = ''
  const view = createLiveView({
    write: (more) => {
      text += more
    },
    isTty,
    width: () => columns,
    name: 'premiere',
    durationMs: 60_000,
  })
  return { view, written: () => text }
}

/** What stands on a screen after it: the three controls that the view uses, and nothing else. */
function replay(text: string): string[] {
  const lines: string[] = ['']
  let at = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is read here
  for (const part of text.match(/\u001b\[(\d*)[AJ]|\r|\n|[^\u001b\r\n]+/g) ?? []) {
    if (part === '\n') at += 1
    else if (part.endsWith('A') && part.startsWith('\u001b')) at -= Number(part.slice(2, -1))
    else if (part === '\u001b[J') lines.length = at
    else if (part !== '\r') lines[at] = `${lines[at] ?? ''}${part}`
    lines[at] ??= ''
  }
  return lines.slice(0, at)
}
