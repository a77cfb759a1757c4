import { beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { REPORT_PLACE, renderReport } from '../../src/storm/report/html.ts'
import { makeStormReport } from '../../test/fixtures/storm-report.ts'
import { buildReportPage } from './build.ts'

let template = ''
beforeAll(async () => {
  template = await buildReportPage()
}, 30_000)

test('nothing in it names another place', () => {
  // Lists rather than the whole text, which a failure would print.
  expect(template.match(/https?:\/\/.{0,40}/g) ?? []).toEqual([])
  const outward = /<link|<img|<iframe|<script[^>]+src=|@import|url\((?!"?data:)/gi
  expect(template.match(outward) ?? []).toEqual([])
})

test('its policy allows its one script and its one style sheet, by digest, and fonts inside it; nothing else', () => {
  const policy = /http-equiv="content-security-policy" content="([^"]+)"/.exec(template)?.[1] ?? ''
  const digestOf = (pattern: RegExp): string =>
    createHash('sha256')
      .update(pattern.exec(template)?.[1] ?? '')
      .digest('base64')
  expect(policy.split('; ').sort()).toEqual([
    "base-uri 'none'",
    "default-src 'none'",
    'font-src data:',
    "form-action 'none'",
    `script-src 'sha256-${digestOf(/<script type="module">([\s\S]*?)<\/script>/)}'`,
    `style-src 'sha256-${digestOf(/<style>([\s\S]*?)<\/style>/)}'`,
  ])
})

test('the charts are inside, their licence is named, and the whole stays small enough to mail', () => {
  expect(template).toContain('uplot')
  expect(template).toContain('uPlot, Copyright (c) Leon Sorokin, MIT licence')
  expect(template.length).toBeLessThan(400_000)
})

test('one place is left for the report', () => {
  expect(template.split(REPORT_PLACE)).toHaveLength(2)
  const html = renderReport(template, makeStormReport())
  expect(html).not.toContain(REPORT_PLACE)
  expect(html).toContain('"scenario":{"name":"premiere"')
})
