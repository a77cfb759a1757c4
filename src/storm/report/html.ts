import { Fault } from '../../kernel/index.ts'
import type { StormReport } from './report.ts'

/** Where the page's template takes the report; the page builder puts it there exactly once. */
export const REPORT_PLACE = '<!--storm-report-->'

/**
 * The finished page: the template with the report inside. Nothing in the report can end the element it stands in, since
 * no `<` is left in it; the page reads it as JSON and only ever shows it as text.
 */
export function renderReport(template: string, report: StormReport): string {
  const parts = template.split(REPORT_PLACE)
  if (parts.length !== 2) {
    throw new Fault(
      'report-template-invalid',
      `the report page: expected one ${REPORT_PLACE}, got ${parts.length - 1}; build the template with web/storm/build.ts`,
    )
  }
  return parts.join(toEmbeddedJson(report))
}

/** JSON that means the same and holds no `<`: neither `</script` nor `<!--`, which both steer an HTML parser. */
function toEmbeddedJson(report: StormReport): string {
  return JSON.stringify(report).replaceAll('<', '\\u003c')
}
