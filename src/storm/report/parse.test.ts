import { expect, test } from 'bun:test'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import { parseReport } from './parse.ts'

const REPORT = makeStormReport()
const { totals: _, ...WITHOUT_TOTALS } = REPORT

test('what was written is what is read', () => {
  expect(parseReport(JSON.stringify(REPORT))).toEqual(REPORT)
})

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'expected JSON, got an empty file'],
  ['a page', '<!doctype html><html>', 'expected JSON, got "<!doctype html>'],
  ['other JSON', '[1, 2]', 'got JSON without a version'],
  ['null', 'null', 'got JSON without a version'],
  ['a later format', JSON.stringify({ ...REPORT, version: 2 }), 'expected a report of format 1, got format 2'],
  ['a part missing', JSON.stringify(WITHOUT_TOTALS), 'not a whole storm report (totals: '],
  ['a figure that is a word', JSON.stringify({ ...REPORT, seed: 'x' }), 'seed: '],
  ['a verdict of its own', JSON.stringify({ ...REPORT, verdict: 'fine' }), 'verdict: '],
  ['rows of something else', JSON.stringify({ ...REPORT, series: Array(60).fill({}) }), 'more); run that storm again'],
]

test.each(REFUSED)('%s is refused', (_name, text, message) => {
  expect(() => parseReport(text, 'a.json')).toThrow(message)
  try {
    parseReport(text, 'a.json')
  } catch (error) {
    expect(error).toMatchObject({ code: 'report-unreadable', message: expect.stringMatching(/^a\.json: .{10,700}$/s) })
  }
})
