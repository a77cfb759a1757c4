import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { makeStormReport } from '../../../test/fixtures/storm-report.ts'
import { REPORT_PLACE, renderReport } from './html.ts'

const TEMPLATE = `<script type="application/json" id="report">${REPORT_PLACE}</script><p>after</p>`

/** What a browser would take as the element's text: up to the first `</script`. */
const embeddedIn = (html: string): string => /id="report">([\s\S]*?)<\/script/i.exec(html)?.[1] ?? ''

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '</SCRIPT ><img src=x onerror=alert(1)>',
  '<!--<script>',
  ']]>',
  `$& $' $\` $1 ${REPORT_PLACE}`,
  'line\u2028paragraph\u2029\u0000 "quoted" \\u003c',
]

test.each(HOSTILE)('a label of %j stays a label', (label) => {
  const report = makeStormReport({ timeline: [{ atMs: 0, kind: 'note', label }] })
  const html = renderReport(TEMPLATE, report)
  expect(html.match(/<\/?script/gi)).toHaveLength(2)
  expect(html).toEndWith('</script><p>after</p>')
  expect(JSON.parse(embeddedIn(html))).toEqual(JSON.parse(JSON.stringify(report)))
})

test('whatever a label holds, the page keeps its shape and the report its content', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '/', '!', '-', 's', 'script', '$', '&', '"', '\\') }),
      (label) => {
        const html = renderReport(
          TEMPLATE,
          makeStormReport({ series: [], timeline: [{ atMs: 0, kind: 'note', label }] }),
        )
        return html.match(/</g)?.length === 4 && JSON.parse(embeddedIn(html)).timeline[0].label === label
      },
    ),
  )
})

test.each(['', `${REPORT_PLACE}${REPORT_PLACE}`])('a template without exactly one place is refused: %j', (template) => {
  expect(() => renderReport(template, makeStormReport())).toThrow(/expected one .*, got [02]/)
})
