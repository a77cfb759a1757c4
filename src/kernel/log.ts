/** A line for people (`text`) or machines (`json`). Fields are flat; secrets and tokens never go in. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>> & {
  with(fields: LogFields): Logger
}
export type LogFormat = 'text' | 'json'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** A logger that writes one line per call through `write`. `role` leads each text line and is a field of each JSON line. */
export function createLogger(options: {
  role: string
  format: LogFormat
  level?: LogLevel
  write: (line: string) => void
  now?: () => number
  fields?: LogFields
}): Logger {
  const { role, format, write, now = Date.now, level = 'info', fields: base = {} } = options
  const floor = LEVELS.indexOf(level)
  const emit = (at: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(at) < floor) return
    const all = { ...base, ...fields }
    const time = new Date(now()).toISOString()
    write(
      format === 'json'
        ? JSON.stringify({ time, level: at, role, message, ...all })
        : toText({ time, role, at, message, all }),
    )
  }
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => createLogger({ ...options, fields: { ...base, ...fields } }),
  }
}

/** Logs nothing; for tests and for callers that were given no logger. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
}

function toText(line: { time: string; role: string; at: LogLevel; message: string; all: LogFields }): string {
  const pairs = Object.entries(line.all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${toValue(value)}`],
  )
  const mark = line.at === 'info' ? '' : `${line.at.toUpperCase()} `
  return [line.time.slice(11, 23), line.role.padEnd(10), `${mark}${oneLine(line.message)}`, ...pairs].join(' ')
}

const oneLine = (text: string): string => text.replaceAll('\n', '\\n')
const toValue = (value: string | number | boolean | null): string =>
  typeof value === 'string' && /[\s"=]/.test(value) ? JSON.stringify(value) : String(value)
