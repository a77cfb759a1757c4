/** Where a verb writes; a test gives it strings. */
export type Terminal = {
  /** One finished line. */
  print(line: string): void
  /** One line for people, on standard error. */
  complain(line: string): void
  /** Replaces the last such line, on a terminal only; `null` ends it. */
  readonly showProgress: ((line: string | null) => void) | null
}

export const processTerminal: Terminal = {
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
  showProgress: process.stdout.isTTY ? showOnTerminal : null,
}

function showOnTerminal(line: string | null): void {
  const width = process.stdout.columns || 80
  process.stdout.write(line === null ? '\r\u001b[K' : `\r\u001b[K${line.slice(0, width - 1)}`)
}
