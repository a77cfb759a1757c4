import type { LogRecord } from '../../engines/log/index.ts'
import { Fault } from '../../kernel/index.ts'
import type { PipeDefinition } from './define-pipe.ts'
import type { Step } from './make-events.ts'
import type { OpenedRecord, OpenRecord } from './ports.ts'
import { bytesToLoad, tryOpen } from './process-record.ts'
import type { Window, WindowEntry } from './window.ts'

export type Job = { readonly record: LogRecord; readonly opened: Step<OpenedRecord>; readonly entry: WindowEntry }

/** Takes records from the log as long as the window has room, and leaves them there while it has none. */
export type Intake = {
  /** For `LogPort.subscribe`. Rejects once the pipe is closed, so that what was not taken comes again. */
  onRecords(records: readonly LogRecord[]): Promise<void>
  /** There may be room, or the pipe may be closed. */
  wake(): void
}

export function createIntake(options: {
  definition: PipeDefinition
  openRecord: OpenRecord
  window: Window
  closed: AbortSignal
  onJob: (job: Job) => void
}): Intake {
  const { definition, openRecord, window, closed, onJob } = options
  let wake = (): void => {}
  const waitForRoom = async (): Promise<void> => {
    while (!window.hasRoom() && !closed.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    if (closed.aborted) throw new Fault('closed', 'the pipe was closed; what it had in hand comes again')
  }
  return {
    async onRecords(records) {
      for (const record of records) {
        await waitForRoom()
        const opened = tryOpen(openRecord, record)
        const { partition, offset, value } = record
        const loadedBytes = bytesToLoad(definition, opened)
        const entry = { partition, offset, recordBytes: value.byteLength, loadedBytes }
        if (window.take(entry)) onJob({ record, opened, entry })
      }
    },
    wake: () => wake(),
  }
}
