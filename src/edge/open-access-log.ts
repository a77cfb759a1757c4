import { appendFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { type Clock, describeError, Fault, type Limits, type Logger } from '../kernel/index.ts'
import { type AccessLog, createAccessLog } from './access-log.ts'
import { createLineSink } from './line-sink.ts'

export type OpenedAccessLog = AccessLog & { close(): Promise<void> }

/**
 * The access log that an operator asked for: null for `off`; `stdout`; else a file, which is opened anew for each batch, so
 * that it may be renamed away at any time. Fault `access-log-unwritable` when that file cannot be written to now.
 */
export function openAccessLog(options: {
  readonly target: string
  readonly limits: Pick<Limits, 'accessLogLinesPerSecondMax' | 'accessLogBufferBytesMax'>
  readonly clock: Clock
  readonly logger: Logger
}): OpenedAccessLog | null {
  const { target, limits, clock, logger } = options
  if (target === 'off') return null
  const append = target === 'stdout' ? appendToStandardOutput : appendTo(target)
  const sink = createLineSink({ append, bufferBytesMax: limits.accessLogBufferBytesMax, logger })
  const log = createAccessLog({ linesPerSecondMax: limits.accessLogLinesPerSecondMax, write: sink.write, clock })
  return { record: log.record, close: sink.close }
}

/** Readable by its owner alone: it says who watches what. */
function appendTo(path: string): (text: string) => Promise<void> {
  const options = { mode: 0o600 } as const
  try {
    appendFileSync(path, '', options)
  } catch (error) {
    throw new Fault(
      'access-log-unwritable',
      `the access log ${path} cannot be written to: ${describeError(error)}; make its directory, or name another file`,
      { cause: error },
    )
  }
  return (text) => appendFile(path, text, options)
}

function appendToStandardOutput(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
