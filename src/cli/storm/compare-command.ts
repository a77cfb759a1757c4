import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describeError, Fault } from '../../kernel/index.ts'
import { compareReports, parseReport, renderComparison, type StormReport } from '../../storm/index.ts'
import type { Terminal } from '../terminal.ts'

/** Two reports side by side; each is a report.json or the directory it is in. */
export async function compareCommand(
  options: { readonly files: readonly [a: string, b: string]; readonly json: boolean },
  terminal: Terminal,
): Promise<number> {
  const [a, b] = await Promise.all([readReport(options.files[0]), readReport(options.files[1])])
  const comparison = compareReports(a, b)
  if (options.json) terminal.print(JSON.stringify(comparison))
  else for (const line of renderComparison(comparison)) terminal.print(line)
  return 0
}

async function readReport(path: string): Promise<StormReport> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const file = isDirectory ? join(path, 'report.json') : path
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Fault('report-unreadable', `${file}: expected a report.json that can be read: ${describeError(error)}`)
  })
  return parseReport(text, file)
}
