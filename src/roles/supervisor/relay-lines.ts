import { createLogger, type LogFormat } from '../../kernel/index.ts'

/**
 * Passes a role's lines on. What its logger wrote goes through as it is; anything else (a crash's stack, a library's
 * warning) becomes a log line of that role, so that the output stays in one format.
 */
export function passOn(options: {
  name: string
  format: LogFormat
  write: (line: string) => void
}): (line: string, from: 'stdout' | 'stderr') => void {
  const { name, format, write } = options
  const logger = createLogger({ role: name, format, write })
  return (line, from) => {
    if (line.trim() === '') return
    if (from === 'stdout' && (format === 'json' ? line.startsWith('{"time":') : /^\d\d:\d\d:\d\d\.\d{3} /.test(line)))
      write(line)
    else logger[from === 'stdout' ? 'info' : 'warn'](line)
  }
}
