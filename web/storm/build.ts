import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../../src/kernel/index.ts'
import { REPORT_PLACE } from '../../src/storm/report/html.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const FONT = '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'

/**
 * The report's page as one text with everything inside it, and one place left for the report (`renderReport` fills it). Opened from a
 * disk it asks nobody for anything, and its policy refuses whatever would: only this one script and this one style sheet,
 * known by their digests, may run. Fault `web-build-failed` when the sources do not bundle.
 */
export async function buildReportPage(): Promise<string> {
  const [page, font, bundled] = await Promise.all([
    readFile(join(HERE, 'page.html'), 'utf8'),
    readFile(fileURLToPath(import.meta.resolve(FONT))),
    bundle(),
  ])
  const style = `${renderFontFace(font)}\n${bundled.style}`
  const { script } = bundled
  return fill(page, {
    policy: `<meta http-equiv="content-security-policy" content="${renderPolicy(script, style)}">`,
    style: `<style>${style}</style>`,
    report: `<script type="application/json" id="report">${REPORT_PLACE}</script>`,
    script: `<script type="module">${script}</script>`,
  })
}

async function bundle(): Promise<{ script: string; style: string }> {
  const built = await Bun.build({
    entrypoints: [join(HERE, 'report.ts')],
    target: 'browser',
    format: 'esm',
    minify: true,
    throw: false,
  })
  if (!built.success) {
    throw new Fault('web-build-failed', `the storm's report page did not bundle:\n${built.logs.map(String).join('\n')}`)
  }
  const textOf = async (kind: string): Promise<string> => {
    const found = built.outputs.find((output) => output.path.endsWith(kind))
    if (found === undefined)
      throw new Fault('web-build-failed', `the storm's report page: expected a ${kind} file, got none`)
    return (await found.text()).trim()
  }
  return { script: await textOf('.js'), style: await textOf('.css') }
}

/** Only the subset for Latin: labels in other scripts fall back to the system's face, and the file stays small. */
function renderFontFace(font: Uint8Array): string {
  const data = `data:font/woff2;base64,${Buffer.from(font).toString('base64')}`
  return `@font-face{font-family:"Inter Variable";font-style:normal;font-weight:100 900;src:url("${data}") format("woff2")}`
}

function renderPolicy(script: string, style: string): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  return [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** Each `<!-- name -->` of the page is replaced once; a text that would end its own element early is refused. */
function fill(page: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [before, after, ...others] = text.split(`<!-- ${name} -->`)
    if (before === undefined || after === undefined || others.length > 0) {
      throw new Fault(
        'web-build-failed',
        `web/storm/page.html: expected one <!-- ${name} -->, got ${others.length + (after === undefined ? 0 : 1)}`,
      )
    }
    if ((part.match(/<\/(?:script|style)/gi) ?? []).length > 1) {
      throw new Fault(
        'web-build-failed',
        `the ${name} of the storm's report page would end its own element: no </script or </style may be in its text`,
      )
    }
    return before + part + after
  }, page)
}
